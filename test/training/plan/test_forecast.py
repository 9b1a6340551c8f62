"""What a run will need, without its weights."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip('torch')
pytest.importorskip('moshi')

from kame_ros.s2s.moshi.model import OracleLMModel  # noqa: E402
from kame_ros.s2s.moshi.weights.checkpoint import find  # noqa: E402
from kame_ros.s2s.moshi.weights.errors import NotHere  # noqa: E402
from kame_ros.s2s.moshi.weights.upstream import loaders  # noqa: E402
from kame_ros.training.config import RunConfig, make  # noqa: E402
from kame_ros.training.data.layout import Marks  # noqa: E402
from kame_ros.training.data.shards import DataInfo  # noqa: E402
from kame_ros.training.plan import dry_run  # noqa: E402
from kame_ros.training.plan import forecast as forecasts  # noqa: E402
from kame_ros.training.plan.dry_run import plan_from  # noqa: E402
from kame_ros.training.plan.forecast import forecast  # noqa: E402

SMALL = {
    **loaders._lm_kwargs,
    'dim': 64,
    'card': 32,
    'text_card': 40,
    'num_heads': 4,
    'num_layers': 3,
    'context': 30,
    'depformer_dim': 32,
    'depformer_dim_feedforward': 88,
    'depformer_num_heads': 2,
    'depformer_num_layers': 2,
}


def config(**changes: Any) -> RunConfig:
    return make({'checkpoint': 'some/where', 'batch': 2, 'frames': 50, **changes})


def test_shapes_without_values_need_what_tensors_need() -> None:
    found = forecast(config(), SMALL)
    model = OracleLMModel(device='cpu', dtype=torch.float32, **SMALL)
    live = forecasts._Live(model)
    with live:
        forecasts._part(model, config())
    count = sum(weight.numel() for weight in model.parameters())
    gradients = sum(weight.grad.nbytes for weight in model.parameters() if weight.grad is not None)
    assert (found.parameters, found.trained) == (count, count)
    assert found.weights == found.gradients == pytest.approx(4e-9 * count)
    assert found.optimiser == pytest.approx(8e-9 * count)
    assert found.activations == pytest.approx((live.most - gradients) / 1e9, rel=0.05)


@pytest.mark.long
def test_what_costs_more_and_what_less() -> None:
    plain = forecast(config(), SMALL)
    deep = {**SMALL, 'num_layers': 12, 'depformer_num_layers': 6}
    many = {'batch': 32}  # of which the activations are more than the weights
    kept, again = (forecast(config(checkpointing=c, **many), deep) for c in (False, True))
    assert again.activations < 0.8 * kept.activations  # by how much depends on when garbage goes
    assert 1.1 < again.tera_ops / kept.tera_ops < 1.5
    larger = forecast(config(batch=4), SMALL)
    assert larger.activations == pytest.approx(2 * plain.activations, rel=0.15)
    assert larger.tera_ops == pytest.approx(2 * plain.tera_ops, rel=0.01)
    lora = forecast(config(lora={'rank': 2}), SMALL)
    assert lora.trained < 0.3 * plain.trained
    assert lora.weights < 0.7 * plain.weights
    assert lora.gradients == pytest.approx(4e-9 * lora.trained)
    assert plain.sharded(4) == pytest.approx(plain.activations + 4e-9 * 4 * plain.parameters / 4)


class FakeTalk:
    """Data that fit a folder, of which no batch is ever asked for."""

    def __init__(self, folder: Path) -> None:
        tokenizer = (folder / 'tokenizer.model').read_bytes()
        facts: dict[str, Any] = {each.name: 0 for each in fields(DataInfo)} | {
            'codebooks': 8,
            'card': 2048,
            'text_card': 32000,
            'marks': Marks(start=32000),
            'tokenizer': tokenizer,
            'tokenizer_sha256': hashlib.sha256(tokenizer).hexdigest(),
            'dialogues': 95,
            'held_out': 5,
            'hours': 100.0,
        }
        self.info = DataInfo(**facts)

    def batch(self, step: int) -> Any:
        raise AssertionError('a step was tried')

    held_out = batch


@pytest.mark.models
def test_seven_billion_weights_are_judged_without_one_of_them(tmp_path: Path) -> None:
    (tmp_path / 'config.json').write_text(
        json.dumps({**loaders._lm_kwargs, 'tokenizer_name': 'tokenizer.model'})
    )
    (tmp_path / 'tokenizer.model').write_bytes(b'a tokeniser')
    settings = make({'checkpoint': str(tmp_path), 'steps': 2000, 'accumulate': 2})
    found = plan_from(settings, FakeTalk(tmp_path))
    assert found.needs.parameters == 7_818_805_248
    assert 125 < found.needs.total < 160
    assert not found.measured
    told = '\n'.join(found.lines())
    if found.free_gb < 120:
        assert 'this does not fit' in told
        assert 'checkpointing: true' in told
        assert 'lora' in told
        assert 'FSDP' in told
    assert found.heard_hours == pytest.approx(2000 * 2 * 512 / 12.5 / 3600)
    assert '95.0 h of dialogues to train on' in told


def test_of_a_repository_only_what_describes_the_model_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, 'HF_HUB_CACHE', str(tmp_path))
    snapshot = tmp_path / 'models--SakanaAI--kame' / 'snapshots' / 'abc'
    snapshot.mkdir(parents=True)
    (tmp_path / 'models--SakanaAI--kame' / 'refs').mkdir()
    (tmp_path / 'models--SakanaAI--kame' / 'refs' / 'main').write_text('abc')
    (snapshot / 'config.json').write_text(json.dumps({**SMALL, 'lora_name': 'x'}))
    with pytest.raises(NotHere, match=r'tokenizer_spm_32k_3.model is missing: get them with "kame'):
        find('SakanaAI/kame', weights=False)
    (snapshot / 'tokenizer_spm_32k_3.model').write_bytes(b'')
    found = find('SakanaAI/kame', weights=False)
    assert found.lm_files == ()
    assert found.mimi_file is None


def test_the_memory_of_the_gpu_that_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(torch.cuda, 'synchronize', lambda device=None: asked.append(device))
    monkeypatch.setattr(torch.cuda, 'max_memory_allocated', {'cuda:1': 3e9}.__getitem__)

    class Steps:
        steps = 0

        def one_step(self) -> None:
            self.steps += 1

    trainer: Any = Steps()
    assert dry_run.tried(trainer, 'cuda:1')[1] == 3.0
    assert trainer.steps == 1 + dry_run.TRIED_STEPS
    forecasts._now('cuda:1')
    assert set(asked) == {'cuda:1'}


def test_memory_and_speed_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 0.05 < forecasts.free_gb('cpu') < 100_000
    assert forecasts.speed('cpu', 'float32', size=64) > 0

    def fake(path: str) -> io.StringIO:
        return io.StringIO('MemTotal:  9 kB\nMemAvailable:   2000000 kB\n')

    monkeypatch.setattr('builtins.open', fake)
    assert forecasts.free_gb('cpu') == pytest.approx(2.048)
