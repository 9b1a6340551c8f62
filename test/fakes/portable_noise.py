"""Sampling noise that is the same on every machine: torch draws other numbers elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


@contextmanager
def portable_noise(seed: int) -> Iterator[None]:
    """While it is open, `Tensor.exponential_` takes its numbers from numpy's Philox generator."""
    generator = np.random.Generator(np.random.Philox(seed))

    def exponential(tensor: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
        noise = -np.log1p(-generator.random(tuple(tensor.shape)))
        return tensor.copy_(torch.from_numpy(noise))

    own = torch.Tensor.exponential_
    torch.Tensor.exponential_ = exponential  # type: ignore[assignment]
    try:
        yield
    finally:
        torch.Tensor.exponential_ = own
