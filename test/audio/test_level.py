"""How loud sound is, and that thresholds stand in one place."""

import re
from pathlib import Path

import numpy as np
import pytest

from kame_ros.audio import level
from kame_ros.audio.playout.buffer import is_silent
from kame_ros.wire.frame import Frame

ROOM = Path(level.__file__).parents[1]


@pytest.mark.parametrize(
    ('samples', 'dbfs'),
    [
        (np.zeros(0, np.int16), -90.0),
        (np.zeros(512, np.float32), -90.0),
        (np.full(512, 1, np.int16), -90.0),
        (np.full(512, 32_767, np.int16), 0.0),
        (np.full(512, -3_277, np.int16), -20.0),
        (np.full(512, 0.001, np.float32), -60.0),
        (np.sin(np.arange(24_000) / 10).astype(np.float32), -3.01),
    ],
)
def test_the_level_of_sound(samples, dbfs):
    assert level.rms_dbfs(samples) == pytest.approx(dbfs, abs=0.01)


@pytest.mark.parametrize('dbfs', [0.0, -20.0, -45.0, -60.0, -80.0])
def test_a_level_and_its_amplitude_are_the_same(dbfs):
    assert level.pcm(dbfs) == pytest.approx(32_768 * level.amplitude(dbfs))
    there_and_back = level.rms_dbfs(np.full(99, level.amplitude(dbfs)))
    assert there_and_back == pytest.approx(dbfs, abs=1e-6)


def test_all_levels_have_a_name_that_says_how_they_are_measured():
    names = [name for name in vars(level) if name.endswith('_DBFS') and name != 'SILENCE_DBFS']
    assert len(names) == 8
    for name in names:
        assert name.endswith(('_RMS_DBFS', '_PEAK_DBFS'))
        assert level.SILENCE_DBFS < getattr(level, name) < 0.0


@pytest.mark.parametrize(('peak', 'silent'), [(0, True), (64, True), (65, False), (-65, False)])
def test_what_is_silent_to_the_loudspeaker(peak, silent):
    samples = np.zeros(1920, np.int16)
    samples[700] = peak
    assert is_silent(Frame(0, 0.0, samples)) is silent


def test_no_other_module_makes_a_threshold_of_its_own():
    """Training has levels of its own, of the data that it makes and reads."""
    found = [
        f'{path.relative_to(ROOM)}: {line.strip()}'
        for path in sorted(ROOM.rglob('*.py'))
        if path.name != 'level.py' and 'training' not in path.parts
        for line in path.read_text().splitlines()
        if re.search(r'10(\.0)? ?\*\* ?\(-|# of 32768|of full scale \(', line)
    ]
    assert found == []
