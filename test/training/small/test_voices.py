"""Synthesisers of users: what is said, how fast, how high, and where words begin."""

import random
from dataclasses import replace

import numpy as np
import pytest

from kame_ros.s2s.small.ear import SmallEar
from kame_ros.training.small import flite, voices
from kame_ros.training.small.espeak import EspeakMissingError, EspeakVoice, SpokenUtterance
from kame_ros.training.small.flite import FliteMissingError, FliteVoice
from kame_ros.training.small.voices import HELD_OUT, TRAINING, Talker, WarpedHibari
from kame_ros.wire.frame import FRAME_SAMPLES, SAMPLE_RATE

TEXT = 'What is the capital of France?'


@pytest.fixture(autouse=True)
def libraries():
    """Skips where a synthesiser is not installed."""
    try:
        flite.speak('yes', FliteVoice())
        Talker(EspeakVoice()).say('yes')
    except (FliteMissingError, EspeakMissingError) as error:
        pytest.skip(str(error))


def pitch_hz(sound):
    """The median pitch that the ear hears."""
    ear = SmallEar()
    whole = (sound[: len(sound) // FRAME_SAMPLES * FRAME_SAMPLES] * 20_000).astype(np.int16)
    heard = np.stack([ear.step(frame) for frame in whole.reshape(-1, FRAME_SAMPLES)])
    scaled = heard[:, [81, 83]]
    return 60 * (500 / 60) ** float(np.median(scaled[scaled > 0]))


def test_flite_tells_when_each_word_begins():
    said = flite.speak(TEXT, FliteVoice('slt'))
    assert said.rate == 16_000
    assert len(said.starts) == 6
    assert list(said.starts) == sorted(said.starts)
    assert 0.1 < said.starts[0] < said.starts[-1] < len(said.sound) / said.rate


def test_flite_is_slower_and_higher_as_told():
    one = flite.speak(TEXT, FliteVoice('slt'))
    slow = flite.speak(TEXT, FliteVoice('slt', stretch=1.3))
    assert len(slow.sound) / len(one.sound) == pytest.approx(1.3, abs=0.05)
    low, high = (Talker(FliteVoice('slt', pitch=p)).say(TEXT).sound for p in (0.85, 1.2))
    assert pitch_hz(high) / pitch_hz(low) == pytest.approx(1.2 / 0.85, rel=0.1)


def test_flite_refuses_a_voice_that_it_lacks():
    with pytest.raises(FliteMissingError, match="no voice 'nobody'; it has kal, "):
        flite.speak(TEXT, FliteVoice('nobody'))


@pytest.mark.parametrize('voice', [EspeakVoice('en-us+f1'), FliteVoice('rms'), FliteVoice('kal')])
def test_a_throat_changes_pitch_and_length(voice):
    plain, warped = Talker(voice).say(TEXT), Talker(voice, warp=1.1).say(TEXT)
    assert len(plain.sound) / len(warped.sound) == pytest.approx(1.1, abs=0.02)
    assert pitch_hz(warped.sound) / pitch_hz(plain.sound) == pytest.approx(1.1, rel=0.05)
    assert len(plain.starts) == len(warped.starts) == 6


def test_a_word_that_begins_behind_the_sound_is_none(monkeypatch):
    sound = np.sin(np.arange(16_000) / 20).astype(np.float32)
    spoken = SpokenUtterance(sound, 16_000, (0.0, 0.4, 1.0, 1.2))
    monkeypatch.setattr(voices.espeak, 'speak', lambda text, voice: spoken)
    assert Talker(EspeakVoice('en-us+f1')).say(TEXT).starts == pytest.approx((0, 9600), abs=20)


def test_a_narrow_line_takes_the_high_tones():
    voice = EspeakVoice('en-us+m1')

    def high(line_hz):
        power = np.abs(np.fft.rfft(Talker(voice, line_hz=line_hz).say(TEXT).sound)) ** 2
        return power[len(power) * 4500 // 12_000 :].sum() / power.sum()

    assert high(8_000) < 0.01 * high(0)


def test_speech_has_no_silence_around_it_and_a_peak_of_1():
    for voice in HELD_OUT:
        said = voices.talker(voice, random.Random(1)).say(TEXT)
        assert np.abs(said.sound).max() == pytest.approx(1.0)
        assert np.abs(said.sound[[0, -1]]).min() > voices.QUIET / 2
        assert said.starts[0] == 0 or said.starts[0] < 0.1 * SAMPLE_RATE


def test_all_voices_speak():
    rng = random.Random(1)
    for voice in {replace(voice): None for voice in (*TRAINING, *HELD_OUT)}:
        if not isinstance(voice, WarpedHibari):
            assert len(voices.talker(voice, rng).say(TEXT).sound) > SAMPLE_RATE // 2


def test_the_robots_voice_in_another_throat():
    pytest.importorskip('hibari')
    low, high = (Talker(WarpedHibari(ratio, 1.0)).say(TEXT).sound for ratio in (0.75, 1.1))
    assert pitch_hz(high) / pitch_hz(low) == pytest.approx(1.1 / 0.75, rel=0.15)
    assert len(low) / len(high) < 1.3  # not 1.47: its tempo stays


def test_nothing_to_say_is_told():
    with pytest.raises(ValueError, match='says nothing'):
        Talker(EspeakVoice()).say('')
