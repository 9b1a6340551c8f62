"""What kame-small sees of the oracle: the pieces that come next, and a mark for another text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import numpy as np

from kame_ros.s2s.front_end import Piece
from kame_ros.s2s.small.own_words import OwnWords
from kame_ros.text.spoken_words import GrowingWords, SpokenWord
from kame_ros.wire.oracle import Oracle

Key = tuple[str, int, int]
Answered = tuple[str, int, int]  # who answers which utterance of the user, in which life
Pronounce = Callable[[Sequence[str]], list[tuple[int, ...]]]  # the pieces of each word

_COUNTERS = (
    'words_spoken words_own words_superseded words_cleared words_unspeakable pieces_skipped '
    'pieces_unknown oracle_generations oracle_rewritten'
)
_AT_ONCE = 8  # words pronounced in a step, about 1 ms
_ENOUGH = 32  # pieces that are known ahead: more are not pronounced yet
_BEFORE, _AFTER = 24, 2  # words of the sentence around them that tell how they are said
_STALLED = 6  # frames, 0.48 s: a text that does not grow is said as far as it is known
_WORD_ENDS = 12  # frames, 0.96 s, in which a word that was begun is said to its end
_READY = 3  # pieces
_REMEMBERED = 32  # texts that made room for others
_NEAR = 3  # words: what was said wrongly only so far back is put right without its sentence


class OracleWindow:
    """Snapshots of what to say in; for each frame the next pieces out, and what the model said.

    This is flow control: a piece leaves the window when the model has said it. A new generation
    replaces the old one at its first word and is marked; where it answers the same utterance and
    begins with what was said already, it goes on without a mark. Where it contradicts what was
    said, it begins at the contradiction, or with its sentence. A word that was begun is said to its
    end first. What was pronounced once never changes. A text that made room for another source goes
    on where it was left.
    """

    def __init__(self, pronounce: Pronounce, end: int, own: OwnWords, ahead: int = 6) -> None:
        """`end` is the piece that ends a text, `ahead` how many pieces the model sees."""
        self._pronounce, self._end, self._own, self._ahead = pronounce, end, own, ahead
        self._count = dict.fromkeys(_COUNTERS.split(), 0)
        self._joined = True  # no space before the next word, as at the start of a session
        self._start_over()

    def _start_over(self) -> None:
        self._current: Key | None = None  # whose pieces are in the window
        self._answered: Answered | None = None  # what the current one answers
        self._arriving: Key | None = None  # the newest seen; not current before it has words
        self._answering: Answered | None = None
        self._adopted = False  # the arriving one is the current one
        self._forgotten: Key | None = None
        self._growing = GrowingWords()
        self._text, self._ended = '', False
        self._still = 0  # frames since the text grew
        self._held = 0  # frames for which the arriving one has waited for the end of a word
        self._words: list[SpokenWord] = []  # of the current one
        self._whole = False  # these are all of them
        self._pieces: list[tuple[int, ...]] = []  # of the first of these words
        self._word = self._place = 0  # which piece of which word comes next
        self._mark = 0
        self._left: dict[Key, list[str]] = {}  # the words said of what others came before

    @property
    def long_openings(self) -> tuple[int, ...]:
        """The pieces that begin what the robot says of its own accord, if that is several words."""
        return self._own.long_ones

    @property
    def sayable(self) -> tuple[int, ...]:
        """The pieces that may come next: of the text, where one may be left out, or of a phrase of
        the robot's own. What else a model may say is nobody's word.
        """
        due = islice(self._rest(), 2) if self._current is not None else ()
        return (*due, *self._own.next_ones)

    @property
    def current(self) -> Key | None:
        """The generation that is in the window, or was said last."""
        return self._current

    @property
    def begun(self) -> int:
        """Of how many words of the text the first piece was said."""
        return self._word + (self._place > 0)

    def has_begun(self, oracle: Oracle) -> bool:
        """Whether a word was said of it, or of what it puts right: an answer to the same."""
        if self._current is None or not self.begun:
            return False
        same = self._answered is not None and self._answered == _answered_by(oracle)
        return same or oracle.key == self._current

    @property
    def inside_word(self) -> bool:
        """Whether a word of the text was begun and has pieces that were not said."""
        return self._current is not None and self._place > 0

    @property
    def exhausted(self) -> bool:
        """Whether the current generation is complete and all of it was said."""
        return self._adopted and self._complete and not self.due

    @property
    def due(self) -> bool:
        """Whether a piece of the oracle is there to be said."""
        return self._current is not None and next(self._rest(), 0) > 0

    @property
    def ready(self) -> bool:
        """Whether enough of it is known to begin, or to go on, or all."""
        known = self._current is not None and len(list(islice(self._rest(), _READY))) == _READY
        return known or (self.due and self._complete)

    @property
    def _complete(self) -> bool:
        known = self._whole and len(self._pieces) == len(self._words)
        return self._current is not None and known

    def update(self, oracle: Oracle | None) -> None:
        """Takes what the robot should say now, as far as it is known, or None for nothing."""
        if oracle is None:
            if self._arriving is not None:
                self._count['words_cleared'] += self._unsaid()
            self._leave()
            self._current = self._arriving = None
            self._adopted = False
            return
        if oracle.key == self._forgotten:
            return
        changed = not oracle.text.startswith(self._text)
        if oracle.key != self._arriving or changed:
            self._count['oracle_rewritten'] += oracle.key == self._arriving
            self._arrive(oracle)
        grown = (oracle.text, oracle.ended) != (self._text, self._ended)
        self._still = 0 if grown else self._still + 1
        self._text, self._ended = oracle.text, oracle.ended
        unspeakable = self._growing.unspeakable
        words = self._growing.update(oracle.text, oracle.ended)
        self._count['words_unspeakable'] += max(0, self._growing.unspeakable - unspeakable)
        if words and not self._adopted:
            self._adopt(words)
        if self._adopted:
            self._words, self._whole = words, oracle.ended
        if self._current is not None:
            self._look_ahead()

    def _arrive(self, oracle: Oracle) -> None:
        self._arriving = oracle.key
        self._answering = _answered_by(oracle)
        self._growing = GrowingWords()
        self._text, self._ended, self._adopted = '', False, False
        self._held = 0

    def _adopt(self, words: list[SpokenWord]) -> None:
        """Lets the arriving text, of which `words` are known, replace the current one."""
        # Another turn may have the same answer, which then has to be given again.
        same_turn = self._answering is not None and self._answering == self._answered
        begun = self.begun if self._current is not None else 0
        said = begun if same_turn else 0
        agreed = _agreement(self._words[:said], words)
        if said and agreed == said:  # it goes on where the old one is
            self._count['words_superseded'] += len(self._words) - begun
            del self._pieces[begun:]
        elif said and agreed == len(words) and not self._ended:
            return  # so far it repeats what was said: the old one goes on until that is known
        elif self._current is not None and self._place and self._held < _WORD_ENDS:
            self._held += 1
            return
        else:
            self._count['words_superseded'] += self._unsaid()
            self._leave()
            start = self._resumed(words) or _restart(words, agreed, said)
            self._pieces = [()] * start
            self._word, self._place = start, 0
            self._mark = int(start < len(words) or not self._ended)
        self._current, self._answered, self._adopted = self._arriving, self._answering, True
        self._count['oracle_generations'] += 1

    def _leave(self) -> None:
        """Remembers how far the current text was said, should it come back."""
        if self._current is not None and self.begun:
            self._left[self._current] = [word.key for word in self._words[: self.begun]]
            if len(self._left) > _REMEMBERED:
                del self._left[next(iter(self._left))]

    def _resumed(self, words: list[SpokenWord]) -> int:
        """How many words of the arriving text were said before another source came."""
        said = self._left.pop(self._arriving, []) if self._arriving is not None else []
        return len(said) if said == [word.key for word in words[: len(said)]] else 0

    def _look_ahead(self) -> None:
        """Pronounces the next words of a sentence, a few at a time."""
        done, known = len(self._pieces), sum(1 for _ in islice(self._rest(), _ENOUGH))
        # Words that follow tell how a word is said: as many as there is time for.
        follow = 0 if self._settled() else 2 if known >= self._ahead else 1
        ready = len(self._words) - follow
        if done >= ready or known == _ENOUGH:
            return
        upto = _sentence_end(self._words, done, min(ready, done + _AT_ONCE))
        first = max(_sentence_start(self._words, done), done - _BEFORE)
        last_read = _sentence_end(self._words, done, min(len(self._words), upto + _AFTER))
        found = self._pronounce([word.speech for word in self._words[first:last_read]])
        new = found[done - first : upto - first]
        self._count['words_unspeakable'] += sum(1 for pieces in new if not pieces)
        self._pieces += new
        self._pass_over()

    def _settled(self) -> bool:
        """Whether what follows the known words, if anything, cannot change how they are said."""
        last = self._words[-1:]
        return self._whole or self._still >= _STALLED or any(w.pause or w.stop for w in last)

    def _pass_over(self) -> None:
        """Goes to the next word that can be said, where all of this one was said."""
        while self._word < len(self._pieces) and self._place == len(self._pieces[self._word]):
            self._word, self._place = self._word + 1, 0

    def _rest(self) -> Iterator[int]:
        """The pieces that are known and not said."""
        place = self._place
        for pieces in self._pieces[self._word :]:
            yield from pieces[place:]
            place = 0

    def row(self) -> tuple[np.ndarray, int]:
        """The window as it is now, int[ahead], and the mark, which is given once."""
        row = np.zeros(self._ahead, np.int64)
        if self._current is not None:
            rest = list(islice(self._rest(), self._ahead))
            if len(rest) < self._ahead and self._complete:
                rest.append(self._end)
            row[: len(rest)] = rest
        mark, self._mark = self._mark, 0
        return row, mark

    def said(self, piece: int) -> tuple[Piece, ...]:
        """Takes the piece that began in this frame; gives the words that begin with it."""
        if not piece:
            return ()
        due = list(islice(self._rest(), 2)) if self._current is not None else []
        if due and piece == due[0]:
            return self._advance(1)
        if not self._own.goes_on(piece) and len(due) > 1 and piece == due[1]:
            self._count['pieces_skipped'] += 1
            return self._advance(2)
        text = self._own.say(piece)
        if text is None:
            self._count['pieces_unknown'] += 1
        if not text:
            return ()
        self._count['words_own'] += 1
        return (Piece(self._spaced(text)),)

    def _advance(self, count: int) -> tuple[Piece, ...]:
        self._own.forget()
        begun = []
        for _ in range(count):
            if not self._place:
                begun.append(self._words[self._word])
            self._place += 1
            self._pass_over()
        self._count['words_spoken'] += len(begun)
        assert self._current is not None
        return tuple(Piece(self._spaced(word.text, word.broken), *self._current) for word in begun)

    def _spaced(self, text: str, broken: bool = False) -> str:
        """A word with the space before it, where there is one."""
        joined, self._joined = self._joined, broken
        return text if joined else f' {text}'

    def clear(self) -> None:
        """Forgets what is being said; snapshots of it that still come are ignored."""
        self._count['words_cleared'] += self._unsaid()
        self._forgotten = self._arriving or self._forgotten
        self._current = self._arriving = None
        self._adopted = False
        self._mark = 0
        self._own.forget()

    def reset(self) -> None:
        """The end of a session: nothing of it reaches the next one."""
        self._count['words_cleared'] += self._unsaid()
        self._own.forget()
        self._joined = True
        self._start_over()

    def _unsaid(self) -> int:
        """How many words of the current text are known and were not begun."""
        return len(self._words) - self.begun if self._current is not None else 0

    def counters(self) -> dict[str, int]:
        """Totals since the beginning, over all sessions; `oracle_pending` words wait now."""
        return {**self._count, 'oracle_pending': self._unsaid()}


def _answered_by(oracle: Oracle) -> Answered | None:
    """What it answers; None: nothing that the user said."""
    return (oracle.source, oracle.utterance, oracle.life) if oracle.utterance >= 0 else None


def _agreement(said: Sequence[SpokenWord], words: Sequence[SpokenWord]) -> int:
    """How many words two texts have in common at their beginning."""
    count = 0
    for old, new in zip(said, words, strict=False):
        if old.key != new.key:
            break
        count += 1
    return count


def _restart(words: Sequence[SpokenWord], agreed: int, said: int) -> int:
    """From which word on a text is said that has `agreed` words of the `said` ones."""
    if agreed == len(words):
        return agreed  # all of it was said, and more
    if said - agreed <= _NEAR and not any(word.stop for word in words[agreed : said - 1]):
        return agreed
    return _sentence_start(words, agreed)


def _sentence_start(words: Sequence[SpokenWord], index: int) -> int:
    while index > 0 and not words[index - 1].stop:
        index -= 1
    return index


def _sentence_end(words: Sequence[SpokenWord], index: int, limit: int) -> int:
    """The end of the sentence of the word at `index`, or `limit`."""
    while index < limit:
        index += 1
        if words[index - 1].stop:
            break
    return index
