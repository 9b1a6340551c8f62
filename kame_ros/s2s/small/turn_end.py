"""Whether the user has finished, told from what kame-small makes of a frame: a small network.

It reads what goes into the heads of the model, beside what the ear hears, in this frame and the one
before, and often knows an end in the second silent frame: sooner than any other judge, and for
synthetic voices too. It never hears a word.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kame_ros.runtime.weights import CorruptWeights
from kame_ros.s2s.small.sizes import FEATURES

FILE = 'turn_end.safetensors'  # beside the weights of the model
PREFIX = 'turn_end.'
FRAMES = 2  # that it sees


@dataclass(frozen=True)
class TurnEndWeights:
    """float32, for `x @ W`."""

    first: np.ndarray  # [2 (dim + 84), width]
    first_bias: np.ndarray  # [width]
    head: np.ndarray  # [width, 1]
    head_bias: np.ndarray  # [1]

    @classmethod
    def load(cls, folder: Path, dim: int) -> TurnEndWeights | None:
        """Reads them from a folder of kame-small; None where it has none. `dim` is the width of the
        model.

        Raises CorruptWeights for a file that is no such network.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        path = folder / FILE
        if not path.is_file():
            return None
        try:
            found = load_file(path)
        except (OSError, SafetensorError) as error:
            raise CorruptWeights(f'{path} is no whole safetensors file ({error})') from error
        try:
            return cls.of({name.removeprefix(PREFIX): v for name, v in found.items()}, dim)
        except ValueError as error:
            raise CorruptWeights(f'{path}: {error}') from error

    @classmethod
    def of(cls, arrays: dict[str, np.ndarray], dim: int) -> TurnEndWeights:
        """Of arrays by the names of the fields. Raises ValueError for what cannot be."""
        names = list(cls.__dataclass_fields__)
        if missing := [name for name in names if name not in arrays]:
            raise ValueError(f'it lacks {", ".join(missing)}')
        w = {name: np.asarray(arrays[name], np.float32) for name in names}
        width = w['first_bias'].size
        shapes = {
            'first': (FRAMES * (dim + FEATURES), width),
            'first_bias': (width,),
            'head': (width, 1),
            'head_bias': (1,),
        }
        for name, shape in shapes.items():
            if w[name].shape != shape:
                raise ValueError(f'{name} is {list(w[name].shape)}, not {list(shape)}')
            if not np.isfinite(w[name]).all():
                raise ValueError(f'{name} holds numbers that are none')
        return cls(**w)


class TurnEndHead:
    """One stream of frames through the network; about 0.02 ms of one core each."""

    def __init__(self, weights: TurnEndWeights) -> None:
        self._weights = weights
        self.reset()

    def reset(self) -> None:
        """Forgets the stream."""
        self._before = np.zeros(len(self._weights.first) // FRAMES, np.float32)
        self.odds = -np.inf

    def hear(self, heard: np.ndarray) -> float:
        """Takes float32[dim + 84], what the model made of the frame and what the ear heard; gives
        the logarithm of the odds that the user has finished.
        """
        w = self._weights
        seen = np.concatenate((self._before, heard))
        self._before = heard
        first = np.maximum(seen @ w.first + w.first_bias, 0)
        self.odds = float((first @ w.head + w.head_bias)[0])
        return self.odds
