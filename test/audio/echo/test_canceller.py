"""The robot does not hear itself, in rooms made of numbers."""

from __future__ import annotations

import ctypes.util
import sys

import numpy as np
import pytest

from kame_ros.audio.echo.delay import EchoDelay
from kame_ros.audio.echo.reference import EchoReference
from kame_ros.wire.frame import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE, Frame

RNG = np.random.default_rng(3)


def speechlike(seconds: float) -> np.ndarray:
    """Noise in syllables, 0.2 of full scale."""
    count = round(seconds / FRAME_S) * FRAME_SAMPLES
    noise = np.convolve(RNG.standard_normal(count), np.ones(8) / 8, 'same')
    syllables = np.clip(np.sin(2 * np.pi * 3.1 * np.arange(count) / SAMPLE_RATE) + 0.3, 0, 1)
    return 0.5 * noise * syllables


def room(sound: np.ndarray, delay: float, gain: float = 0.5) -> np.ndarray:
    tail = round(0.2 * SAMPLE_RATE)
    response = 0.2 * RNG.standard_normal(tail) * np.exp(-6.9 * np.arange(tail) / tail)
    response[0] = 1.0
    response /= np.sqrt((response**2).sum())
    lag = round(delay * SAMPLE_RATE)
    echo = np.convolve(sound, response)[: len(sound)] * gain
    return np.concatenate([np.zeros(lag), echo])[: len(sound)]


def pcm(sound: np.ndarray) -> np.ndarray:
    return np.clip(np.round(sound * 32_767), -32_768, 32_767).astype(np.int16).reshape(-1, 1920)


def removed_db(heard: np.ndarray, clean: np.ndarray, start: float) -> float:
    begin = round(start / FRAME_S)
    before = np.mean(heard[begin:].astype(float) ** 2)
    after = np.mean(clean[begin:].astype(float) ** 2)
    return float(10 * np.log10(before / max(after, 1e-3)))


@pytest.fixture
def canceller():
    pytest.importorskip('pywebrtc_audio', reason='NOT TESTED: pip install pywebrtc-audio')
    from kame_ros.audio.echo.canceller import EchoCanceller

    return EchoCanceller()


@pytest.mark.parametrize(
    ('delay', 'stamp_error', 'least_db'),
    [(0.02, 0.0, 20.0), (0.12, 0.0, 20.0), (0.6, 0.0, 20.0), (0.05, -0.15, 20.0)],
)
def test_an_echo_is_removed_whatever_its_delay(canceller, delay, stamp_error, least_db) -> None:
    far = speechlike(10.0)
    heard, told = pcm(room(far, delay)), pcm(far)
    clean = []
    for k in range(len(told)):
        canceller.played(Frame(k, 10.0 + k * FRAME_S + stamp_error, told[k]))
        clean.append(canceller.process(Frame(k, 10.0 + k * FRAME_S, heard[k])).samples)
    assert removed_db(heard, np.stack(clean), 6.0) >= least_db
    assert canceller.delay_s == pytest.approx(delay - stamp_error, abs=0.01)
    assert canceller.counters()['echo_removed_db'] >= least_db - 8


@pytest.fixture
def speex():
    if ctypes.util.find_library('speexdsp') is None:
        pytest.skip('NOT TESTED: no libspeexdsp1 (requirements/apt-test.txt)')
    from kame_ros.audio.echo.canceller import EchoCanceller, EchoConfig

    return EchoCanceller(EchoConfig(echo_cancellation='speex'))


def run(canceller, heard: np.ndarray, told: np.ndarray, stamp_error: float = 0.0) -> np.ndarray:
    """The frames that come out, [n, 1920]."""
    out = []
    for k in range(len(heard)):
        canceller.played(Frame(k, 10.0 + k * FRAME_S + stamp_error, told[k]))
        frame = canceller.process(Frame(k, 10.0 + k * FRAME_S, heard[k]))
        assert (frame.seq, frame.samples.shape, frame.samples.dtype) == (k, (1920,), np.int16)
        assert frame.t == pytest.approx(10.0 + k * FRAME_S - 0.02)
        out.append(frame.samples)
    return np.stack(out)


@pytest.mark.parametrize(
    ('delay', 'stamp_error'), [(0.02, 0.0), (0.12, 0.0), (0.6, 0.0), (0.05, -0.15)]
)
def test_speex_removes_an_echo_once_it_has_converged(speex, delay, stamp_error) -> None:
    far = speechlike(10.0)
    heard = pcm(room(far, delay))
    clean = run(speex, heard, pcm(far), stamp_error)
    assert removed_db(heard, clean, 7.0) > 10.0
    assert speex.counters()['echo_removed_db'] > 3.0


