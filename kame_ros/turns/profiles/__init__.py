"""The barge-in profiles: how readily a robot gives way. The door for those of other packages.

A new profile is one file, with a `BargeInProfile`, and one line: in `DOOR`, or in the
pyproject.toml of another package:

    [project.entry-points.'kame_ros.barge_in']
    hall = 'my_package.hall:HALL'

`--set s2s.tts.barge_in_profile=hall` takes it then, or `s2s.moshi.barge_in_profile`.
"""

from __future__ import annotations

from kame_ros.runtime.doors import Door
from kame_ros.turns.barge_in import BargeInProfile

DOOR = Door(
    'barge-in profile',
    'kame_ros.barge_in',
    {
        'tts': 'kame_ros.turns.profiles.tts:TTS',
        'moshi': 'kame_ros.turns.profiles.moshi:MOSHI',
    },
    BargeInProfile,
    'is no BargeInProfile',
)


def load(name: str) -> BargeInProfile:
    """The profile called so. Raises ValueError for a name that is none, ImportError for a profile
    of another package that cannot be loaded or is none.
    """
    profile: BargeInProfile = DOOR.load(name)
    return profile
