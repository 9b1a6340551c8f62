"""Makes the codebooks of kame-small's voice: k-means over what the voice gives for a corpus.

`kame train small --anew` writes them to kame_ros/s2s/small/codebooks.npz: three minutes of one core
and 1.5 GB of memory for 4,000 sentences of `corpus`. Words that whisper-base hears
wrong, in 120 sentences of three kinds (short ones, as an LLM answers, with figures and names; 1,232
words): of the voice itself 0.015, as codes 0.022, as codes in a stream 0.022.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np

from kame_ros.s2s.small.speaker import AUDIBLE, UnitVoice
from kame_ros.s2s.small.units import (
    CARD,
    DECODER_FRAMES,
    ENERGY,
    HIDDEN,
    PITCH,
    Codebooks,
    nearest,
)
from kame_ros.training.small.corpus import Corpus

SEED = 14  # of the corpus: other sentences than those that are trained on
SENTENCES = 4000
ROUNDS = 15


def make(texts: Path, sentences: int = SENTENCES) -> dict[str, np.ndarray]:
    """The books as float16 and the codes of silence, as `Codebooks.load` reads them."""
    voice, parts = UnitVoice(), []
    for text in islice(Corpus(texts).sentences(SEED), sentences):
        parts += list(voice.features(text))
    hidden = np.concatenate([_one_per_sound(part.values, part.onsets) for part in parts])
    first = kmeans(hidden, CARD)
    second = kmeans(hidden - first[nearest(hidden, first)], CARD)
    contours = {
        name: kmeans(np.concatenate([_contours(part.values[row]) for part in parts]), CARD)
        for name, row in (('pitch', PITCH), ('energy', ENERGY))
    }
    books = {'first': first, 'second': second, **contours}
    halves = {name: book.astype(np.float16) for name, book in books.items()}
    silence = _silence(Codebooks(**books, silence=np.zeros(0)), parts)
    return {**halves, 'silence': silence}


def kmeans(vectors: np.ndarray, clusters: int, rounds: int = ROUNDS) -> np.ndarray:
    """Centres float32[clusters, n]; one that loses all its vectors begins anew at one of them."""
    rng = np.random.default_rng(0)
    centres = vectors[rng.choice(len(vectors), clusters, replace=len(vectors) < clusters)]
    for _ in range(rounds):
        owner = nearest(vectors, centres)
        counts = np.bincount(owner, minlength=clusters)
        order = np.argsort(owner, kind='stable')
        starts = np.concatenate(([0], np.cumsum(counts)[:-1]))
        sums = np.add.reduceat(vectors[order], np.minimum(starts, len(vectors) - 1), axis=0)
        centres = (sums / np.maximum(counts, 1)[:, None]).astype(np.float32)
        lost = np.flatnonzero(counts == 0)
        centres[lost] = vectors[rng.integers(len(vectors), size=len(lost))]
    return centres


def _one_per_sound(values: np.ndarray, onsets: np.ndarray) -> np.ndarray:
    """The hidden vectors of a sentence, each sound once, however long it is: float32[n, 128]."""
    return np.ascontiguousarray(values[:HIDDEN, 2 * np.unique(onsets)].T)


def _contours(row: np.ndarray) -> np.ndarray:
    """A row in frames of six numbers, as the codes cut it."""
    return row[: len(row) // DECODER_FRAMES * DECODER_FRAMES].reshape(-1, DECODER_FRAMES)


def _silence(books: Codebooks, parts: list) -> np.ndarray:
    """The codes that stand for silence: those of the quietest frame of any pause."""
    quiet = [part.values for part in parts if part.values[ENERGY].min() < AUDIBLE]
    quietest = min(quiet, key=lambda values: _contours(values[ENERGY]).max(axis=1).min())
    frame = int(_contours(quietest[ENERGY]).max(axis=1).argmin())
    return books.encode(quietest)[frame]
