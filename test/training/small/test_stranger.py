"""Who listens to kame-small, with a recogniser that only counts."""

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip('hibari')
pytest.importorskip('soxr')
from kame_ros.training.small.stranger import WhisperHearer


@pytest.fixture
def heard(monkeypatch):
    """The windows and seconds that were heard."""
    sounds = []

    class Whisper:
        def __init__(self, model, language, window):
            self.max_sound_s, self._window = window - 2.0, window

        def recognise(self, sound, final):
            sounds.append((self._window, len(sound) / 16_000))
            return SimpleNamespace(text='It is 7.')

    monkeypatch.setattr('kame_ros.stt.engines.whisper.WhisperRecogniser', Whisper)
    return sounds


def test_silence_around_is_cut_and_the_window_fits(heard):
    hearer = WhisperHearer('whisper-base')
    sound = np.zeros(24_000 * 60, np.float32)
    assert hearer(sound) == []
    assert hearer(sound[:0]) == []
    for seconds in (2, 20, 40):
        sound[24_000 : 24_000 * (1 + seconds)] = 0.1
        assert hearer(sound) == ['it', 'is', '7']
    assert [window for window, _ in heard] == [15.0, 30.0, 30.0]
    assert [length for _, length in heard] == pytest.approx([2.6, 20.6, 28.0], abs=0.01)
