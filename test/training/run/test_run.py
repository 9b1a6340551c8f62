"""`train`: from a Moshi, a KAME or nothing to a checkpoint that learnt and that speaks."""

from __future__ import annotations

import hashlib
import json
import os
import random
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stacked_examples import stack

torch = pytest.importorskip('torch')
pytest.importorskip('moshi')

from kame_ros.graph.description import config_folder  # noqa: E402
from kame_ros.s2s.moshi.model import OracleLMModel  # noqa: E402
from kame_ros.s2s.moshi.weights.checkpoint import Checkpoint, find  # noqa: E402
from kame_ros.s2s.moshi.weights.load import load_lm  # noqa: E402
from kame_ros.training.config import ConfigError, RunConfig, make, read  # noqa: E402
from kame_ros.training.data.layout import Example, Marks  # noqa: E402
from kame_ros.training.data.same_codec import codec_file  # noqa: E402
from kame_ros.training.data.shards import DataInfo  # noqa: E402
from kame_ros.training.data.source import Batch  # noqa: E402
from kame_ros.training.run import result  # noqa: E402
from kame_ros.training.run.begin import begin, locate  # noqa: E402
from kame_ros.training.run.engine import OneProcess  # noqa: E402
from kame_ros.training.run.loss import weights_of  # noqa: E402
from kame_ros.training.run.run import train  # noqa: E402
from kame_ros.training.run.state import STATE  # noqa: E402

FRAMES = 16
PLAIN = {
    'batch': 2,
    'frames': FRAMES,
    'steps': 12,
    'warm_up': 1,
    'learning_rate': 3e-3,
    'precision': 'float32',
    'save_every': 6,
    'evaluate_every': 6,
    'evaluate_batches': 1,
}


class FakeTalk:
    """The text is the oracle of two frames before, and the codes follow the text."""

    def __init__(self, of: Checkpoint, **changes: Any) -> None:
        tokenizer = of.tokenizer_file.read_bytes()
        kwargs = of.lm_kwargs
        facts: dict[str, Any] = {
            'codec_file': codec_file(of),
            'codebooks': kwargs['dep_q'],
            'card': kwargs['card'],
            'text_card': kwargs['text_card'],
            'marks': Marks(start=kwargs['text_card']),
            'tokenizer': tokenizer,
            'tokenizer_sha256': hashlib.sha256(tokenizer).hexdigest(),
            'silence': (0,) * 8,
            'checkpoint': of.where,
            'dialogues': 10,
            'held_out': 2,
            'hours': 0.5,
        }
        others = {each.name: 0 for each in fields(DataInfo)}
        self.asked: list[int] = []
        self.info = DataInfo(**{**others, **facts, **changes})

    def batch(self, step: int) -> Batch:
        self.asked.append(step)
        return self._make(f't{step}')

    def held_out(self, number: int) -> Batch:
        return self._make(f'h{number}')

    def _make(self, seed: str) -> Batch:
        rng = random.Random(seed)
        examples = []
        for _ in range(2):
            oracle = np.array([rng.randint(4, 11) for _ in range(FRAMES)])
            text = np.concatenate([[3, 3], oracle[:-2]])
            robot = np.stack([(text + book) % 16 for book in range(8)])
            examples.append(Example(text, robot, np.ones((8, FRAMES), np.int64), oracle))
        return stack(examples)


