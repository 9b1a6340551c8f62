"""The front-ends as parameters of the nodes that speak: those of their configurations."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kame_ros.s2s.front_end import FrontEnd
from kame_ros.s2s.front_ends import FRONT_ENDS, FrontEndSettings, of_others
from kame_ros.s2s.moshi.config import MoshiConfig
from kame_ros.s2s.small.config import SmallConfig
from kame_ros.s2s.tts.config import TtsConfig, VoiceConfig
from kame_ros.settings.options import options_of, refuse_unread
from kame_ros.settings.param import Param, filled

if TYPE_CHECKING:
    from kame_ros.s2s.moshi.slots import MoshiSlots

log = logging.getLogger(__name__)
_MODEL_OF = {'tts': 'tts.voice', 'small': 'small.weights', 'moshi': 'moshi.weights'}

MOSHI_PARAMETERS = Param.of(MoshiConfig, 'moshi.')
PARAMETERS = (
    *Param.of(VoiceConfig, 'tts.'),
    *Param.of(TtsConfig, 'tts.'),
    *Param.of(SmallConfig, 'small.'),
    *MOSHI_PARAMETERS,
)


def make_front_end(param: Callable[[str], Any], shortfalls: int = 0) -> FrontEnd:
    """The front-end that the parameters ask for, loaded.

    `shortfalls`: how often memory ran out in earlier lives of the node.

    Raises ValueError for values that cannot be, MissingWeights or CorruptWeights for the model,
    and ImportError when the packages of the front-end are not installed.
    """
    settings = FrontEndSettings(
        {row.name: param(row.name) for row in PARAMETERS},
        options_of(param('front_end_options'), 'a front-end'),
        shortfalls,
    )
    made: FrontEnd = FRONT_ENDS.make(param('front_end'), settings)
    refuse_unread(settings.options, FRONT_ENDS.label(param('front_end')))
    return made


def warn_of_others(given: Iterable[str], front_end: str) -> None:
    """Says which of the parameters that were `given` are of another front-end."""
    if idle := of_others(given, front_end):
        do = 'does' if len(idle) == 1 else 'do'
        log.warning('%s %s nothing: the front-end is %s', ', '.join(idle), do, front_end)


def make_slots(param: Callable[[str], Any], shortfalls: int = 0) -> MoshiSlots:
    """The model for many robots that the parameters ask for, loaded; raises as `make_front_end`."""
    from kame_ros.s2s.moshi.build import build_slots

    return build_slots(replace(moshi_config(param), shortfalls=shortfalls))


def moshi_config(param: Callable[[str], Any]) -> MoshiConfig:
    """What the parameters say of the moshi front-end; raises ValueError for what cannot be."""
    config: MoshiConfig = filled(MoshiConfig, param, 'moshi.')
    return config


def model_name(param: Callable[[str], Any]) -> str:
    """Which model speaks, for diagnostics and the record."""
    name: str = param('front_end')
    model = _MODEL_OF.get(name)
    return f'{name}:{param(model)}' if model else name
