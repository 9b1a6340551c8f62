"""Recordings as frames: any rate, and no more memory for an hour than for a second."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from kame_ros.training.data import recording


def test_a_long_recording_needs_no_more_memory(tmp_path: Path) -> None:
    path = tmp_path / 'long.wav'
    with soundfile.SoundFile(path, 'w', 48_000, 2) as file:
        for _ in range(180):
            file.write(np.zeros((48_000, 2), np.int16))  # 3 min: 69 MB of float32
    tracemalloc.start()
    frames = sum(window.shape[1] for window in recording.frames(path)) // 1920
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert frames == 180 * 12.5
    assert peak < 16e6


@pytest.mark.parametrize('rate', [8_000, 24_000, 44_100])
def test_any_rate_keeps_its_time(talks: Any, rate: int) -> None:
    rows = talks.add('one', rate=rate)
    sound = np.concatenate(list(recording.frames(talks.audio / 'one.flac')), axis=1)
    loud = np.abs(sound).max(axis=0) > 0.02
    for one, two in pairwise([row for row in rows if row['speaker'] == 'B'][:5]):
        middle = int((one['start'] + one['end']) / 2 * 24_000)
        gap = int((one['end'] + two['start']) / 2 * 24_000)
        assert loud[middle - 240 : middle + 240].any()
        assert not loud[gap - 60 : gap + 60].any()
