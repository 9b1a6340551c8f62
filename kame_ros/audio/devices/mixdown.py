"""Sound of any rate, width and number of channels as 24 kHz mono, block by block."""

from __future__ import annotations

import numpy as np

from kame_ros.audio.resample import Resampler
from kame_ros.audio.wav import to_int16
from kame_ros.wire.frame import SAMPLE_RATE


class Mixdown:
    """Interleaved bytes or int16/float32[n, channels] in, int16[m] at 24 kHz out.

    `channel` is heard, or the mean of all where it is -1. Raises ValueError for a rate, a channel
    or a number of channels that cannot be.
    """

    def __init__(
        self, rate: int, channels: int = 1, channel: int = -1, dtype: np.dtype | str = 'int16'
    ) -> None:
        if not 4_000 <= rate <= 384_000:
            raise ValueError(f'a sample rate is between 4000 and 384000 Hz, not {rate}')
        if channels < 1 or not -1 <= channel < channels:
            raise ValueError(f'there is no channel {channel} of {channels}')
        self.rate, self.channels, self._channel = rate, channels, channel
        self._dtype = np.dtype(dtype)
        self._resampler = Resampler(rate, SAMPLE_RATE) if rate != SAMPLE_RATE else None

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of all channels."""
        return self._dtype.itemsize * self.channels

    def push(self, data: bytes | np.ndarray) -> np.ndarray:
        """The sound that is complete by now; the resampler holds back 10 to 40 ms."""
        sound = np.frombuffer(data, self._dtype) if isinstance(data, bytes) else data
        sound = sound.reshape(-1, self.channels)
        if self.channels == 1:
            mono = sound[:, 0]
        elif self._channel >= 0:
            mono = sound[:, self._channel]
        elif self._dtype == np.int16:
            mono = sound.mean(axis=1).round().astype(np.int16)
        else:
            mono = sound.mean(axis=1)
        if self._resampler is not None:
            return to_int16(self._resampler.push(mono))[0]
        if mono.dtype == np.int16:
            return mono
        return to_int16(np.nan_to_num(mono, nan=0.0, posinf=0.0, neginf=0.0))[0]

    def reset(self) -> None:
        """Forgets the past sound."""
        if self._resampler is not None:
            self._resampler.reset()
