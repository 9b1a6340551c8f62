"""A run of training: it learns, resumes exactly, and survives a full disk."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stacked_examples import stack

torch = pytest.importorskip('torch')
pytest.importorskip('moshi')

from kame_ros.s2s.moshi.model import OracleLMModel  # noqa: E402
from kame_ros.s2s.moshi.weights.upstream import loaders  # noqa: E402
from kame_ros.training.config import ConfigError, RunConfig  # noqa: E402
from kame_ros.training.data.layout import Example  # noqa: E402
from kame_ros.training.data.source import Batch  # noqa: E402
from kame_ros.training.run.loss import LossWeights, count, loss, masks, weights_of  # noqa: E402
from kame_ros.training.run.trainer import STATE, Trainer, TrainingError  # noqa: E402

TINY = {
    'dim': 32,
    'n_q': 16,
    'dep_q': 8,
    'card': 16,
    'text_card': 12,
    'num_heads': 2,
    'num_layers': 1,
    'hidden_scale': 4.125,
    'context': 30,
    'depformer_dim': 16,
    'depformer_dim_feedforward': 66,
    'depformer_num_heads': 2,
    'depformer_num_layers': 1,
}
CONFIG = RunConfig(
    steps=6, batch=2, frames=20, warm_up=2, precision='float32', save_every=3, evaluate_every=3
)


class FakeSource:
    """Streams in which the text is the oracle of a frame before, and the codes follow the text."""

    def batch(self, step: int) -> Batch:
        return self._make(f't{step}')

    def held_out(self, number: int) -> Batch:
        return self._make(f'h{number}')

    def _make(self, seed: str) -> Batch:
        rng = random.Random(seed)
        examples = []
        for _ in range(2):
            oracle = np.array([rng.randint(4, 11) for _ in range(20)])
            text = np.concatenate([[3], oracle[:-1]])
            robot = np.stack([(text + book) % 16 for book in range(8)])
            examples.append(Example(text, robot, np.zeros((8, 20), np.int64), oracle))
        return stack(examples)


def model(seed: int = 0, **changes: Any) -> OracleLMModel:
    torch.manual_seed(seed)
    return OracleLMModel(**{**loaders._lm_kwargs, **TINY, **changes}, dtype=torch.float32)


def weights(trained: OracleLMModel) -> dict[str, Any]:
    return {key: value.clone() for key, value in trained.state_dict().items()}


def test_training_lowers_the_loss(tmp_path: Path) -> None:
    config = RunConfig(
        steps=90, batch=2, frames=20, learning_rate=0.01, precision='float32', evaluate_every=90
    )
    trainer = Trainer(model(), FakeSource(), config, tmp_path)
    before = trainer.evaluate()
    trainer.run()
    after = trainer.evaluate()
    assert after['held_text'] < 0.5 * before['held_text']
    assert after['held_audio'] < 0.8 * before['held_audio']
    rows = [json.loads(line) for line in (tmp_path / 'log.jsonl').read_text().splitlines()]
    assert [row['step'] for row in rows] == list(range(10, 91, 10))
    assert 'held_text' in rows[-1]


def test_a_run_that_was_ended_resumes_exactly(tmp_path: Path) -> None:
    whole, first = model(), model()
    Trainer(whole, FakeSource(), CONFIG, tmp_path / 'whole').run()
    broken = Trainer(first, FakeSource(), CONFIG, tmp_path / 'broken')

    def stop(step: int, _: dict[str, float]) -> None:
        if step == 5:  # two steps after the last state
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken.run(stop)
    second = model(seed=9)
    again = Trainer(second, FakeSource(), CONFIG, tmp_path / 'broken')
    assert again.step == 3
    again.run()
    wanted, found = weights(whole), weights(second)
    assert all(torch.equal(wanted[key], found[key]) for key in wanted)


def test_accumulation_is_a_larger_batch(tmp_path: Path) -> None:
    config = RunConfig(steps=3, batch=2, accumulate=2, frames=20, precision='float32')
    trainer = Trainer(model(), FakeSource(), config, tmp_path)
    asked: list[int] = []
    batch = trainer._source.batch
    trainer._source.batch = lambda step: (asked.append(step), batch(step))[1]  # type: ignore[method-assign]
    trainer.run()
    assert asked == [0, 1, 2, 3, 4, 5]


def test_a_full_disk_costs_a_state_and_not_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    trainer = Trainer(model(), FakeSource(), CONFIG, tmp_path)
    trainer.save()
    kept = (tmp_path / STATE).read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(torch, 'save', full)
    trainer.run()
    assert trainer.step == 6
    assert trainer.lost_saves == 2
    assert (tmp_path / STATE).read_bytes() == kept
    assert 'free some space' in caplog.text


def test_a_damaged_state_is_named(tmp_path: Path) -> None:
    (tmp_path / STATE).write_bytes(b'no state')
    with pytest.raises(TrainingError, match=r'state\.pt is damaged'):
        Trainer(model(), FakeSource(), CONFIG, tmp_path)


def test_a_state_of_another_model_is_refused(tmp_path: Path) -> None:
    Trainer(model(), FakeSource(), CONFIG, tmp_path).save()
    with pytest.raises(ConfigError, match='not the one in'):
        Trainer(model(dim=64), FakeSource(), CONFIG, tmp_path)


def test_a_run_goes_on_with_the_decay_that_it_is_told_now(tmp_path: Path) -> None:
    """What the state says of the optimiser's settings is not what counts."""
    Trainer(model(), FakeSource(), CONFIG, tmp_path).save()
    changed = replace(CONFIG, weight_decay=0.5, betas=(0.8, 0.9), epsilon=1e-6)
    groups = Trainer(model(), FakeSource(), changed, tmp_path)._optimiser.param_groups
    assert [group['weight_decay'] for group in groups] == [0.5, 0.0]
    assert {(group['betas'], group['eps']) for group in groups} == {((0.8, 0.9), 1e-6)}


