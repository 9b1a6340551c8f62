"""How likely the melody of what was heard last says that the speaker has finished: Smart Turn."""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from typing import Any, Protocol

import numpy as np

from kame_ros.runtime import weights
from kame_ros.turns.log_mel import RATE, log_mel

NAME = 'smart-turn'
SEEN_S = 8.0  # what the model hears of a turn: its end
_SAMPLES = round(SEEN_S * RATE)
_TINY = 1e-7


class EndModel(Protocol):
    """Tells from sound alone how likely a turn is over; `SmartTurn` is one, tests script theirs."""

    def probability(self, sound: np.ndarray) -> float:
        """Of float32[n] at 16 kHz that ends with the silence in question."""


class SmartTurn:
    """Smart Turn v3.2 of pipecat-ai (BSD-2-Clause), 23 languages. Only its file is used.

    About 30 ms of one core for a call. What is older than 8 s is not heard. All of a process share
    one model.
    """

    def __init__(self) -> None:
        """Load. Raises MissingWeights or CorruptWeights, ImportError without onnxruntime."""
        self._session = _session(str(weights.find(NAME, 'turn')))
        self._input = self._session.get_inputs()[0].name

    def probability(self, sound: np.ndarray) -> float:
        """See EndModel."""
        ((answer,),) = self._session.run(None, {self._input: features(sound)[None]})
        return float(answer[0])


def features(sound: np.ndarray) -> np.ndarray:
    """What the model sees: float32[80, 800] of the last 8 s, silence before them if need be."""
    seen = np.zeros(_SAMPLES, np.float32)
    last = sound[-_SAMPLES:]
    seen[_SAMPLES - len(last) :] = last
    return log_mel((seen - seen.mean()) / np.sqrt(seen.var() + _TINY))


def is_there() -> bool:
    """Whether the model is installed and can be run; loads nothing."""
    return weights.KNOWN[NAME].present and importlib.util.find_spec('onnxruntime') is not None


def why_worse() -> str:
    """What is worse without the model, and the command that gets it."""
    model = weights.KNOWN[NAME]
    return f'without the model {NAME} {model.without}; get it with: {model.install}'


@lru_cache(maxsize=2)
def _session(path: str) -> Any:
    """The model of a file, loaded once in a process: it has no state."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=['CPUExecutionProvider'])
