"""Where batches come from: any step's batch can be made again, so that a run resumes exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class Batch:
    """codes int64[B, 17, T], oracle int64[B, 1, T], quiet bool[B, T]: the robot makes no sound."""

    codes: np.ndarray
    oracle: np.ndarray
    quiet: np.ndarray


class BatchSource(Protocol):
    """Batches by number. The same number gives the same batch, whatever was asked before."""

    def batch(self, step: int) -> Batch:
        """The batch of a training step."""

    def held_out(self, number: int) -> Batch:
        """A batch that no step trains on."""
