"""Voice activity with Silero, one probability per 32 ms."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kame_ros import weights

SAMPLE_RATE = 16_000
WINDOW = 512  # samples: 32 ms
_CONTEXT = 64  # samples of the previous window that the model sees again (snakers4/silero-vad)
_STATE = (1, 1, 128)


class SileroVad:
    """Streaming Silero v6: sound of any length in, one probability per complete window out.

    The model is the ONNX file inside the package faster-whisper, which is not imported. About
    0.1 ms of one core per window.
    """

    def __init__(self, model: str | Path = 'silero-vad') -> None:
        """Load. Raises MissingWeights or CorruptWeights."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(weights.find(str(model), 'vad')), options, providers=['CPUExecutionProvider']
        )
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
