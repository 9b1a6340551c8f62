"""What a training run is made from, read from a YAML file and checked. No torch."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

PRECISIONS = ('float32', 'bfloat16')


class ConfigError(ValueError):
    """A configuration that cannot be trained."""


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """One training run. Frames are of 80 ms; `batch` times `accumulate` examples make a step.

    The learning rate rises for `warm_up` steps, stays, and falls to nothing in a straight line over
    the last `decay` share of `steps`. `model` is what differs from Moshi's own arguments, `losses`
    the weights of `LossWeights`, `lessons` what the recipe's data are made of, in order. Raises
    ConfigError.
    """

    model: dict[str, Any] = field(default_factory=dict)
    losses: dict[str, float] = field(default_factory=dict)
    lessons: list[dict[str, Any]] = field(default_factory=list)
    steps: int = 3000
    batch: int = 8
    accumulate: int = 1
    frames: int = 160
    learning_rate: float = 2e-3
    warm_up: int = 50
    decay: float = 0.3
    weight_decay: float = 0.1
    clip: float = 1.0
    precision: str = 'bfloat16'
    seed: int = 0
    save_every: int = 100
    evaluate_every: int = 100
    threads: int = 1

    def __post_init__(self) -> None:
        for name in ('steps', 'batch', 'accumulate', 'save_every', 'evaluate_every', 'threads'):
            if getattr(self, name) < 1:
                raise ConfigError(f'{name} must be at least 1, not {getattr(self, name)}')
        if self.frames < 8:
            raise ConfigError(f'frames must be at least 8, not {self.frames}')
        if not 0 < self.learning_rate < 1:
            raise ConfigError(f'learning_rate must be between 0 and 1, not {self.learning_rate}')
        if not 0 <= self.decay <= 1:
            raise ConfigError(f'decay must be between 0 and 1, not {self.decay}')
        if self.precision not in PRECISIONS:
            raise ConfigError(f'precision must be one of {", ".join(PRECISIONS)}')

    def rate(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        rise = min(1.0, (step + 1) / max(1, self.warm_up))
        fall = min(1.0, (self.steps - step) / max(1.0, self.decay * self.steps))
        return self.learning_rate * min(rise, max(0.0, fall))


def read(path: Path) -> RunConfig:
    """Reads a YAML file of the fields of `RunConfig`. Raises ConfigError."""
    import yaml

    try:
        value = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f'{path} cannot be read: {error}') from error
    if not isinstance(value, dict):
        raise ConfigError(f'{path} should hold a mapping')
    known = {each.name for each in fields(RunConfig)}
    for name in value:
        if name not in known:
            raise ConfigError(f'{path}: nothing is called {name!r}: {", ".join(sorted(known))}')
    try:
        return RunConfig(**value)
    except TypeError as error:
        raise ConfigError(f'{path}: {error}') from error
