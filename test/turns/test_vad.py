import numpy as np
import pytest

from kame_ros.runtime import weights
from kame_ros.turns.vad import WINDOW, SileroVad

pytestmark = [
    pytest.mark.models,
    pytest.mark.skipif(
        not weights.KNOWN['silero-vad'].present, reason=weights.KNOWN['silero-vad'].install
    ),
]


def speech_like(seconds=2.0):
    """A buzzing vowel with the rhythm of syllables: enough for Silero to hear a voice."""
    t = np.arange(int(16_000 * seconds)) / 16_000
    rng = np.random.default_rng(1)
    source = np.sign(np.sin(2 * np.pi * (120 + 10 * np.sin(2 * np.pi * 3 * t)) * t))
    out = np.zeros_like(t)
    for f, bw in ((700, 90), (1200, 110), (2600, 160)):
        r = np.exp(-np.pi * bw / 16_000)
        a1, a2 = 2 * r * np.cos(2 * np.pi * f / 16_000), -r * r
        y = np.zeros_like(t)
        for n in range(2, len(t)):
            y[n] = source[n] + a1 * y[n - 1] + a2 * y[n - 2]
        out += y / np.abs(y).max()
    out *= 0.5 + 0.5 * np.sin(2 * np.pi * 4 * t)
    return (0.2 * out + 0.001 * rng.standard_normal(len(t))).astype(np.float32)


def test_any_chunking_gives_the_same_probabilities():
    sound = speech_like()
    whole = SileroVad().push(sound)
    assert len(whole) == len(sound) // WINDOW
    vad = SileroVad()
    pieces = [p for chunk in np.array_split(sound, 37) for p in vad.push(chunk)]
    assert pieces == pytest.approx(whole, abs=1e-4)


def test_noise_and_silence_are_no_speech_and_a_voice_is():
    vad = SileroVad()
    rng = np.random.default_rng(0)
    assert max(vad.push(np.zeros(32_000, np.float32))) < 0.3
    assert np.mean(vad.push((0.05 * rng.standard_normal(80_000)).astype(np.float32))) < 0.3
    vad.reset()
    assert max(vad.push(speech_like())) > 0.5


def test_reset_forgets():
    vad = SileroVad()
    first = vad.push(speech_like())
    vad.push(np.ones(100, np.float32))
    vad.reset()
    assert vad.push(speech_like()) == pytest.approx(first, abs=1e-6)


def test_all_of_a_process_share_the_model_and_no_state():
    one, other = SileroVad(), SileroVad()
    assert one._session is other._session
    alone = one.push(speech_like())
    one.reset()
    both = []
    for chunk in np.array_split(speech_like(), 20):
        both += one.push(chunk)
        other.push(np.zeros(1280, np.float32))
    assert both == pytest.approx(alone, abs=1e-4)
