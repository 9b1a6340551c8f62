"""How the `moshi` front-end gives way to the user: a model cannot pause, so it stays quiet."""

from kame_ros.turns.barge_in import BargeInProfile

MOSHI = BargeInProfile(can_hold=False)
