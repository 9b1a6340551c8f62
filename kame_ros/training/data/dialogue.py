"""A dialogue of two speakers with the time of each word: what all training data begins with."""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

from kame_ros.text.misfit import misfit
from kame_ros.text.well_formed import written_name

SPEAKERS = ('A', 'B')
OVERLAP_S = 0.02  # s by which two words of one speaker may overlap: aligners round
REMARK_WORDS, REMARK_S = 2, 1.0  # the most that a back-channel may have
CLOSE_S = 0.6  # s between two words of a speaker who has not stopped for the other one


class DataError(ValueError):
    """Training data that cannot be used, with the file and the reason."""


@dataclass(frozen=True)
class DialogueWord:
    """A word of a speaker, in seconds from the beginning of the recording."""

    speaker: str
    text: str
    start: float
    end: float


@dataclass(frozen=True)
class DialogueUtterance:
    """A turn: what one speaker says before the other one takes over.

    `places` are the numbers of its words among those of the dialogue.
    """

    speaker: str
    words: tuple[DialogueWord, ...]
    places: tuple[int, ...]

    @property
    def text(self) -> str:
        """The words, with spaces between them."""
        return ' '.join(word.text for word in self.words)

    @property
    def end(self) -> float:
        """When its last word ends, in seconds."""
        return self.words[-1].end


@dataclass(frozen=True)
class Dialogue:
    """The words of both speakers in the order in which they begin. Raises DataError."""

    name: str
    words: tuple[DialogueWord, ...]

    def __post_init__(self) -> None:
        for word in self.words:
            if word.speaker not in SPEAKERS:
                raise DataError(f'{self.name}: the speaker of a word is A or B, not {word.speaker}')
            if not 0 <= word.start <= word.end < math.inf:
                raise DataError(
                    f'{self.name}: the word {word.text!r} goes from {word.start} s to {word.end} s'
                )
        for speaker in SPEAKERS:
            own = [word for word in self.words if word.speaker == speaker]
            for one, two in pairwise(own):
                if two.start < one.end - OVERLAP_S:
                    raise DataError(
                        f'{self.name}: the words {one.text!r} and {two.text!r} of {speaker} '
                        f'overlap at {two.start:.2f} s'
                    )

    @property
    def end(self) -> float:
        """When the last word ends, in seconds."""
        return max((word.end for word in self.words), default=0.0)

    def utterances(self) -> Iterator[DialogueUtterance]:
        """The turns: a pause does not end one, only the other speaker does.

        A back-channel ("uh-huh") does not end a turn, and is none: it belongs to `remarks`.
        """
        remarks = self.remarks()
        turns = [(place, word) for place, word in enumerate(self.words) if place not in remarks]
        for speaker, group in groupby(turns, lambda turn: turn[1].speaker):
            places, words = zip(*group, strict=True)
            yield DialogueUtterance(speaker, words, places)

    def remarks(self) -> frozenset[int]:
        """The numbers of the words that are back-channels.

        That is at most 2 words in 1 s, with silence of their speaker around them, while the other
        one goes on: said during a word of theirs, or between two that are at most 0.6 s apart. The
        reply to a word with a question mark is an answer, however short.
        """
        found: set[int] = set()
        for speaker in SPEAKERS:
            others = [word for word in self.words if word.speaker != speaker]
            begins = [word.start for word in others]
            for places in self._phrases(speaker):
                words = [self.words[place] for place in places]
                if len(words) > REMARK_WORDS or words[-1].end - words[0].start > REMARK_S:
                    continue
                after = bisect_right(begins, words[0].start)
                if after and _goes_on(others[after - 1], others[after : after + 1], words[-1].end):
                    found.update(places)
        return frozenset(found)

    def _phrases(self, speaker: str) -> Iterator[list[int]]:
        """The numbers of the words that a speaker says without a pause."""
        phrase: list[int] = []
        for place, word in enumerate(self.words):
            if word.speaker != speaker:
                continue
            if phrase and word.start - self.words[phrase[-1]].end > CLOSE_S:
                yield phrase
                phrase = []
            phrase.append(place)
        if phrase:
            yield phrase


def _goes_on(before: DialogueWord, after: list[DialogueWord], end: float) -> bool:
    """Whether the speaker of `before` did not stop for what was said after it began, up to `end`.

    `after` holds their next word, if there is one.
    """
    if end <= before.end:
        return True
    asked = before.text.endswith('?')
    return bool(after) and not asked and after[0].start - before.end <= CLOSE_S


def load(path: Path) -> Dialogue:
    """Reads a list of {speaker, word, start, end}, the format of SakanaAI/kame_finetune.

    A word without letters, as aligners write a pause, is left out. Raises DataError, which names
    the file, for what is no such list, or has words without times.
    """
    try:
        rows = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f'{path} cannot be read: {misfit(error)}') from error
    words = [_word(path, row) for row in rows] if isinstance(rows, list) else []
    words = [word for word in words if word.text]
    if not words:
        raise DataError(f'{path} should hold a list of words, {{speaker, word, start, end}}')
    words.sort(key=lambda word: (word.start, word.end))
    return Dialogue(written_name(path.stem), tuple(words))


def _word(path: Path, row: Any) -> DialogueWord:
    try:
        text, speaker = row['word'], str(row['speaker'])
        start, end = row['start'], row['end']
        text = '' if text is None else str(text).strip()
    except KeyError as error:
        raise DataError(f'{path}: a word has no {error}: {row}') from error
    except TypeError as error:
        raise DataError(f'{path}: a word is no table, but {row!r}') from error
    if not isinstance(start, (int, float)) or not isinstance(end, (int, float)):
        raise DataError(
            f'{path}: the word {text!r} has no times: align the transcript first (for instance '
            'with whisper --word_timestamps or the Montreal Forced Aligner)'
        )
    try:
        return DialogueWord(speaker, text, float(start), float(end))
    except OverflowError as error:
        raise DataError(f'{path}: the word {text!r}: {misfit(error)}') from error
