"""The sound that a client sends, given on as frames in the rhythm of a microphone."""

from __future__ import annotations

import numpy as np

from kame_ros.wire.frame import FRAME_S, FRAME_SAMPLES, Frame, silence

MOST_S = 120.0  # of sound that waits at most
_AHEAD_S = 2 * FRAME_S  # what came late may be given on at once: as much as this
_PATIENCE_S = 0.24  # a client that sends nothing for so long is silent
_BYTES = 2  # of a sample


class TooMuchSound(ValueError):
    """More waits than a robot can hear in time."""


class AudioIn:
    """Makes frames of pcm16 of 24 kHz, mono, in blocks of any size.

    A client that sends as it records is given on at once. One that sends faster, such as a file,
    is heard in real time. When nothing comes there is silence, as a robot's time goes on.
    `begun` is the time of the first sample of the session, `heard` how many seconds were given on.
    """

    def __init__(self, t: float) -> None:
        self.begun = t
        self.frames = 0
        self.frames_silent = 0
        self.refused_bytes = 0
        self._waiting = bytearray()
        self._due = t  # when the next frame may leave

    @property
    def heard(self) -> float:
        """Seconds that were given on, silence among them."""
        return self.frames * FRAME_S

    @property
    def waiting_s(self) -> float:
        """Seconds that are still to be given on."""
        return len(self._waiting) / _BYTES / FRAME_SAMPLES * FRAME_S

    def append(self, pcm: bytes) -> None:
        """More sound; raises TooMuchSound, and ValueError for half a sample. Then none is taken."""
        if len(pcm) % _BYTES:
            raise ValueError(f'pcm16 has two bytes for each sample: {len(pcm)} bytes are no sound')
        seconds = len(pcm) / _BYTES / FRAME_SAMPLES * FRAME_S
        if self.waiting_s + seconds > MOST_S:
            self.refused_bytes += len(pcm)
            raise TooMuchSound(
                f'{seconds:.1f} s of sound are too much where {self.waiting_s:.0f} s wait already: '
                'a robot hears in real time; '
                f'send it as it is spoken, {MOST_S:.0f} s ahead at most'
            )
        self._waiting += pcm

    def append_silence(self, seconds: float) -> None:
        """So much silence behind what was sent: it ends a turn. Less, where too much waits."""
        samples = int(min(seconds, MOST_S + seconds - self.waiting_s) / FRAME_S * FRAME_SAMPLES)
        self._waiting += bytes(_BYTES * max(0, samples))

    def clear(self) -> float:
        """Forgets what was not given on; gives how many seconds that was."""
        seconds = self.waiting_s
        self._waiting.clear()
        return seconds

    def take(self, t: float) -> list[Frame]:
        """The frames that are due at `t`, stamped as if the last had just been recorded."""
        found = []
        while (samples := self._next(t)) is not None:
            found.append(samples)
        first = t - FRAME_S * len(found)
        frames = [
            Frame(self.frames + number, first + FRAME_S * number, samples)
            for number, samples in enumerate(found)
        ]
        self.frames += len(frames)
        return frames

    def _next(self, t: float) -> np.ndarray | None:
        size = _BYTES * FRAME_SAMPLES
        if len(self._waiting) >= size:
            if t < self._due - _AHEAD_S:
                return None
            samples = np.frombuffer(bytes(self._waiting[:size]), '<i2').astype(np.int16)
            del self._waiting[:size]
        elif t >= self._due + _PATIENCE_S:
            samples = silence()
            if self._waiting:  # the end of what was sent
                rest = np.frombuffer(bytes(self._waiting), '<i2')
                samples[: len(rest)] = rest
                self._waiting.clear()
            else:
                self.frames_silent += 1
        else:
            return None
        # Time that was lost is lost: a client that was away is not heard twice as fast after it.
        self._due = max(self._due + FRAME_S, t - _PATIENCE_S)
        return samples
