"""When a model that many robots share makes its next step. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from kame_ros.audio.frame import FRAME_S


def seconds_to_tick(now: float, waiting_since: Sequence[float | None]) -> float | None:
    """How long to wait for more robots, in seconds; 0: step now; None: nobody has a frame.

    `waiting_since` has, for each robot, when its oldest frame came, or None where none waits. The
    step is made as soon as everybody has a frame, so that one step serves all; but nobody waits
    longer than one frame for the others.
    """
    waiting = [since for since in waiting_since if since is not None]
    if not waiting:
        return None
    if len(waiting) == len(waiting_since):
        return 0.0
    return max(0.0, min(waiting) + FRAME_S - now)
