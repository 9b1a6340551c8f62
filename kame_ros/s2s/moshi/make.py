"""Makes the `moshi` front-end from the parameters of its node."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kame_ros.s2s.front_ends import FrontEndSettings
from kame_ros.s2s.moshi import build
from kame_ros.s2s.moshi.config import MoshiConfig
from kame_ros.turns.vad import SileroVad

if TYPE_CHECKING:
    from kame_ros.s2s.moshi.front_end import MoshiFrontEnd


def make(settings: FrontEndSettings) -> MoshiFrontEnd:
    """Loads the model for one robot; raises as `build.build`."""
    config: MoshiConfig = settings.filled('moshi', MoshiConfig)
    vad = SileroVad() if config.barge_in else None
    return build.build(replace(config, slots=1, shortfalls=settings.shortfalls), vad)
