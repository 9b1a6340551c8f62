"""When a model that speaks on its own may be heard: not in the user's turn. A pure policy."""

from __future__ import annotations

SPEAK = ('always', 'after_turn', 'guided')


class VoiceGate:
    """Open or closed, once a frame.

    `always`: open. `after_turn`: closed while the user's turn lasts, unless the robot spoke when it
    began: what happens then is barge-in. `guided`: also closed where nobody tells the robot what
    to say; what it has begun to say by itself is not heard.
    """

    def __init__(self, speak: str = 'always') -> None:
        if speak not in SPEAK:
            raise ValueError(f'speak is one of {", ".join(SPEAK)}, not {speak!r}')
        self._speak = speak
        self.reset()

    def reset(self) -> None:
        """A new session."""
        self._was_in_turn = self._keeps_floor = False
        self.held = 0  # frames for which it was closed

    def is_open(self, in_turn: bool, has_floor: bool, has_words: bool) -> bool:
        """Whether the robot may be heard in the frame that comes.

        `in_turn`: the user's turn lasts; `has_floor`: the robot speaks, or has not said all of
        what it began; `has_words`: it was told what to say, and has not said all of it.
        """
        began, self._was_in_turn = in_turn and not self._was_in_turn, in_turn
        self._keeps_floor = has_floor and (self._keeps_floor or began or not in_turn)
        if self._speak == 'always':
            return True
        waits = in_turn and not self._keeps_floor
        is_open = not waits and (has_words or self._speak != 'guided')
        self.held += not is_open
        return is_open
