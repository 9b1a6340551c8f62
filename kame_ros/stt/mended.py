"""Repairs what an engine answered, so that the rest can rely on it. Pure functions."""

from __future__ import annotations

import math
from dataclasses import replace

from kame_ros.stt.recogniser import Hypothesis
from kame_ros.wire.transcript import Word

_WORDS_PER_S, _WORDS_SPARE = 15.0, 20  # nobody speaks so fast
_CHARACTERS_PER_S, _CHARACTERS_SPARE = 60.0, 200
_SLACK_S = 0.5  # a time this far from where it can be is an engine's habit, and no oddity
_LONGEST_CODE = 16  # of a language
_JOINERS = '\u200c\u200d'  # they shape the letters of Persian, Hindi and others


def mended(hypothesis: Hypothesis, seconds: float) -> tuple[Hypothesis, bool]:
    """The hypothesis with times inside the sound and text that can be sent; whether it was odd.

    Starts never go back. Times that are no numbers become those of the neighbours. Line breaks and
    what no text of ROS holds (NUL, halves of surrogate pairs) become blanks. Words without text go,
    and all beyond what anybody can say in `seconds`.
    """
    odd = False
    words: list[Word] = []
    start = 0.0
    settled = 0
    room = _CHARACTERS_SPARE + int(_CHARACTERS_PER_S * seconds)
    for i, word in enumerate(hypothesis.words):
        text = clean(word.text)
        room -= len(text)
        if room < 0 or len(words) >= _WORDS_SPARE + _WORDS_PER_S * seconds:
            odd = True
            break
        odd |= text != word.text
        if not text.strip():
            continue
        start, begun = _inside(word.start, start, seconds), word.start
        end = _inside(word.end, start, seconds)
        chance = word.probability if 0.0 <= word.probability <= 1.0 else 0.0  # nan is neither
        odd |= not (abs(start - begun) <= _SLACK_S and abs(end - word.end) <= _SLACK_S)
        odd |= chance != word.probability
        words.append(Word(text, start, end, chance))
        settled += i < hypothesis.settled
    out = replace(
        hypothesis,
        words=_apart(words),
        log_probability=_number(hypothesis.log_probability),
        no_speech=_number(hypothesis.no_speech),
        language=clean(hypothesis.language or '')[:_LONGEST_CODE].strip(),
        settled=settled,
    )
    return out, odd


def clean(text: str) -> str:
    """The text without what no message of ROS can hold, and on one line."""
    if text.isprintable():
        return text
    return ''.join(c if c.isprintable() or c in _JOINERS else ' ' for c in text)


def _apart(words: list[Word]) -> tuple[Word, ...]:
    """With a blank before the first word too, where the words have blanks between them.

    It does not run into the one before it when the sound was cut there.
    """
    if not words or words[0].text[0].isspace():
        return tuple(words)
    blanks = words[0].text.isascii() or any(word.text[0].isspace() for word in words[1:])
    first = replace(words[0], text=' ' + words[0].text) if blanks else words[0]
    return (first, *words[1:])


def _inside(t: float, least: float, most: float) -> float:
    return min(max(t, least), most) if math.isfinite(t) else least


def _number(value: float) -> float:
    return value if math.isfinite(value) else 0.0
