"""What `kame ask` writes at its end: one file that cannot be written keeps no other from it."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from kame_ros.audio.wav import read_wav
from kame_ros.commands.ask import _written

SESSION = SimpleNamespace(answer=lambda: np.full(24_000, 9, np.int16))
FULL = Path('/dev/full')


def test_both_are_written(tmp_path):
    args = SimpleNamespace(output=tmp_path / 'a.wav', json=tmp_path / 'a.json')
    assert not _written(args, SESSION, {'turns': []})
    assert len(read_wav(args.output).samples) == 24_000
    assert json.loads(args.json.read_text()) == {'turns': []}


@pytest.mark.skipif(not FULL.exists(), reason='this system has no /dev/full')
def test_a_full_disk_is_named_and_the_record_written_all_the_same(tmp_path, capsys):
    args = SimpleNamespace(output=FULL, json=tmp_path / 'a.json')
    assert _written(args, SESSION, {'turns': []})
    assert '/dev/full cannot be written (No space left on device)' in capsys.readouterr().err
    assert args.json.exists()
    args = SimpleNamespace(output=tmp_path / 'a.wav', json=FULL)
    assert _written(args, SESSION, {'turns': []})
    assert '/dev/full cannot be written (No space left on device)' in capsys.readouterr().err
    assert len(read_wav(args.output).samples) == 24_000


def test_nothing_asked_for_is_nothing_written():
    assert not _written(SimpleNamespace(output=None, json=None), SESSION, {})
