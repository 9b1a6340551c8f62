"""Words as pieces of pronunciation, one list for each word, as the voice's own rules say them."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import accumulate

from kame_ros.runtime import weights

Phonemes = Callable[[str], Sequence[str]]  # of a text, a string for each of its sentences
Encode = Callable[[str], list[int]]  # a string of phonemes to pieces

_REMEMBERED = 4096  # words
_MORE = 2  # groups that a word can have more than alone: "24" in "24 June" is "the 24th of"
_LOOKED_AT = 400  # ways to tell words apart, some ms


class Pronouncer:
    """Words of a sentence in, the pieces of each out.

    How a word is said depends on its neighbours ("the apple", "to go", "I read"), so that they are
    pronounced together and told apart afterwards. `failures` counts words and sentences that the
    rules could not read, `alone` words that could not be told apart and are said as if alone.
    """

    def __init__(self, phonemes: Phonemes, encode: Encode) -> None:
        self._phonemes, self._encode = phonemes, encode
        self._known = lru_cache(_REMEMBERED)(self._groups_alone)
        self.failures = self.alone = 0

    def pieces(self, words: Sequence[str]) -> list[tuple[int, ...]]:
        """The pieces of each word; none of a word that cannot be said."""
        groups = self._groups(words)
        counts: Sequence[int] | None = [1] * len(words)
        if len(groups) != len(words):
            alone = [self._known(word) for word in words]
            counts = [len(each) for each in alone]
            if sum(counts) != len(groups):
                counts = told_apart(alone, groups) if groups else None
        if counts is None:
            self.alone += len(words)
            return [self._encoded(self._known(word)) for word in words]
        ends = list(accumulate(counts))
        return [
            self._encoded(groups[end - count : end])
            for end, count in zip(ends, counts, strict=True)
        ]

    def _groups(self, words: Sequence[str]) -> list[str]:
        """What stands between the spaces of the phonemes of some words."""
        try:
            return ' '.join(self._phonemes(' '.join(words))).split()
        except Exception:  # hibari's rules raise IndexError for some numbers
            self.failures += 1
            return []

    def _groups_alone(self, word: str) -> tuple[str, ...]:
        return tuple(self._groups([word]))

    def _encoded(self, groups: Sequence[str]) -> tuple[int, ...]:
        return tuple(self._encode(' '.join(groups))) if groups else ()


def told_apart(alone: Sequence[Sequence[str]], groups: Sequence[str]) -> list[int] | None:
    """How many of the groups of a sentence belong to each word, by how the word is said alone.

    In "June 24, 2018" the day is one group, "twentyfourth", and alone it is two. The way with the
    least difference is taken; None if there is none, or too many to look at.
    """
    waiting: list[tuple[float, int, int, tuple[int, ...]]] = [(0.0, 0, 0, ())]
    done: set[tuple[int, int]] = set()
    while waiting and len(done) < _LOOKED_AT:
        cost, word, place, counts = heapq.heappop(waiting)
        if (word, place) in done:
            continue
        done.add((word, place))
        if word == len(alone):
            if place == len(groups):
                return list(counts)
            continue
        most = min(len(alone[word]) + _MORE, len(groups) - place)
        for count in range(min(1, len(alone[word])), most + 1):
            more = _difference(''.join(alone[word]), ''.join(groups[place : place + count]))
            step = (cost + more, word + 1, place + count, (*counts, count))
            heapq.heappush(waiting, step)
    return None


@lru_cache(_REMEMBERED)
def _difference(one: str, other: str) -> float:
    """In how many sounds, about, two ways to say a word differ."""
    if one == other:
        return 0.0
    alike = SequenceMatcher(None, one, other, autojunk=False).ratio()
    return (1 - alike) * (len(one) + len(other))


def hibari_phonemes() -> Phonemes:
    """Hibari's rules, loaded in 0.5 s. Raises MissingWeights or CorruptWeights."""
    weights.find('hibari', 'tts')
    from hibari import Hibari
    from hibari.g2p import G2P

    rules = G2P()
    rules('Zyxquon')  # the network for words that are in no lexicon is loaded when it is needed

    def phonemes(text: str) -> list[str]:
        found = (rules(sentence) for sentence in Hibari.split_sentences(text))
        return [sentence for sentence in found if sentence]

    return phonemes
