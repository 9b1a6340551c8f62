"""Several processes are one with a larger batch: DDP and FSDP through accelerate, on two CPUs."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip('torch')
pytest.importorskip('moshi')
pytest.importorskip('accelerate')

import stacked_examples  # noqa: E402

from kame_ros.training.run.engine import OneProcess  # noqa: E402

WORKER = Path(__file__).with_name('run_worker.py')
FSDP = {
    'ACCELERATE_USE_FSDP': 'true',
    'FSDP_VERSION': '2',
    'FSDP_AUTO_WRAP_POLICY': 'TRANSFORMER_BASED_WRAP',
    'FSDP_TRANSFORMER_CLS_TO_WRAP': 'StreamingTransformerLayer',
}


@pytest.fixture(scope='module')
def worker() -> Any:
    spec = importlib.util.spec_from_file_location('run_worker', WORKER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def two(folder: Path, kind: str, steps: int, accumulate: int = 1) -> dict[str, Any]:
    launcher = [sys.executable, '-m', 'torch.distributed.run', '--standalone']
    fakes = str(Path(stacked_examples.__file__).parent)
    env = {**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': fakes}
    env.update(FSDP if kind == 'fsdp' else {})
    given = [str(WORKER), str(folder), kind, str(steps), str(accumulate)]
    done = subprocess.run(
        [*launcher, '--nproc_per_node', '2', *given],
        capture_output=True,
        text=True,
        timeout=120,
        env=env,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return torch.load(folder / 'weights.pt')


def curve(folder: Path) -> list[dict[str, float]]:
    rows = [json.loads(line) for line in (folder / 'log.jsonl').read_text().splitlines()]
    return [{k: v for k, v in row.items() if k != 'frames_per_s'} for row in rows]


def check_curves(one: Path, other: Path, length: int) -> None:
    wanted, found = curve(one), curve(other)
    assert len(wanted) == len(found) == length
    for before, after in zip(wanted, found, strict=True):
        assert after == pytest.approx(before, rel=1e-4)


def check_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one.keys() == other.keys()
    for key, value in one.items():
        assert torch.allclose(value, other[key], atol=1e-3), key


@pytest.mark.long
@pytest.mark.models
@pytest.mark.parametrize(('kind', 'accumulate'), [('ddp', 2), ('fsdp', 1)])
def test_two_processes_are_one_with_twice_the_batch(
    worker: Any, tmp_path: Path, kind: str, accumulate: int
) -> None:
    """The same curve and weights to float rounding, and one goes on where two have ended."""
    alone = worker.train(tmp_path / 'alone', OneProcess(), 8)
    found = two(tmp_path / 'two', kind, 8, accumulate)
    check_curves(tmp_path / 'alone', tmp_path / 'two', 2)
    check_same(alone, found)
    for folder in ('alone', 'two'):
        worker.train(tmp_path / folder, OneProcess(), 12)
    check_curves(tmp_path / 'alone', tmp_path / 'two', 4)
