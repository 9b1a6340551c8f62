"""Makes the pieces of pronunciation of kame-small: merges of the sounds that most often meet.

`kame train small --anew` writes them to kame_ros/s2s/small/pieces.json: some minutes of one core.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from itertools import islice, pairwise
from pathlib import Path

from kame_ros.s2s.small.pieces import SIGNS, SILENT, STRESS, Pieces
from kame_ros.s2s.small.speaker import UnitVoice
from kame_ros.training.small.corpus import Corpus

SEED = 15  # of the corpus: other sentences than those that are trained on
SENTENCES = 30_000
SIZE = 1200  # the most pieces
SOUNDS = 4  # the most sounds of a piece
_SYMBOL = re.compile(f' ?[{STRESS}]?.')
_WORD = re.compile(f'[^\\s{re.escape(SIGNS + SILENT)}]+')


def make(texts: Path, sentences: int = SENTENCES) -> list[str]:
    """The names of the pieces; the first is empty."""
    voice, counts = UnitVoice(), Counter[str]()
    for text in islice(Corpus(texts).sentences(SEED), sentences):
        for phonemes in voice.phonemize(text):
            counts.update(_WORD.findall(phonemes))
    return pieces_of(counts, ''.join(voice.alphabet))


def pieces_of(counts: Counter[str], alphabet: str, size: int = SIZE) -> list[str]:
    """Pieces for words of such counts; the letters of `alphabet` alone are always among them.

    More are merged than are kept: longest match does without some that others were made of.
    """
    letters = [c for c in alphabet if c not in SIGNS + SILENT + STRESS + ' ']
    symbols = sorted({s for word in counts for s in _SYMBOL.findall(' ' + word)})
    base = [*SIGNS, *STRESS, *letters, ' ']
    base += [symbol for symbol in symbols if symbol not in base]
    merged = _merges(counts, size + size // 5 - len(base))
    used = Counter[str]()
    candidates = Pieces(['', *base, *merged])
    for word, count in counts.items():
        for token in candidates.encode(word):
            used[candidates.names[token]] += count
    best = sorted(merged, key=lambda name: -used[name])[: size - 1 - len(base)]
    return ['', *base, *best]


def _merges(counts: Counter[str], wanted: int) -> list[str]:
    """The pairs that most often stand side by side, merged one after the other."""
    words = [(_SYMBOL.findall(' ' + word), count) for word, count in counts.items()]
    pairs, where = Counter[tuple[str, str]](), dict[tuple[str, str], set[int]]()
    for i in range(len(words)):
        _count(words, [i], 1, pairs, where)
    found: list[str] = []
    while len(found) < wanted and pairs:
        pair = max(pairs, key=lambda pair: (pairs[pair], pair))
        changed = where.pop(pair, set())
        _count(words, changed, -1, pairs, where)
        pairs.pop(pair, None)
        if ''.join(pair) not in found:
            found.append(''.join(pair))
        for i in changed:
            words[i] = (_joined(words[i][0], pair), words[i][1])
        _count(words, changed, 1, pairs, where)
    return found


def _count(
    words: list[tuple[list[str], int]],
    chosen: Iterable[int],
    sign: int,
    pairs: Counter[tuple[str, str]],
    where: dict[tuple[str, str], set[int]],
) -> None:
    """Adds or takes away the pairs of some words; pairs too long for a piece are never counted."""
    for i in chosen:
        symbols, count = words[i]
        for pair in pairwise(symbols):
            if _sounds(''.join(pair)) > SOUNDS:
                continue
            pairs[pair] += sign * count
            where.setdefault(pair, set()).add(i)


def _joined(symbols: list[str], pair: tuple[str, str]) -> list[str]:
    out: list[str] = []
    for symbol in symbols:
        if out and (out[-1], symbol) == pair:
            out[-1] += symbol
        else:
            out.append(symbol)
    return out


def _sounds(piece: str) -> int:
    return sum(c not in STRESS + ' ' for c in piece)
