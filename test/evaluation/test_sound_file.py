from pathlib import Path

import numpy as np
import pytest

from kame_ros.evaluation.sound_file import write_wav

FULL = Path('/dev/full')


def test_what_is_written_is_read_again(tmp_path):
    soundfile = pytest.importorskip('soundfile')
    sound = np.arange(100, dtype=np.int16)
    write_wav(tmp_path / 'a.wav', sound, 16_000)
    again, rate = soundfile.read(tmp_path / 'a.wav', dtype='int16')
    assert rate == 16_000
    assert np.array_equal(again, sound)


@pytest.mark.skipif(not FULL.exists(), reason='this system has no /dev/full')
def test_a_full_disk_is_an_error_of_the_system():
    pytest.importorskip('soundfile')
    with pytest.raises(OSError, match='No space left'):
        write_wav(FULL, np.zeros(100, np.int16), 16_000)
