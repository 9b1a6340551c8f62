from __future__ import annotations

import numpy as np
import pytest

from kame_ros.s2s.small.speaker import UnitVoice
from kame_ros.s2s.small.unit_decoder import HOP, LOWEST_HZ, Pulses, UnitDecoder, hertz
from kame_ros.s2s.small.units import Codebooks
from kame_ros.wire.frame import FRAME_SAMPLES, SAMPLE_RATE

BOOKS = Codebooks.load()
TEXT = 'How many people live in the city of Rome?'


@pytest.fixture(scope='module')
def decoder() -> UnitDecoder:
    return UnitDecoder()


@pytest.fixture(scope='module')
def codes() -> np.ndarray:
    (said,) = UnitVoice().say(TEXT)
    return np.concatenate([said.codes, np.tile(BOOKS.silence, (12, 1))])


def spoken(decoder: UnitDecoder, codes: np.ndarray) -> np.ndarray:
    decoder.reset()
    return np.concatenate([decoder.step(frame) for frame in codes])


def test_pulses_go_on_from_frame_to_frame():
    pitch = np.linspace(100, 300, 12)
    whole = Pulses().go_on(pitch)
    halves = Pulses()
    assert np.allclose(np.concatenate([halves.go_on(pitch[:6]), halves.go_on(pitch[6:])]), whole)


def test_pulses_have_the_pitch_that_is_asked_for():
    pulses = Pulses()
    pulses.go_on(np.full(6, 200.0))
    sound = pulses.go_on(np.full(75, 200.0))
    spectrum = np.abs(np.fft.rfft(sound)) / len(sound) * 2
    peaks = np.flatnonzero(spectrum > 0.5) * SAMPLE_RATE / len(sound)
    assert peaks.tolist() == [200.0 * h for h in range(1, 56)]  # up to 11 kHz
    assert np.abs(spectrum[spectrum > 0.5] - 1).max() < 0.01


def test_there_are_no_pulses_without_a_voice():
    assert not Pulses().go_on(np.full(6, LOWEST_HZ - 1)).any()
    assert hertz(np.zeros(6)).max() == 0


@pytest.mark.models
def test_silence_is_silent(decoder):
    assert not spoken(decoder, np.tile(BOOKS.silence, (12, 1))).any()


@pytest.mark.models
def test_a_frame_sounds_one_frame_later_and_silence_follows(decoder, codes):
    sound = np.abs(spoken(decoder, codes).reshape(-1, FRAME_SAMPLES).astype(int)).max(axis=1)
    assert sound[0] < 300  # about the silence before
    assert sound[1:4].max() > 1000
    assert sound[-3:].max() == 0


@pytest.mark.models
def test_the_level_is_that_of_the_voice_itself(decoder, codes):
    from hibari import Hibari

    whole = Hibari(threads=1)(TEXT, seed=0)
    ours = spoken(decoder, codes) / 32768
    levels = [20 * np.log10(np.sqrt(np.mean(x[np.abs(x) > 0.003] ** 2))) for x in (whole, ours)]
    assert abs(levels[0] - levels[1]) < 1.5  # dB


@pytest.mark.models
def test_there_are_no_clicks_where_frames_meet(decoder, codes):
    sound = spoken(decoder, codes).astype(float)
    edges = np.abs(np.diff(sound, 3))  # a click is a jump: all frequencies at once
    near = np.zeros(len(edges), bool)
    for seam in range(FRAME_SAMPLES, len(sound), FRAME_SAMPLES):
        near[seam - 3 : seam] = True
    assert np.sqrt(np.mean(edges[near] ** 2)) < 1.5 * np.sqrt(np.mean(edges[~near] ** 2))


@pytest.mark.models
def test_the_same_codes_sound_the_same_after_a_reset(decoder, codes):
    assert (spoken(decoder, codes) == spoken(decoder, codes)).all()


@pytest.mark.models
def test_what_is_no_code_is_refused_and_forgotten(decoder, codes):
    before = spoken(decoder, codes[:5])
    decoder.reset()
    for frame in codes[:4]:
        decoder.step(frame)
    for wrong in (np.full(8, 512), np.zeros(7, int)):
        with pytest.raises(ValueError, match='from 0 to 511'):
            decoder.step(wrong)
    assert (decoder.step(codes[4]) == before[-FRAME_SAMPLES:]).all()


def test_a_hop_fits_a_frame():
    assert FRAME_SAMPLES % HOP == 0
