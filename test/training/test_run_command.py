"""`kame train run`, as a user runs it, on prepared dialogues."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip('torch')
pytest.importorskip('moshi')
pytest.importorskip('soundfile')

from kame_ros.cli import main  # noqa: E402
from kame_ros.s2s.moshi.weights import random_checkpoint  # noqa: E402
from kame_ros.wire.oracle import Oracle  # noqa: E402

FULL = """\
losses: {first: 2.0, quiet: 0.2}
steps: 16
batch: 2
frames: 40
learning_rate: 0.0005
warm_up: 2
evaluate_every: 8
evaluate_batches: 2
save_every: 8
"""
LORA = FULL + 'lora: {rank: 8, embeddings: true}\n'
SCRATCH = """\
model: {dim: 32, num_heads: 2, num_layers: 1, context: 30, depformer_dim: 16, \
depformer_dim_feedforward: 66, depformer_num_heads: 2, depformer_num_layers: 1}
steps: 4
batch: 4
frames: 20
learning_rate: 0.01
warm_up: 0
precision: float32
save_every: 2
evaluate_every: 2
evaluate_batches: 1
"""


@pytest.fixture
def data(kame: Path, talks: Any, tmp_path: Path) -> Path:
    for name in 'abcd':
        talks.add(name)
    oracles, folder = tmp_path / 'oracles', tmp_path / 'data'
    assert main(['train', 'oracles', str(talks.text), '-o', str(oracles), '--random']) == 0
    given = ['train', 'prepare', str(talks.audio), str(talks.text), '--oracles', str(oracles)]
    more = ['-o', str(folder), '--checkpoint', str(kame), '--held-out', '0.3', '--workers', '1']
    assert main([*given, *more]) == 0
    return folder


def config(tmp_path: Path, text: str) -> str:
    path = tmp_path / 'run.yaml'
    path.write_text(text)
    return str(path)


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return ' '.join(capsys.readouterr().err.split())


def rows(folder: Path) -> list[dict[str, float]]:
    found = [json.loads(line) for line in (folder / 'log.jsonl').read_text().splitlines()]
    return [row for row in found if 'held_loss' in row]


@pytest.mark.parametrize('text', [FULL, LORA], ids=['full', 'lora'])
def test_a_kame_learns_dialogues_and_speaks(
    kame: Path, data: Path, tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from kame_ros.s2s.moshi.build import build
    from kame_ros.s2s.moshi.config import MoshiConfig

    out, settings = tmp_path / 'run', config(tmp_path, text)
    given = ['train', 'run', str(data), '-o', str(out), '--config', settings]
    given += ['--checkpoint', str(kame)]
    assert main([*given, '--steps', '1']) == 0
    assert main(given) == 0
    held = [row['held_loss'] for row in rows(out)]
    assert held[-1] < 0.9 * held[0]  # the first is after one step, at half of the learning rate
    assert [row['step'] for row in rows(out)] == [1, 8, 16]
    assert 'of held-out loss' in said(capsys)
    front_end = build(MoshiConfig(weights=str(out / 'best'), device='cpu', seed=0))
    front_end.warm_up()
    noise = np.random.default_rng(0).normal(0, 0.1, (6, 1920)).astype(np.float32)
    spoken = [
        front_end.step(frame, Oracle('test', 1, 'the capital', ended=True)) for frame in noise
    ]
    assert all(np.isfinite(step.speech).all() for step in spoken)
    assert front_end.counters()['oracle_fed'] > 0


def test_a_dry_run_tries_what_fits(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ['train', 'run', str(data), '-o', str(tmp_path / 'run')]
    assert main([*given, '--config', config(tmp_path, SCRATCH), '--dry-run']) == 0
    told = said(capsys)
    assert 'measured:' in told
    assert 's a step' in told
    assert '4 steps:' in told
    assert not (tmp_path / 'run').exists()


def test_what_cannot_be_is_one_sentence(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ['train', 'run', str(data), '-o', str(tmp_path / 'run'), '--config']
    other = random_checkpoint.write(tmp_path / 'other', seed=1)
    for more, reason in (
        (['stepz: 3'], "nothing is called 'stepz'"),
        ([FULL, '--checkpoint', str(tmp_path / 'none')], 'there is no folder'),
        ([FULL, '--checkpoint', str(other)], 'codec_file: '),
        ([SCRATCH, '--device', 'cuda:7'], 'torch sees'),
        ([SCRATCH, '--processes', '0'], 'at least 1'),
        (['- a'], 'should hold a mapping'),
    ):
        assert main([*given, config(tmp_path, more[0]), *more[1:]]) == 1
        assert reason in said(capsys)
    given[2] = str(tmp_path)
    assert main([*given, config(tmp_path, SCRATCH)]) == 1


def test_without_accelerate_one_process_works_and_more_say_what_is_missing(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    monkeypatch.setitem(sys.modules, 'accelerate', None)
    monkeypatch.setattr('kame_ros.commands.train_run.find_spec', lambda name: None)
    given = ['train', 'run', str(data), '-o', str(tmp_path / 'run')]
    given += ['--config', config(tmp_path, SCRATCH)]
    assert main(given) == 0
    assert main([*given, '--processes', '2']) == 1
    assert 'pip install accelerate' in said(capsys)
    monkeypatch.setenv('WORLD_SIZE', '2')
    assert main(given) == 1
    assert 'pip install accelerate' in said(capsys)


@pytest.mark.long
def test_two_processes_train_and_one_goes_on(data: Path, tmp_path: Path) -> None:
    """The real command on two processes (gloo) for two steps, and alone for two more."""
    pytest.importorskip('accelerate')
    out, settings = tmp_path / 'run', config(tmp_path, SCRATCH.replace('batch: 4', 'batch: 2'))
    given = ['train', 'run', str(data), '-o', str(out), '--config', settings]
    more = ['--steps', '2', '--processes', '2']
    done = subprocess.run(
        [sys.executable, '-m', 'kame_ros.cli', *given, *more],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert main(given) == 0
    assert [row['step'] for row in rows(out)] == [2, 4]
    assert (out / 'checkpoint' / 'config.json').exists()
