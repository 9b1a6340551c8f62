"""The sizes of a kame-small model, as its config.json tells them. No torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from kame_ros.s2s.small.ear import EAR_SIZE
from kame_ros.s2s.small.units import CARD, CODES

__all__ = ['CARD', 'CODES', 'EPSILON', 'FEATURES', 'ROPE_BASE', 'DepthSize', 'ModelSize']
EPSILON = 1e-5  # of the normalisation
ROPE_BASE = 10_000.0
FEATURES = EAR_SIZE  # of a frame of the user's sound


@dataclass(frozen=True)
class DepthSize:
    """The depth transformer's sizes."""

    dim: int = 256
    layers: int = 2
    heads: int = 4
    hidden: int = 704


@dataclass(frozen=True)
class ModelSize:
    """All sizes of a model: numbers, but for `context` in frames and `ahead` in pieces.

    `pieces` counts the silent piece 0; the piece `pieces` itself is the end of a text.
    """

    pieces: int
    dim: int = 384
    layers: int = 6
    heads: int = 6
    hidden: int = 1024
    context: int = 150
    ahead: int = 6
    window: int = 64  # numbers for a piece of the oracle
    depth: DepthSize = field(default_factory=DepthSize)

    def as_dict(self) -> dict[str, Any]:
        """For config.json."""
        return asdict(self)

    @classmethod
    def of(cls, config: dict[str, Any]) -> ModelSize:
        """From config.json. Raises TypeError or ValueError for what cannot be."""
        names = set(cls.__dataclass_fields__) - {'depth'}
        size = cls(
            **{name: config[name] for name in names if name in config},
            depth=DepthSize(**config.get('depth', {})),
        )
        for part in (size, size.depth):
            _check({name: value for name, value in vars(part).items() if name != 'depth'})
        return size


def _check(sizes: dict[str, Any]) -> None:
    """Raises ValueError for sizes that cannot be."""
    for name, value in sizes.items():
        if not isinstance(value, int) or value < 1:
            raise ValueError(f'{name} is a whole number from 1 on, not {value!r}')
    if sizes['dim'] % (2 * sizes['heads']):
        raise ValueError(f'{sizes["heads"]} heads cannot share {sizes["dim"]} numbers')
