"""Refuses what Whisper invents: loops, phrases of its training, words in noise. Pure functions."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from kame_ros.stt.agreement import has_number, plain
from kame_ros.stt.recogniser import Hypothesis
from kame_ros.text.lists import word_set
from kame_ros.wire.transcript import Word

_SHORTEST_DIGIT_S = 0.08  # of the fastest talkers, in the mean
_SHORTEST_WORD_S = 0.1
# Digits that are written as words: telephone numbers repeat them, in these languages at least.
_DIGIT_WORDS = word_set("""
    zero oh nought one two three four five six seven eight nine double triple
    null eins zwei zwo drei vier fünf sechs sieben acht neun
    zéro un deux trois quatre cinq six sept huit neuf
    cero uno dos tres cuatro cinco seis siete ocho nueve
    due tre quattro cinque sei sette otto nove
""")

# What Whisper says to noise: the ends of its training videos (openai/whisper discussions 679).
OUTROS = frozenset(
    {
        'you',
        'bye',
        'thankyou',
        'thankyouforwatching',
        'thanksforwatching',
        'pleasesubscribe',
        'thankyouverymuch',
        'oh',
        'so',
        'silence',
        'music',
        'applause',
    }
)


@dataclass(frozen=True)
class GuardConfig:
    """Limits. `compression` and `log_probability` are Whisper's own (openai/whisper)."""

    compression: float = 2.4  # text length over its zlib length: higher is a loop
    log_probability: float = -1.0  # a mean below this is a guess
    no_speech: float = 0.6
    outro_no_speech: float = 0.2  # an outro is believed only if the model hears speech
    outro_probability: float = 0.6
    short_s: float = 0.5  # s of voice: less needs `short_probability`
    short_probability: float = 0.35


def compression_ratio(text: str) -> float:
    """How often the text repeats itself: its bytes over its bytes deflated."""
    data = text.encode()
    return len(data) / len(zlib.compress(data)) if data else 0.0


def without_loops(words: Sequence[Word], config: GuardConfig) -> list[Word]:
    """The words with every run of a repeated phrase cut down to one.

    A run is one word said 5 times or more, two to eight words said 3 times or more: people say
    'no no no', a decoder that loops says more. What still compresses too well is a loop of
    another kind: it is cut where it begins to. Numbers do repeat ('42 42 42 42 42'), and so does
    what is heard around them: they are a loop only if nobody could have said them in that time.
    """
    texts = [plain(word.text) for word in words]
    kept: list[int] = []
    i = 0
    while i < len(texts):
        size, times = _run(texts, i)
        until = i + size * times
        kept += range(i, until if _is_spoken_number(words[i:until]) else i + size)
        i = until
    out = [words[i] for i in kept]
    while len(out) > 1 and _compression(out) > config.compression:
        out = out[: len(out) * 3 // 4]
    return out


def _compression(words: Sequence[Word]) -> float:
    return compression_ratio(''.join(w.text for w in words if not _is_spoken_number([w])))


def _is_spoken_number(words: Sequence[Word]) -> bool:
    """Whether there are digits in these words, and time enough to have said all of them."""
    digits = sum(c.isnumeric() for word in words for c in word.text)
    spelt = sum(plain(word.text) in _DIGIT_WORDS for word in words)
    others = sum(not has_number(word.text) for word in words)
    seconds = words[-1].end - words[0].start if words else 0.0
    enough = seconds >= digits * _SHORTEST_DIGIT_S + others * _SHORTEST_WORD_S
    return enough and (digits > 0 or (0 < spelt == len(words)))


def _run(texts: Sequence[str], i: int) -> tuple[int, int]:
    """The phrase that begins at i: its length and how often it is said in a row."""
    for size in range(1, 9):
        times = 1
        while texts[i : i + size] == texts[i + times * size : i + (times + 1) * size]:
            times += 1
        if times >= (5 if size == 1 else 3):
            return size, times
    return 1, 1


def is_noise(hypothesis: Hypothesis, voiced: float, config: GuardConfig) -> bool:
    """Whether nobody said that, in an utterance with `voiced` seconds of voice."""
    words = hypothesis.words
    said = plain(hypothesis.text)
    if not said:
        return True
    probability = sum(word.probability for word in words) / len(words)
    if hypothesis.log_probability < config.log_probability:
        return hypothesis.no_speech > config.no_speech or probability < config.short_probability
    if said in OUTROS and (
        hypothesis.no_speech > config.outro_no_speech or probability < config.outro_probability
    ):
        return True
    return voiced < config.short_s and probability < config.short_probability
