"""What a training run is made from, read from a YAML file and checked. No torch."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from kame_ros.text.misfit import misfit

PRECISIONS = ('float32', 'bfloat16')
WHOLE = (
    *('steps', 'batch', 'accumulate', 'save_every', 'evaluate_every', 'evaluate_batches'),
    'threads',
)
# SakanaAI/kame_finetune: the defaults of finetune.py and examples/finetune_accelerate.sh.
FINE_TUNING: dict[str, Any] = {
    'batch': 1,
    'frames': 512,
    'learning_rate': 3e-5,
    'warm_up': 100,
    'decay': 0.0,
    'weight_decay': 0.1,
    'betas': (0.9, 0.95),
    'epsilon': 1e-5,
}


class ConfigError(ValueError):
    """A configuration that cannot be trained."""


@dataclass(frozen=True, kw_only=True)
class LoraConfig:
    """LoRA: W + scaling * B A with B and A of `rank`, for every linear layer.

    The oracle embedding is always trained whole, the text embedding with `embeddings`.
    """

    rank: int = 128
    scaling: float = 2.0
    embeddings: bool = False

    def __post_init__(self) -> None:
        check_kinds(self)
        if self.rank < 1:
            raise ConfigError(f'lora: rank must be a whole number from 1 on, not {self.rank}')
        if self.scaling <= 0:
            raise ConfigError(f'lora: scaling must be above 0, not {self.scaling}')


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """One training run. Frames are of 80 ms; `batch` times `accumulate` examples make a step.

    Each of several processes has its own `batch`. The learning rate rises for `warm_up` steps,
    stays, and falls to nothing in a straight line over the last `decay` share of `steps`.
    It starts from `checkpoint`, a folder or a repository, or else from nothing, where `model` is
    what differs from Moshi's own arguments. `losses` are the weights of `LossWeights`.
    `checkpointing` keeps less of the forward pass and computes it again: less memory, a third more
    time. Raises ConfigError.
    """

    checkpoint: str = ''
    revision: str = ''
    lora: LoraConfig | None = None
    checkpointing: bool = False
    model: dict[str, Any] = field(default_factory=dict)
    losses: dict[str, float] = field(default_factory=dict)
    steps: int = 3000
    batch: int = 8
    accumulate: int = 1
    frames: int = 160
    learning_rate: float = 2e-3
    warm_up: int = 50
    decay: float = 0.3
    weight_decay: float = 0.1
    betas: tuple[float, float] = (0.9, 0.95)
    epsilon: float = 1e-8
    clip: float = 1.0
    precision: str = 'bfloat16'
    seed: int = 0
    save_every: int = 100
    evaluate_every: int = 100
    evaluate_batches: int = 4
    threads: int = 1

    def __post_init__(self) -> None:
        check_kinds(self)
        for name in WHOLE:
            if getattr(self, name) < 1:
                raise ConfigError(f'{name} must be at least 1, not {getattr(self, name)}')
        if self.frames < 8:
            raise ConfigError(f'frames must be at least 8, not {self.frames}')
        if not 0 < self.learning_rate < 1:
            raise ConfigError(f'learning_rate must be between 0 and 1, not {self.learning_rate}')
        if not 0 <= self.decay <= 1:
            raise ConfigError(f'decay must be between 0 and 1, not {self.decay}')
        for name in ('warm_up', 'weight_decay', 'epsilon'):
            if getattr(self, name) < 0:
                raise ConfigError(f'{name} must not be below 0, but is {getattr(self, name)}')
        if self.clip <= 0:
            raise ConfigError(f'clip must be above 0, not {self.clip}')
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise ConfigError(f'betas must be two numbers from 0 to below 1, not {self.betas}')
        if self.precision not in PRECISIONS:
            raise ConfigError(f'precision must be one of {", ".join(PRECISIONS)}')
        if self.lora is not None and not self.checkpoint:
            raise ConfigError('lora needs a checkpoint to start from')
        if self.model and self.checkpoint:
            raise ConfigError(
                f'model ({", ".join(self.model)}) is for a run from nothing: leave it out, the '
                f'architecture is that of the checkpoint {self.checkpoint}'
            )

    def rate(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        rise = min(1.0, (step + 1) / max(1, self.warm_up))
        fall = min(1.0, (self.steps - step) / max(1.0, self.decay * self.steps))
        return self.learning_rate * min(rise, max(0.0, fall))


def read(path: Path, **changes: Any) -> RunConfig:
    """Reads a YAML file of the fields of `RunConfig`; `changes` go before it. Raises ConfigError.

    What starts from a checkpoint has the published values of fine-tuning where it names none.
    """
    value = mapping_of(path)
    try:
        return make({**value, **changes})
    except (ConfigError, TypeError) as error:
        raise ConfigError(f'{path}: {misfit(error)}') from error


def mapping_of(path: Path) -> dict[str, Any]:
    """What a YAML file holds, which is to be values by name. Raises ConfigError."""
    import yaml

    try:
        value = yaml.safe_load(path.read_text())
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = getattr(error, 'strerror', None) or error
        raise ConfigError(f'{path} cannot be read: {reason}') from error
    if not isinstance(value, dict):
        raise ConfigError(f'{path} should hold a mapping')
    return value


def check_names(value: dict[str, Any], kind: type) -> None:
    """Raises ConfigError for a name that is no field of the dataclass `kind`."""
    known = {each.name for each in fields(kind)}
    for name in value:
        if name not in known:
            raise ConfigError(f'nothing is called {name!r}: {", ".join(sorted(known))}')


def make(value: dict[str, Any]) -> RunConfig:
    """A configuration from plain values. Raises ConfigError."""
    check_names(value, RunConfig)
    value = {**(FINE_TUNING if value.get('checkpoint') else {}), **value}
    if value.get('lora') is not None:
        value['lora'] = _lora(value['lora'])
    if 'betas' in value:
        value['betas'] = tuple(value['betas'])
    return RunConfig(**value)


def _lora(value: Any) -> LoraConfig:
    known = [each.name for each in fields(LoraConfig)]
    if not isinstance(value, dict) or not set(value) <= set(known):
        raise ConfigError(f'lora should hold some of {", ".join(known)}, not {value}')
    return LoraConfig(**value)


def check_kinds(config: Any) -> None:
    """Raises ConfigError where a value of a configuration is not of the kind of its field.

    YAML reads 3e-5 as text, and 3.0e-5 as a number.
    """
    for each in fields(config):
        value, kind = getattr(config, each.name), str(each.type)
        wanted = ''
        if kind in ('int', 'float'):
            whole = isinstance(value, int) and not isinstance(value, bool)
            real = kind == 'float' and isinstance(value, float) and math.isfinite(value)
            wanted = '' if whole or real else 'must be a number'
        elif kind == 'str':
            wanted = '' if isinstance(value, str) else 'must be a text'
        elif kind == 'bool':
            wanted = '' if isinstance(value, bool) else 'must be true or false'
        elif kind.startswith('dict'):
            wanted = '' if isinstance(value, dict) else 'should hold values by name'
        if wanted:
            number = wanted == 'must be a number' and isinstance(value, str)
            hint = ' (YAML wants a point in it: 3.0e-5)' if number else ''
            raise ConfigError(f'{each.name} {wanted}, not {value!r}{hint}')
