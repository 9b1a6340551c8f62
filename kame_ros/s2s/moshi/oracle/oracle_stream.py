"""The oracle stream of one session: snapshots of what to say in, one token for each frame out."""

from __future__ import annotations

from typing import Literal

from kame_ros.s2s.moshi.oracle.growing_text import Encode, GrowingText
from kame_ros.s2s.moshi.oracle.token_feed import FifoFeed, PositionalFeed, TokenFeed
from kame_ros.text.speakable import SpokenText
from kame_ros.wire.oracle import Oracle

Mode = Literal['fifo', 'positional']
Key = tuple[str, int, int]
Answered = tuple[str, int, int]  # who answers which utterance of the user, in which life


class OracleStream:
    """Turns the growing text of ever newer oracles into oracle tokens.

    `fifo` feeds every token, on the next free frame; `positional` does as the reference does, which
    loses late ones. A new generation replaces the old one at its first token; where it answers the
    same utterance and begins with what was already fed, only the rest is fed. The model is given
    the text as it is said ("minus 5 degrees Celsius"), not as it is written; with `positional` as
    it is written, as by the reference. `encode` is the tokeniser of the checkpoint.

    >>> stream = OracleStream(lambda text: [ord(c) for c in text], start=0, padding=3)
    >>> stream.update(Oracle('llm', 1, 'a b'))
    >>> stream.next(), stream.next(), stream.next()
    (0, 97, 3)
    """

    def __init__(
        self,
        encode: Encode,
        start: int,
        padding: int,
        mode: Mode = 'fifo',
    ) -> None:
        if mode not in ('fifo', 'positional'):
            raise ValueError(
                f"the mode of an oracle stream is 'fifo' or 'positional', not {mode!r}"
            )
        self._encode = encode
        self._positional = mode == 'positional'
        self._feed: TokenFeed
        if self._positional:
            self._feed = PositionalFeed(start, padding)
        else:
            self._feed = FifoFeed(start, padding)
        self._cleared = self._rewritten = self._generations = 0
        self._start_over()

    def _start_over(self) -> None:
        self._current: Key | None = None  # whose tokens are fed
        self._answered: Answered | None = None  # what the current one answers
        self._answering: Answered | None = None  # what the arriving one answers
        self._arriving: Key | None = None  # the newest seen; it is not current before it has tokens
        self._forgotten: Key | None = None
        self._spoken = SpokenText()
        self._text = GrowingText(self._encode)
        self._waited: list[int] = []  # tokens of the arriving generation that repeat what was fed
        self._ended = False

    @property
    def current(self) -> Key | None:
        """The generation whose tokens are being fed, or were fed last."""
        return self._current

    @property
    def exhausted(self) -> bool:
        """Whether the current generation is complete and all of it was fed."""
        return (
            self._current is not None
            and self._current == self._arriving
            and self._ended
            and not self._feed.waiting()
        )

    def update(self, oracle: Oracle | None) -> None:
        """Takes what the robot should say now, as far as it is known, or None for nothing."""
        if oracle is None:
            if self._arriving is not None:
                self._cleared += self._feed.drop()
            self._current = self._arriving = None
            return
        if oracle.key == self._forgotten:
            return
        text = oracle.text
        if not self._positional:
            text = self._spoken.update(text, oracle.ended)
        if oracle.key != self._arriving:
            self._arrive(oracle)
        elif not text.startswith(self._text.text):
            self._rewritten += 1
            self._arrive(oracle)
        self._ended = oracle.ended
        tokens = self._text.update(text, oracle.ended)
        if self._current == self._arriving:
            self._feed.append(tokens)
        elif tokens or self._waited:
            self._adopt(self._waited + tokens)

    def _arrive(self, oracle: Oracle) -> None:
        key = self._arriving = oracle.key
        answers = (oracle.source, oracle.utterance, oracle.life)
        self._answering = answers if oracle.utterance >= 0 else None
        self._text = GrowingText(self._encode)
        self._waited = []
        if self._current == key:
            self._current = None  # the same generation, rewritten: adopted anew

    def _adopt(self, tokens: list[int]) -> None:
        """Lets the arriving generation, of which `tokens` are known, replace the one before."""
        spent = self._feed.spent()
        # Another turn may have the same answer, which then has to be given again.
        same_turn = self._answering is not None and self._answering == self._answered
        if self._positional or not spent or self._current is None or not same_turn:
            self._feed.restart(tokens)
        elif tokens[: len(spent)] == spent:  # it goes on where the old one is
            self._feed.superseded += _count_lost(self._feed.waiting(), tokens[len(spent) :])
            self._feed.drop()
            self._feed.append(tokens[len(spent) :])
        elif not self._ended and tokens == spent[: len(tokens)]:
            self._feed.superseded += self._feed.drop()
            self._waited = tokens  # too short to tell: so far it repeats what was fed
            return
        else:
            self._feed.restart(tokens)
        self._current, self._answered = self._arriving, self._answering
        self._waited = []
        self._generations += 1

    def next(self) -> int:
        """The oracle token for this frame; call it once for each step of the model."""
        return self._feed.next()

    @property
    def fed(self) -> list[int]:
        """The tokens of the current text that were fed."""
        return self._feed.spent()

    def again(self) -> None:
        """Feeds the current text, which is exhausted, once more from its beginning."""
        self._feed.restart(list(self._feed.spent()))

    def clear(self) -> None:
        """Barge-in: forgets what is being said; snapshots of it that still come are ignored."""
        self._cleared += self._feed.drop()
        self._forgotten = self._arriving or self._forgotten
        self._current = self._arriving = None

    def reset(self) -> None:
        """The end of a session: nothing of it reaches the next one."""
        self._cleared += len(self._feed.waiting())
        self._feed.reset()
        self._start_over()

    def counters(self) -> dict[str, int]:
        """Totals since the beginning, over all sessions; `pending` is what waits now."""
        return {
            'oracle_fed': self._feed.fed,
            'oracle_pending': len(self._feed.waiting()),
            'oracle_superseded': self._feed.superseded,
            'oracle_late': self._feed.late,
            'oracle_cleared': self._cleared,
            'oracle_generations': self._generations,
            'oracle_rewritten': self._rewritten,
        }


def _count_lost(old: list[int], new: list[int]) -> int:
    """How many tokens of `old` are not where they were in `new`."""
    same = 0
    for a, b in zip(old, new, strict=False):
        if a != b:
            break
        same += 1
    return len(old) - same
