"""Detects voices with Silero: the probability of speech in each 32 ms of sound."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Protocol

import numpy as np

from kame_ros.runtime import weights

SAMPLE_RATE = 16_000
WINDOW = 512  # samples: 32 ms
_CONTEXT = 64  # samples of the previous window that the model sees again (snakers4/silero-vad)
_STATE = (1, 1, 128)


class Vad(Protocol):
    """What tells how likely it is that somebody speaks; `SileroVad` is one, tests script theirs."""

    def push(self, sound: np.ndarray) -> list[float]:
        """Takes float32[n] at 16 kHz; gives one probability per 32 ms (512 samples) completed."""

    def reset(self) -> None:
        """Forgets the past sound."""


class SileroVad:
    """Streaming Silero v6: sound of any length in, one probability per complete window out.

    One for each microphone; all of a process share one model. That is the ONNX file inside the
    package faster-whisper, which is not imported. About 0.1 ms of one core per window.
    """

    def __init__(self) -> None:
        """Load. Raises MissingWeights or CorruptWeights."""
        self._session = _session(str(weights.find('silero-vad', 'vad')))
        self.reset()

    def reset(self) -> None:
        """Forget the past sound."""
        self._h = np.zeros(_STATE, np.float32)
        self._c = np.zeros(_STATE, np.float32)
        self._context = np.zeros(_CONTEXT, np.float32)
        self._rest = np.zeros(0, np.float32)

    def push(self, sound: np.ndarray) -> list[float]:
        """Take float32[n] at 16 kHz; give the probabilities of the windows it completes."""
        sound = np.concatenate([self._rest, sound.astype(np.float32, copy=False)])
        count = len(sound) // WINDOW
        self._rest = sound[count * WINDOW :]
        if count == 0:
            return []
        windows = sound[: count * WINDOW].reshape(count, WINDOW)
        before = np.vstack([self._context, windows[:-1, -_CONTEXT:]])
        self._context = windows[-1, -_CONTEXT:].copy()
        out, self._h, self._c = self._session.run(
            None,
            {
                'input': np.ascontiguousarray(np.hstack([before, windows])),
                'h': self._h,
                'c': self._c,
            },
        )
        return [float(p) for p in np.ravel(out)]


@lru_cache(maxsize=4)
def _session(path: str) -> Any:
    """The model of a file, loaded once in a process: it has no state of its own."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=['CPUExecutionProvider'])
