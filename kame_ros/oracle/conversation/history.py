"""What was really said in the conversation, by both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

_GOES_ON_S = 2.0  # s: who is heard so soon after a turn that was taken back speaks in it
_STOPS_S = 1.0  # s: in which the robot ends its word, and its sound leaves the loudspeaker
_BROKE_IN = 8  # times that a turn was taken back, before its final comes
_RACE_S = 0.1  # s: by which clocks of sound heard and played may differ
OTHER_CLOCK_S = 600.0  # s: what is so far ahead was stamped before the clock was set
_ENOUGH = 4  # characters: more than a token has on average, so a text of so many is long enough


@dataclass(frozen=True)
class Turn:
    """Words of one speaker; `utterance` is the user's, -1 for the robot."""

    role: str  # 'user' or 'assistant'
    text: str
    utterance: int = -1


@dataclass(frozen=True)
class _Piece:
    text: str
    t: float


def estimate_tokens(text: str) -> int:
    """A rough, quick upper estimate of the tokens in English text, for bounds."""
    return len(text) // 3 + 4  # four for the marks of a turn


@dataclass
class History:
    """Append-only turns, so that a server can reuse what it has read of them.

    The robot's words count when they leave the loudspeaker. While the user speaks (from
    `user_begins` to `user_ends`) the turns are frozen: words of the robot that overlap wait, and
    are put before or after the user's turn by their time. When the turns, with what the robot has
    said since, exceed `max_tokens`, the oldest are dropped whole, down to `keep` of the bound:
    rarely, as each drop costs the cache. One that is too long alone keeps its end. What the robot
    began to say in the middle of a turn of the user (`take_back`) is no part of the conversation.
    """

    max_tokens: int
    keep: float = 0.6
    count: Callable[[str], int] = estimate_tokens
    _turns: list[Turn] = field(default_factory=list)
    _robot: list[_Piece] = field(default_factory=list)  # the robot's words since the last turn
    _open_since: float | None = None
    _broke_in_at: tuple[float, ...] = ()  # when the robot began to speak in the middle of a turn
    dropped: int = 0  # turns
    dropped_words: int = 0  # of the robot, since the last turn

    @property
    def is_open(self) -> bool:
        """Whether the user speaks."""
        return self._open_since is not None

    def user_begins(self, t: float) -> None:
        """The user is heard since `t`."""
        if self._open_since is None:
            self._open_since = t

    def user_ends(self, utterance: int, text: str) -> None:
        """The user has said `text`; nothing, if it is empty."""
        since = self._open_since
        if text.strip():
            self._robot = self._meant()
            # A final is late: the turn may have been taken back since, or the next one.
            later = (t for t in self._broke_in_at if since is not None and t > since + _RACE_S)
            self._broke_in_at = tuple(later)
        before = self._robot if since is None else self._before(self._robot, since)
        after = self._robot[len(before) :]
        if text.strip():
            self._add_robot(before)
            self._turns.append(Turn('user', self._end_of(text.strip()), utterance))
            self._robot = after
        self._open_since = None
        self._bound()

    def robot_said(self, text: str, t: float) -> None:
        """The robot said this piece at `t`; pieces are joined as they are."""
        kept = self._end_of(text)
        self.dropped_words += kept != text
        if kept:
            self._robot.append(_Piece(kept, t))
        self._bound()

    def robot_said_until(self, t: float) -> str:
        """What the robot has said since the last turn and until `t`."""
        return ''.join(p.text for p in self._robot if not _is_after(p, t))

    def take_back(self, t: float) -> None:
        """The user's turn seemed to be over at `t`, and goes on: what they say next belongs to it.

        The robot's words between both were not meant to be said. If nothing was said next (it was
        a noise), they were.
        """
        self._broke_in_at = (*self._broke_in_at, t)[-_BROKE_IN:]

    def cut(self, t: float) -> int:
        """Forgets the robot's words from after `t`, as playback stopped; returns how many pieces.

        Only words of the answer that is being said can be cut.
        """
        said = [p for p in self._robot if not _is_after(p, t)]
        lost = len(self._robot) - len(said)
        if lost and said:
            said[-1] = _Piece(said[-1].text.rstrip() + '—', said[-1].t)
        self._robot = said
        return lost

    def turns_before(self, utterance: int) -> list[Turn]:
        """The turns that an answer to this utterance is based on, oldest first.

        Two user turns without an answer between them stay two; the prompt joins them.
        """
        turns = list(self._turns)
        for i, turn in enumerate(turns):
            if turn.role == 'user' and turn.utterance == utterance >= 0:
                return turns[:i]
        meant, since = self._meant(), self._open_since
        said = ''.join(p.text for p in (meant if since is None else self._before(meant, since)))
        if said.strip():
            turns.append(Turn('assistant', said.strip()))
        return turns

    def all_turns(self) -> list[Turn]:
        """Everything that was said so far, oldest first."""
        return self.turns_before(-2)

    def note(self, text: str) -> None:
        """Adds the result of an action, told in the user's role, after what was said."""
        self._add_robot(self._robot)
        self._robot = []
        self._turns.append(Turn('user', self._end_of(text)))
        self._bound(frozen=False)  # it is in the prompts from now on in any case

    def count_anew(self) -> None:
        """Utterances are numbered anew: a number of before names no turn any more."""
        self._turns = [replace(turn, utterance=-1) for turn in self._turns]

    def clear(self) -> None:
        """Forgets the conversation."""
        self._turns.clear()
        self._robot = []
        self._open_since, self._broke_in_at = None, ()

    def _meant(self) -> list[_Piece]:
        """The robot's words since the last turn, but those that broke in on the user."""
        since = self._open_since
        if since is None:
            return self._robot
        for begun in self._broke_in_at:
            if begun - _RACE_S <= since <= begun + _GOES_ON_S:
                until = since + _STOPS_S
                return [p for p in self._robot if not begun - _RACE_S <= p.t <= until]
        return self._robot

    @staticmethod
    def _before(pieces: list[_Piece], since: float) -> list[_Piece]:
        """The first of these words, up to the last one that was said before `since`."""
        places = [k for k, p in enumerate(pieces, 1) if p.t != since and not _is_after(p, since)]
        return pieces[: places[-1]] if places else []

    def _add_robot(self, pieces: list[_Piece]) -> None:
        text = ''.join(p.text for p in pieces).strip()
        if text:
            self._turns.append(Turn('assistant', text))

    def _end_of(self, text: str) -> str:
        """What of a text can be kept at all."""
        text = text[-_ENOUGH * (self.max_tokens + 1) :]
        while text and self.count(text) > self.max_tokens:
            text = text[max(len(text) // 8, 1) :].lstrip()
        return text

    def _size(self, pieces: list[_Piece] | None = None) -> int:
        """Tokens of the turns and of what the robot said since, or of these pieces of it."""
        said = ''.join(p.text for p in (self._robot if pieces is None else pieces))
        turns = sum(self.count(turn.text) for turn in self._turns)
        return turns + (self.count(said) if said else 0)

    def _bound(self, frozen: bool = True) -> None:
        if self._open_since is not None and frozen:
            self._bound_frozen(self._open_since)
            return
        if self._size() <= self.max_tokens:
            return
        aim = self.keep * self.max_tokens
        while self._turns and self._size() > aim:
            if len(self._turns) == 1 and not self._robot and self._size() <= self.max_tokens:
                return  # the last thing that was said, and it fits
            self._turns.pop(0)
            self.dropped += 1
        while len(self._turns) > 1 and self._turns[0].role != 'user':
            self._turns.pop(0)
            self.dropped += 1
        if self._size() > self.max_tokens:
            while self._robot and self._size() > aim:
                self._drop_word(0)

    def _bound_frozen(self, since: float) -> None:
        """While the user speaks, the turns stay: only words of the robot may go."""
        early = self._before(self._robot, since)
        late = self._robot[len(early) :]
        while early and self._size(early) > self.max_tokens:
            self._drop_word(self._robot.index(early.pop(0)))
        while late and self.count(''.join(p.text for p in late)) > self.max_tokens:
            self._drop_word(self._robot.index(late.pop(0)))

    def _drop_word(self, at: int) -> None:
        del self._robot[at]
        self.dropped_words += 1


def _is_after(piece: _Piece, t: float) -> bool:
    return t < piece.t < t + OTHER_CLOCK_S
