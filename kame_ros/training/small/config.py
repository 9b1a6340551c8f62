"""The numbers of the recipe of kame-small, read from a YAML file and checked. No torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kame_ros.s2s.small.sizes import DepthSize, ModelSize
from kame_ros.training.config import ConfigError, check_kinds, check_names, mapping_of

RECIPE = Path(__file__).with_name('kame-small.yaml')
RESULT = 'kame_small'  # folder of the weights in the folder of a run
AT_ONCE_ON_A_CPU = 16  # scenes: 4 GB of memory
_WHOLE = (
    'users',
    'steps',
    'batch',
    'frames',
    'pool',
    'save_every',
    'note_every',
    'turn_end_passes',
)


@dataclass(frozen=True, kw_only=True)
class SmallRecipe:
    """What a run is made from; kame-small.yaml says what each number means. Raises ConfigError."""

    hours: float = 40.0
    users: int = 4
    size: dict[str, Any] = field(default_factory=dict)
    steps: int = 1400
    batch: int = 128
    at_once: int = 0
    frames: int = 320
    learning_rate: float = 1.5e-3
    warm_up: int = 200
    decay: float = 0.4
    clip: float = 1.0
    pool: int = 40_000
    seed: int = 0
    save_every: int = 100
    note_every: int = 10
    turn_end_passes: int = 6

    def __post_init__(self) -> None:
        check_kinds(self)
        for name in _WHOLE:
            if getattr(self, name) < 1:
                raise ConfigError(f'{name} must be at least 1, not {getattr(self, name)}')
        if self.hours <= 0:
            raise ConfigError(f'hours must be above 0, not {self.hours}')
        if not 0 < self.learning_rate < 1:
            raise ConfigError(f'learning_rate must be between 0 and 1, not {self.learning_rate}')
        if not 0 <= self.decay <= 1:
            raise ConfigError(f'decay must be between 0 and 1, not {self.decay}')
        if self.at_once < 0 or self.warm_up < 0:
            raise ConfigError('at_once and warm_up must not be below 0')
        self.model_size(pieces=2)

    def model_size(self, pieces: int) -> ModelSize:
        """The sizes of the model for so many pieces of pronunciation."""
        if 'pieces' in self.size:
            raise ConfigError('size should hold sizes of the model by name, without the pieces')
        depth = self.size.get('depth', {})
        if not isinstance(depth, dict):
            raise ConfigError(f'depth should hold sizes by name, not {depth!r}')
        check_names(self.size, ModelSize)
        check_names(depth, DepthSize)
        try:
            return ModelSize.of({**self.size, 'pieces': pieces})
        except ValueError as error:
            raise ConfigError(f'size: {error}') from error

    def scenes_at_once(self, device: str) -> int:
        """How many scenes of a batch are computed together on this device."""
        return self.at_once or (AT_ONCE_ON_A_CPU if device == 'cpu' else self.batch)


def read(path: Path = RECIPE, **changes: Any) -> SmallRecipe:
    """Reads a YAML file of SmallRecipe; `changes` go before what it says. Raises ConfigError."""
    value = {**mapping_of(path), **changes}
    try:
        check_names(value, SmallRecipe)
        return SmallRecipe(**value)
    except ConfigError as error:
        raise ConfigError(f'{path}: {error}') from error
