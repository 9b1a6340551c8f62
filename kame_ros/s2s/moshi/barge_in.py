"""When the user takes the floor from a robot that is speaking. A pure policy."""

from __future__ import annotations

RACE_FRAMES = 6  # 0.48 s: speech that began so shortly before the robot's is heard as taking over


class BargeIn:
    """Frames of who speaks in, a barge-in now and then out.

    The user has to begin while the robot speaks, and to keep on for `patience` frames of speech of
    both: a "yes" in passing is none, and a robot that answers before the user has ended is not
    interrupted by that. It is told once for each speech of the user.
    """

    def __init__(self, patience: int) -> None:
        if patience < 1:
            raise ValueError(f'patience must be at least one frame, not {patience}')
        self._patience = patience
        self.reset()

    def reset(self) -> None:
        """Nobody speaks."""
        self._user = self._robot = self._both = 0  # frames for which each, and both, have spoken
        self._told = False

    def feel(self, user: bool, robot: bool) -> bool:
        """Takes who speaks in this frame, and tells whether the user takes the floor now."""
        self._user = self._user + 1 if user else 0
        self._robot = self._robot + 1 if robot else 0
        if not user:
            self._told = False
        first = self._user <= self._robot + RACE_FRAMES
        self._both = self._both + 1 if user and robot and first else 0
        if self._both < self._patience or self._told:
            return False
        self._told = True
        return True