@pytest.fixture(scope='session')
def moshi(kame: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same without an oracle embedding: a Moshi."""
    from safetensors.torch import load_file, save_file

    folder = tmp_path_factory.mktemp('moshi')
    for path in kame.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    state = load_file(folder / 'model.safetensors')
    del state['oracle_emb.weight']
    save_file(state, folder / 'model.safetensors')
    return folder


def config(where: Path | str, **changes: Any) -> RunConfig:
    return make({**PLAIN, 'checkpoint': str(where), **changes})


def held(folder: Path) -> list[float]:
    rows = [json.loads(line) for line in (folder / 'log.jsonl').read_text().splitlines()]
    return [row['held_loss'] for row in rows if 'held_loss' in row]


def steps_through_the_front_end(where: Path) -> int:
    """Streams a second of noise; gives how many frames were spoken."""
    from kame_ros.s2s.moshi.build import build
    from kame_ros.s2s.moshi.config import MoshiConfig

    front_end = build(MoshiConfig(weights=str(where), device='cpu', seed=0))
    front_end.warm_up()
    noise = np.random.default_rng(0).normal(0, 0.1, (6, 1920)).astype(np.float32)
    spoken = [front_end.step(frame, None) for frame in noise]
    assert all(np.isfinite(step.speech).all() for step in spoken)
    return len(spoken)


def first_loss(settings: RunConfig, source: FakeTalk) -> float:
    from kame_ros.training.run.trainer import Trainer

    begun = begin(settings, source.info, locate(settings))
    return Trainer(begun.model, source, settings, Path('.'), resume=False).evaluate()['held_loss']


@pytest.mark.parametrize('kind', ['kame', 'moshi'])
@pytest.mark.parametrize(
    'lora', [None, {'rank': 4, 'embeddings': True}, {'rank': 4}], ids=['full', 'lora+text', 'lora']
)
def test_fine_tuning_lowers_the_held_out_loss_and_its_result_speaks(
    kind: str, lora: Any, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    where = request.getfixturevalue(kind)
    settings, source = config(where, lora=lora), FakeTalk(find(str(where)))
    before = first_loss(settings, source)
    done = train(settings, source, tmp_path, OneProcess())
    losses = held(tmp_path)
    assert losses[-1] < 0.8 * before
    assert done.best_loss == min(losses)
    names = {path.name for path in done.last.iterdir()}
    assert ('lora.safetensors' in names) == (lora is not None)
    assert steps_through_the_front_end(done.last) == 6
    loaded = load_lm(find(str(done.last)), dtype=torch.float32)
    assert isinstance(loaded, OracleLMModel)
    # What was loaded is what was trained: its loss is the last one, but for bfloat16 on the disk.
    again = replace(settings, checkpoint=str(done.last), lora=None)
    assert first_loss(again, source) == pytest.approx(losses[-1], rel=0.01)


def test_a_moshi_begins_with_its_text_embedding_for_the_oracle(moshi: Path) -> None:
    settings = config(moshi)
    model = begin(settings, FakeTalk(find(str(moshi))).info, locate(settings)).model
    assert torch.equal(model.oracle_emb.weight, model.text_emb.weight)
    assert model.oracle_emb.weight is not model.text_emb.weight


def test_lora_begins_where_the_model_was_and_trains_only_what_it_says(kame: Path) -> None:
    source, batch = FakeTalk(find(str(kame))), None
    batch = source.batch(0)
    codes, oracle = torch.from_numpy(batch.codes), torch.from_numpy(batch.oracle)
    outputs, trained = [], {}
    for lora in (None, {'rank': 4}, {'rank': 4, 'embeddings': True}):
        settings = config(kame, lora=lora)
        model = begin(settings, source.info, locate(settings)).model.eval()
        outputs.append(model(codes, oracle_tokens=oracle).text_logits.detach())
        trained[str(lora)] = {n for n, w in model.named_parameters() if w.requires_grad}
    assert torch.allclose(outputs[0], outputs[1], atol=1e-6)
    plain, more = list(trained.values())[1:]
    assert {name for name in plain if '.lora_' not in name} == {'oracle_emb.weight'}
    assert more - plain == {'text_emb.weight'}


def test_lora_does_not_copy_its_frozen_weights_for_every_frame(kame: Path) -> None:
    from kame_ros.s2s.moshi.op_trace import OpTrace

    source = FakeTalk(find(str(kame)))
    codes = torch.from_numpy(source.batch(0).codes)
    settings = config(kame, lora={'rank': 4})
    model = begin(settings, source.info, locate(settings)).model
    with OpTrace() as ops:
        model(codes)
    assert ops.counts['aten::mm'] > 0
    assert ops.counts['aten::bmm'] == 0


def test_a_lora_run_resumes_exactly_from_what_it_trains(kame: Path, tmp_path: Path) -> None:
    settings, source = config(kame, lora={'rank': 4}), FakeTalk(find(str(kame)))
    whole = train(settings, source, tmp_path / 'whole', OneProcess()).last
    train(replace(settings, steps=6), source, tmp_path / 'broken', OneProcess())
    source.asked.clear()
    resumed = train(settings, source, tmp_path / 'broken', OneProcess()).last
    assert source.asked == [6, 7, 8, 9, 10, 11]
    assert (tmp_path / 'broken' / STATE).stat().st_size < 0.5 * (
        kame / 'model.safetensors'
    ).stat().st_size
    assert (whole / 'lora.safetensors').read_bytes() == (resumed / 'lora.safetensors').read_bytes()


def test_a_merged_lora_is_the_same_model_without_a_base(kame: Path, tmp_path: Path) -> None:
    settings, source = config(kame, lora={'rank': 4}), FakeTalk(find(str(kame)))
    apart = train(settings, source, tmp_path / 'apart', OneProcess()).last
    merged = train(settings, source, tmp_path / 'merged', OneProcess(), merge=True).last
    assert not (merged / 'lora.safetensors').exists()
    one = load_lm(find(str(apart)))
    two = load_lm(find(str(merged)))
    assert all(
        torch.equal(one.state_dict()[key], two.state_dict()[key]) for key in two.state_dict()
    )
    with pytest.raises(ConfigError, match='LoRA weights of its own'):
        train(config(apart, lora={'rank': 4}), source, tmp_path / 'no', OneProcess())


def test_the_lora_file_is_for_the_parameter_lora_too(moshi: Path, tmp_path: Path) -> None:
    """A Moshi and our LoRA file make a KAME."""
    settings, source = config(moshi, lora={'rank': 4}), FakeTalk(find(str(moshi)))
    done = train(settings, source, tmp_path, OneProcess())
    both = load_lm(find(str(moshi), lora=str(done.last / 'lora.safetensors')))
    one = load_lm(find(str(done.last)))
    assert isinstance(both, OracleLMModel)
    assert all(
        torch.equal(one.state_dict()[key], both.state_dict()[key]) for key in one.state_dict()
    )


def test_a_disk_that_is_full_at_the_end_costs_no_step(
    kame: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings, source = config(kame, lora={'rank': 4}), FakeTalk(find(str(kame)))
    with monkeypatch.context() as patch:

        def full(*_: object) -> None:
            raise OSError(28, 'No space left on device')

        patch.setattr(result, '_save', full)
        with pytest.raises(OSError, match='No space left'):
            train(settings, source, tmp_path, OneProcess())
    assert 'the best model so far cannot be written' in caplog.text
    assert not (tmp_path / 'checkpoint' / 'config.json').exists()
    source.asked.clear()
    done = train(settings, source, tmp_path, OneProcess())
    assert source.asked == []  # all steps were in the state
    assert load_lm(find(str(done.last)))


def test_what_an_ended_write_left_is_taken_away(kame: Path, tmp_path: Path) -> None:
    """A hard link that was not yet in its place is no way to write into the old file."""
    mine, other = tmp_path / 'mine', tmp_path / 'other'
    mine.write_bytes(b'of another checkpoint')
    other.write_bytes(b'the codec')
    os.link(mine, tmp_path / 'mimi.safetensors.writing')
    result._link(other, tmp_path / 'mimi.safetensors')
    assert (tmp_path / 'mimi.safetensors').read_bytes() == b'the codec'
    assert mine.read_bytes() == b'of another checkpoint'


def test_recomputing_gives_the_same_weights(kame: Path, tmp_path: Path) -> None:
    source = FakeTalk(find(str(kame)))
    found = [
        train(
            config(kame, checkpointing=wanted, steps=3),
            source,
            tmp_path / str(wanted),
            OneProcess(),
        ).last
        for wanted in (False, True)
    ]
    one, two = ((folder / 'model.safetensors').read_bytes() for folder in found)
    assert one == two


def test_from_nothing(kame: Path, tmp_path: Path) -> None:
    small = {
        'dim': 64,
        'num_heads': 2,
        'num_layers': 1,
        'context': 30,
        'depformer_dim': 32,
        'depformer_dim_feedforward': 88,
        'depformer_num_heads': 2,
        'depformer_num_layers': 1,
    }
    settings = config('', model=small, steps=40, evaluate_every=10, learning_rate=0.01)
    done = train(settings, FakeTalk(find(str(kame))), tmp_path, OneProcess())
    losses = held(tmp_path)
    assert losses[-1] < 0.8 * losses[0]
    assert steps_through_the_front_end(done.best) == 6


@pytest.mark.parametrize(
    ('facts', 'reason'),
    [
        ({'codec_file': 'abc'}, 'codec_file: abc and '),
        ({'card': 512}, 'card: 512 and 256'),
        ({'text_card': 32000}, 'text_card: 32000 and'),
        ({'codebooks': 4}, 'dep_q: 4 and 8'),
        ({'tokenizer_sha256': 'abc'}, 'tokenizer .*: abc and '),
        ({'marks': Marks(start=7)}, 'start of an oracle: 7 and'),
    ],
)
def test_data_that_do_not_fit_are_told_apart(
    kame: Path, tmp_path: Path, facts: dict[str, Any], reason: str
) -> None:
    source = FakeTalk(find(str(kame)), **facts)
    with pytest.raises(ConfigError, match=reason):
        train(config(kame), source, tmp_path, OneProcess())


def test_configurations_that_contradict_themselves(kame: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='leave it out'):
        config(kame, model={'dim': 64})
    with pytest.raises(ConfigError, match='needs a checkpoint'):
        config('', lora={'rank': 4})
    with pytest.raises(ConfigError, match='rank must be'):
        config(kame, lora={'rank': 0})
    with pytest.raises(ConfigError, match='some of rank, scaling, embeddings'):
        config(kame, lora={'ranks': 4})
    with pytest.raises(ConfigError, match=r'3\.0e-5'):
        config(kame, learning_rate='3e-5')
    broken, source = config(kame, losses={'middle': 1}), FakeTalk(find(str(kame)))
    with pytest.raises(ConfigError, match=r'losses: .*middle'):
        train(broken, source, tmp_path, OneProcess())
    with pytest.raises(ConfigError, match='card: 256 and 99'):
        train(config('', model={'card': 99}), source, tmp_path, OneProcess())


def test_a_folder_with_another_run_is_left_alone(kame: Path, moshi: Path, tmp_path: Path) -> None:
    source = FakeTalk(find(str(kame)))
    train(config(kame, steps=1), source, tmp_path, OneProcess())
    with pytest.raises(ConfigError, match='another checkpoint'):
        train(config(moshi, steps=1), source, tmp_path, OneProcess())
    with pytest.raises(ConfigError, match='another lora'):
        train(config(kame, steps=1, lora={'rank': 4}), source, tmp_path, OneProcess())
    for harm in ('', '[]', '{"checkpoint'):
        (tmp_path / 'run.json').write_text(harm)
        with pytest.raises(ConfigError, match=r'run\.json is damaged'):
            train(config(kame, steps=1), source, tmp_path, OneProcess())


def test_what_is_published_is_the_default_for_fine_tuning(kame: Path) -> None:
    settings = make({'checkpoint': str(kame)})
    assert (settings.learning_rate, settings.warm_up, settings.decay) == (3e-5, 100, 0.0)
    assert (settings.weight_decay, settings.betas, settings.epsilon) == (0.1, (0.9, 0.95), 1e-5)
    assert settings.rate(99) == settings.rate(settings.steps - 1) == 3e-5


@pytest.mark.parametrize('name', ['finetune', 'lora', 'from-scratch'])
def test_the_configurations_that_come_with_the_package(name: str) -> None:
    settings = read(config_folder() / 'training' / f'{name}.yaml')
    weights_of(settings)
    assert bool(settings.checkpoint) == (name != 'from-scratch')
    assert bool(settings.lora) == (name == 'lora')


def test_the_configuration_of_fsdp_is_one_of_accelerate() -> None:
    pytest.importorskip('accelerate')
    from accelerate.commands.config.config_args import load_config_from_file

    found = load_config_from_file(str(config_folder() / 'training' / 'fsdp.yaml'))
    assert found.fsdp_config['fsdp_version'] == 2
    assert found.fsdp_config['fsdp_transformer_layer_cls_to_wrap'] == 'StreamingTransformerLayer'