def test_the_scales_of_norms_do_not_decay(tmp_path: Path) -> None:
    trained = model()
    decays, free = Trainer(trained, FakeSource(), CONFIG, tmp_path)._optimiser.param_groups
    names = {id(weight): name for name, weight in trained.named_parameters()}
    assert (decays['weight_decay'], free['weight_decay']) == (0.1, 0.0)
    assert sorted(names[id(weight)] for weight in free['params']) == [
        *(f'depformer.layers.0.norm{n}.alpha' for n in (1, 2)),
        'out_norm.alpha',
        *(f'transformer.layers.0.norm{n}.alpha' for n in (1, 2)),
    ]


def test_a_loss_that_is_no_number_ends_the_run(tmp_path: Path) -> None:
    broken = model()
    with torch.no_grad():
        broken.text_linear.weight.fill_(float('nan'))
    with pytest.raises(TrainingError, match='no number'):
        Trainer(broken, FakeSource(), CONFIG, tmp_path).run()


def test_the_weights_of_the_loss() -> None:
    """Padding, the first book and quiet frames count as much as they are told to."""
    trained, batch = model(), FakeSource().batch(0)
    codes = torch.from_numpy(batch.codes)
    output = trained(codes, oracle_tokens=torch.from_numpy(batch.oracle))
    quiet = torch.zeros(codes.shape[0], codes.shape[2], dtype=torch.bool)

    def value(silent: Any = quiet, **changed: float) -> Any:
        given = {'padding': 0.0, 'first': 1.0, 'quiet': 0.0, **changed}
        found = masks(codes, silent, 3, trained.delays, trained.dep_q)
        return loss(output, codes, found, LossWeights(**given))

    plain = value()
    assert value(audio=0.0).total.item() == pytest.approx(plain.text)
    assert value(padding=1.0).text > plain.text
    assert value(first=1000.0).audio != pytest.approx(plain.audio)
    assert value(silent=~quiet).audio == 0.0
    assert value(silent=~quiet, quiet=2.0).audio == pytest.approx(2 * plain.audio, rel=1e-5)


@pytest.mark.parametrize(
    ('losses', 'reason'),
    [
        ({'padding': -1.0}, 'losses: the loss weight padding is negative'),
        ({'padding': 'much'}, "losses: padding must be a number, not 'much'"),
        ({'first': math.nan}, 'losses: first must be a number, not nan'),
        ({'second': 1.0}, "losses: 'second' is not known"),
    ],
)
def test_weights_of_the_loss_that_cannot_be(losses: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        weights_of(RunConfig(losses=losses))


def test_parts_of_a_batch_add_up_to_the_whole() -> None:
    """However unevenly words are spread: the loss, the numbers, and what they are counted over."""
    trained, batch = model(), FakeSource().batch(0)
    codes, oracle = torch.from_numpy(batch.codes), torch.from_numpy(batch.oracle)
    codes[1, 0, :15] = 3
    codes[0, 1:9, 12:] = -1  # nothing is known of the end of one of them
    quiet = torch.zeros(codes.shape[0], codes.shape[2], dtype=torch.bool)
    quiet[1, 4:] = True
    weights = LossWeights()

    def one(rows: slice, counts: Any = None) -> Any:
        output = trained(codes[rows], oracle_tokens=oracle[rows])
        found = masks(codes[rows], quiet[rows], 3, trained.delays, trained.dep_q)
        assert torch.equal(found.loud | found.still, output.mask)
        assert torch.equal(found.words | found.padded, output.text_mask[:, 0])
        return loss(output, codes[rows], found, weights, counts)

    counts = count(masks(codes, quiet, 3, trained.delays, trained.dep_q), weights)
    whole, parts = one(slice(None)), [one(slice(n, n + 1), counts) for n in range(2)]
    for name in ('total', 'text', 'audio', 'words_right', 'codes_right'):
        added = sum(float(torch.as_tensor(getattr(p, name)).detach()) for p in parts)
        assert added == pytest.approx(
            float(torch.as_tensor(getattr(whole, name)).detach()), rel=1e-5
        )


def test_a_state_without_the_best_loss_can_be_gone_on_from(tmp_path: Path) -> None:
    """States of earlier versions have a step, a model and an optimiser."""
    Trainer(model(), FakeSource(), CONFIG, tmp_path).save()
    state = torch.load(tmp_path / STATE)
    del state['best']
    torch.save(state, tmp_path / STATE)
    assert Trainer(model(), FakeSource(), CONFIG, tmp_path).best == float('inf')
