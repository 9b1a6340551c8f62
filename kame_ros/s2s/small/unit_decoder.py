"""Codes to sound: one frame of codes in, one frame of 80 ms at 24 kHz out, 80 ms later.

The decoder half of the voice runs over the last six frames at each step, about 2 ms of a core. Its
spectra shape a train of pulses, whose phase goes on from frame to frame, and noise; the frames
overlap and are added, and what lies beyond a frame is kept for the next, so there are no seams.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kame_ros.audio.wav import to_int16
from kame_ros.s2s.small.split_voice import FEATURES, SPECTRA, split_voice
from kame_ros.s2s.small.units import DECODER_FRAMES, PITCH, Codebooks
from kame_ros.wire.frame import FRAME_SAMPLES, SAMPLE_RATE

HOP = FRAME_SAMPLES // DECODER_FRAMES  # samples between decoder frames
WINDOW = 1200  # samples that a spectrum covers, a Hann window around its time
PAST = 4  # frames that the decoder sees again; with more of them it is understood no better
SEEN = PAST + 2  # frames that it sees: also the one that is made and the newest
REACH = 2  # decoder frames of the newest frame that sound in the one before: WINDOW / 2 / HOP
NEWEST = 2 * DECODER_FRAMES  # decoder frames of the frame that is made and of the newest
LOWEST_HZ = 40.0  # a pitch below this is no voice
HIGHEST_HZ = 11000.0  # of a harmonic
LOUDEST = 7.0  # of the logarithm of a spectrum: beyond it is a mistake
HANN = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)
SOURCE = HANN * np.float32(4 / WINDOW)  # a cosine of amplitude 1 gives a peak of 1
SEED = 0  # of the noise: the same codes sound the same


class UnitDecoder:
    """The voice of kame-small; owned by one thread."""

    def __init__(self, books: Codebooks | None = None) -> None:
        """Loads in some tenths of a second. Raises MissingWeights or CorruptWeights."""
        self._books = books or Codebooks.load()
        self._network = _session(split_voice().decoder)
        self._gain = 1 / _overlap()
        self.reset()

    def reset(self) -> None:
        """Forgets all: silence was said before."""
        self._features = self._books.decode(np.tile(self._books.silence, (SEEN, 1)))
        self._silent_frames = SEEN
        self._pulses = Pulses()
        self._noise = np.random.Generator(np.random.Philox(SEED))
        self._source = np.zeros(2 * FRAME_SAMPLES, np.float32)
        self._tail = np.zeros(WINDOW, np.float32)

    def step(self, codes: np.ndarray) -> np.ndarray:
        """int[8] to int16[1920], the sound of the codes before. Raises ValueError as `decode`."""
        newest = self._books.decode(np.reshape(codes, (1, -1)))
        self._features = np.concatenate((self._features[:, DECODER_FRAMES:], newest), axis=1)
        silent = (codes == self._books.silence).all()
        self._silent_frames = self._silent_frames + 1 if silent else 0
        if self._silent_frames >= SEEN:
            return self._silence()
        pulses = self._pulses.go_on(hertz(newest[PITCH]))
        self._source = np.concatenate((self._source[FRAME_SAMPLES:], pulses))
        return to_int16(self._add(self._spectra()))[0]

    def _silence(self) -> np.ndarray:
        """Silence all over needs no decoder: it sounds below the last bit."""
        self._pulses = Pulses()
        self._source[:], self._tail[:] = 0, 0
        return np.zeros(FRAME_SAMPLES, np.int16)

    def _spectra(self) -> np.ndarray:
        """complex64[6, 601]: of the decoder frames that complete the frame that is made."""
        found = self._network.run(list(SPECTRA), {FEATURES: self._features[None]})
        first = self._features.shape[1] - NEWEST + REACH
        parts = (part[0, :, first : first + DECODER_FRAMES].T for part in found)
        harmonic, turn, noise, rest, angle = parts
        # The window of decoder frame k begins WINDOW / 2 before its time; `_source` begins HOP / 2
        # before the time of the first decoder frame of the frame that is made.
        begin = REACH * HOP + HOP // 2 - WINDOW // 2
        windows = np.lib.stride_tricks.sliding_window_view(self._source, WINDOW)
        sound = np.fft.rfft(windows[begin::HOP][:DECODER_FRAMES] * SOURCE, axis=1)
        sound = sound * np.exp(1j * np.pi * np.tanh(turn)) * _exp(harmonic)
        hiss = self._noise.standard_normal((*noise.shape, 2), np.float32).view(np.complex64)
        return sound + hiss[..., 0] * _exp(noise) + np.exp(1j * angle) * _exp(rest)

    def _add(self, spectra: np.ndarray) -> np.ndarray:
        """float32[1920]: the overlapping sum, of which the next frame gets what is beyond."""
        begin = REACH * HOP - WINDOW // 2
        sound = np.zeros(FRAME_SAMPLES + WINDOW, np.float32)
        sound[:WINDOW] = self._tail
        for k, part in enumerate(np.fft.irfft(spectra, WINDOW, axis=1) * HANN):
            at = begin + k * HOP
            sound[at : at + WINDOW] += part.astype(np.float32)
        self._tail = sound[FRAME_SAMPLES:].copy()
        return sound[:FRAME_SAMPLES] * self._gain


class Pulses:
    """A train of pulses with all harmonics below 11 kHz at amplitude 1, of a pitch that moves."""

    def __init__(self) -> None:
        self._last_hz, self._phase = 0.0, 0.0  # of the last sample; the phase in turns

    def go_on(self, pitch: np.ndarray) -> np.ndarray:
        """Pitch in Hz, one for each 320 samples, to the samples between the last and the newest."""
        steps = np.arange(1, HOP * len(pitch) + 1) / HOP
        hz = np.interp(steps, np.arange(len(pitch) + 1), [self._last_hz, *pitch])
        self._last_hz = float(pitch[-1])
        voiced = hz > LOWEST_HZ
        hz = np.maximum(hz, LOWEST_HZ)
        turns = (self._phase + np.cumsum(hz) / SAMPLE_RATE) % 1.0
        self._phase = float(turns[-1])
        return np.where(voiced, _sum_of_cosines(2 * np.pi * turns, HIGHEST_HZ // hz), 0.0).astype(
            np.float32
        )


def hertz(row: np.ndarray) -> np.ndarray:
    """The pitch row of the features in Hz."""
    return np.maximum(np.exp(5 * row.astype(np.float64)) - 1, 0)


def _sum_of_cosines(angle: np.ndarray, count: np.ndarray) -> np.ndarray:
    """cos(a) + cos(2 a) + … + cos(count a), by Dirichlet's formula."""
    half = np.sin(angle / 2)
    near = np.abs(half) < 1e-3  # where the formula divides by nothing
    formula = np.sin((count + 0.5) * angle) / (2 * np.where(near, 1.0, half)) - 0.5
    return np.where(near, count, formula)


def _exp(logarithm: np.ndarray) -> np.ndarray:
    return np.exp(np.minimum(logarithm, LOUDEST))


def _overlap() -> np.ndarray:
    """float32[1920]: what the squared windows of all decoder frames add up to."""
    total = np.zeros(FRAME_SAMPLES + 2 * WINDOW)
    for at in range(-WINDOW // 2 - 3 * HOP, FRAME_SAMPLES + WINDOW, HOP):
        start = at + WINDOW
        if 0 <= start <= len(total) - WINDOW:
            total[start : start + WINDOW] += HANN**2
    return total[WINDOW : WINDOW + FRAME_SAMPLES].astype(np.float32)


def _session(model: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=['CPUExecutionProvider'])
