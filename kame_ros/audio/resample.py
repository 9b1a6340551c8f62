"""Changes the sample rate of sound that comes in pieces, without seams between them."""

from __future__ import annotations

import numpy as np

INT16_SCALE = 32_768.0


class Resampler:
    """Sound at one rate in, float32 in [-1, 1] at another rate out, chunk by chunk.

    Sample n of the output belongs to the time n / `rate_out` of the input: the filter delays the
    delivery (12 to 40 ms from 24 to 16 kHz), not the time. Samples that are not finite become
    silence and are counted in `bad_samples`; what overshoots is clipped.
    """

    def __init__(self, rate_in: int = 24_000, rate_out: int = 16_000) -> None:
        import soxr

        self._stream = soxr.ResampleStream(rate_in, rate_out, 1, dtype='float32', quality='HQ')
        self.bad_samples = 0

    def push(self, samples: np.ndarray, last: bool = False) -> np.ndarray:
        """Convert int16[n], or floats[n] in [-1, 1]; with `last` the filter is emptied too."""
        if samples.ndim != 1:
            raise ValueError(f'the resampler takes mono sound, not an array of {samples.shape}')
        if samples.dtype == np.int16:
            sound = samples.astype(np.float32) / np.float32(INT16_SCALE)
        else:
            sound = samples.astype(np.float32)
            bad = ~np.isfinite(sound)
            if bad.any():
                self.bad_samples += int(bad.sum())
                sound[bad] = 0.0
            np.clip(sound, -1.0, 1.0, out=sound)
        out = self._stream.resample_chunk(sound, last=last)
        return np.clip(out, -1.0, 1.0)

    def reset(self) -> None:
        """Forget the past sound; the counter stays."""
        self._stream.clear()
