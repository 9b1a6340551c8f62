"""Tells when the robot's words are heard: when the frame in which they begin is played."""

from __future__ import annotations

from kame_ros.wire.frame import Frame
from kame_ros.wire.monologue import MonologueToken

_LATEST_S = 20.0  # after what they answer: words that are not played by then never are
_WAITING = 250  # speech frames with words, 20 s of them
_PLAYED = 750  # speech frames whose time is known, a minute


class PlayedWords:
    """Words of the monologue in, and frames of `audio/played`; either topic may overtake the other.

    A front-end that was started anew numbers its frames anew: its words are not those of the life
    before, though they have the same numbers. `bounded=False` keeps all: for a recording.
    `unplayed`: words of which nobody told in time that they were played.
    """

    def __init__(self, bounded: bool = True) -> None:
        self._bounded = bounded
        self.unplayed = 0
        self._waiting: dict[int, list[MonologueToken]] = {}  # by speech frame
        self._played: dict[int, float] = {}  # speech frame -> when it was played, s

    def on_monologue(self, token: MonologueToken) -> float | None:
        """When these words are heard, in seconds; None: their frame is not played yet."""
        played = self._played.get(token.seq)
        if played is not None and played >= token.t:
            return played
        waiting = self._waiting.pop(token.seq, [])
        if waiting and waiting[0].t != token.t:
            self.unplayed += len(waiting)  # of an earlier life
            waiting = []
        self._waiting[token.seq] = [*waiting, token]
        if self._bounded and len(self._waiting) > _WAITING:
            self.unplayed += len(self._waiting.pop(next(iter(self._waiting))))
        return None

    def on_played(self, frame: Frame) -> list[MonologueToken]:
        """The words that waited for this frame."""
        seq = frame.source_seq
        if seq < 0:
            return []
        self._played.pop(seq, None)
        self._played[seq] = frame.t
        if self._bounded and len(self._played) > _PLAYED:
            del self._played[next(iter(self._played))]
        waiting = self._waiting.pop(seq, [])
        words = [token for token in waiting if frame.t - token.t < _LATEST_S]
        self.unplayed += len(waiting) - len(words)
        return words

    def forget(self) -> None:
        """Forgets all: nothing of before is heard any more."""
        self._waiting.clear()
        self._played.clear()