def likeness(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation of two sounds of the same length."""
    x, y = a.ravel().astype(float), b.ravel().astype(float)
    return float(x @ y / np.sqrt((x @ x) * (y @ y)))


def test_speex_leaves_the_user_in_double_talk(speex) -> None:
    far, user = speechlike(16.0), speechlike(16.0)
    user[: 10 * SAMPLE_RATE] = 0.0
    heard = pcm(room(far, 0.06, gain=1.0) + user)
    clean = run(speex, heard, pcm(far))
    lag = round(0.02 * SAMPLE_RATE)
    part = slice(11 * SAMPLE_RATE, 15 * SAMPLE_RATE)
    late = np.concatenate([np.zeros(lag), user])[part] * 32_767
    before = likeness(heard.ravel()[part.start - lag : part.stop - lag], late)
    after = likeness(clean.ravel()[part], late)
    assert before < 0.8
    assert after > 0.9
    level = 10 * np.log10(np.mean(clean.ravel()[part].astype(float) ** 2) / np.mean(late**2))
    assert abs(level) < 2.0  # dB


def test_speex_leaves_the_user_when_the_robot_is_silent(speex) -> None:
    user = pcm(speechlike(4.0))
    assert abs(removed_db(user, run(speex, user, np.zeros_like(user)), 1.0)) < 1.0


def test_a_frame_of_another_size_is_refused(speex) -> None:
    with pytest.raises(ValueError, match='1920'):
        speex.process(Frame(0, 0.0, np.zeros(1_000, np.int16)))


def test_what_waits_for_the_microphone_is_bounded_and_counted(speex) -> None:
    for seq in range(60):
        speex.played(Frame(seq, FRAME_S * seq))
    counters = speex.counters()
    assert counters['echo_reference_frames'] == 60
    assert counters['echo_reference_dropped'] == 10


def test_the_missing_library_of_speex_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from kame_ros.audio.echo.canceller import EchoCanceller, EchoConfig

    monkeypatch.setattr(ctypes.util, 'find_library', lambda name: None)
    with pytest.raises(ImportError, match='libspeexdsp1'):
        EchoCanceller(EchoConfig(echo_cancellation='speex'))
    with pytest.raises(ValueError, match='auto, webrtc, speex, off'):
        EchoConfig(echo_cancellation='magic')


def test_the_user_is_left_when_the_robot_is_silent(canceller) -> None:
    user = pcm(speechlike(4.0))
    clean = np.stack(
        [canceller.process(Frame(k, k * FRAME_S, s)).samples for k, s in enumerate(user)]
    )
    assert abs(removed_db(user, clean, 1.0)) < 3.0


def test_a_reference_on_another_clock_is_read_without_seams() -> None:
    reference, ppm = EchoReference(), 200e-6
    wave = 8_000 * np.sin(2 * np.pi * 440 * np.arange(1_000 * FRAME_SAMPLES) / SAMPLE_RATE)
    sound = np.round(wave).astype(np.int16).reshape(-1, FRAME_SAMPLES)
    out = []
    for k in range(1_000):
        reference.add(Frame(k, k * FRAME_S / (1 + ppm), sound[k]))
        if k >= 2:
            out.append(reference.read((k - 2) * FRAME_S / (1 + ppm) * (1 + ppm)))
    read = np.concatenate(out)[2_000:]
    assert reference.jumps == 0
    assert np.abs(np.diff(read, 2)).max() < 1.1 * 8_000 * (2 * np.pi * 440 / SAMPLE_RATE) ** 2


def test_a_hole_in_what_was_played_is_silence_and_what_is_unknown_is_counted() -> None:
    reference = EchoReference()
    assert not reference.read(5.0).any()
    ones = np.full(FRAME_SAMPLES, 1_000, np.int16)
    reference.add(Frame(0, 5.0, ones))
    reference.add(Frame(1, 5.0 + 3 * FRAME_S, ones))
    assert reference.rough(5.0).all()
    assert not reference.rough(5.0 + FRAME_S + 0.001)[:-100].any()
    assert reference.rough(5.0 + 3 * FRAME_S).all()
    reference.read(5.0 + 4 * FRAME_S)
    assert reference.missing > 1_800


@pytest.mark.parametrize('delay', [-0.2, 0.0, 0.037, 0.8])
def test_the_delay_is_found(delay: float) -> None:
    found, far = EchoDelay(), speechlike(8.0)
    near = np.roll(far, round(delay * SAMPLE_RATE)) * 0.3 + 0.01 * RNG.standard_normal(len(far))
    for a, b in zip(pcm(near), pcm(far), strict=True):
        found.push(a, b)
    assert found.seconds == pytest.approx(delay, abs=0.002)


def test_no_delay_is_found_where_there_is_no_echo() -> None:
    found = EchoDelay()
    for near, far in zip(pcm(speechlike(8.0)), pcm(speechlike(8.0)), strict=True):
        found.push(near, far)
    assert found.seconds is None


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'pywebrtc_audio', None)
    from kame_ros.audio.echo.canceller import EchoCanceller, EchoConfig

    with pytest.raises(ImportError, match='pip install pywebrtc-audio'):
        EchoCanceller()
    with pytest.raises(ValueError, match='noise_suppression'):
        EchoConfig(noise_suppression=5)
