"""Speaks a corpus and keeps it as codes and pieces of pronunciation: what kame-small is trained on.

A bank is a folder: `robot_NN.npz` hold so many hours of speech, `phrases.npz` the phrases that the
robot says of its own, `held_out.npz` sentences that are in no other file. Each file is made once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from kame_ros.s2s.small.phrases import OWN_PHRASES
from kame_ros.s2s.small.pieces import Pieces
from kame_ros.s2s.small.speaker import Sentence, UnitVoice
from kame_ros.s2s.small.units import CODES, UNITS
from kame_ros.training.small import bank_file
from kame_ros.training.small.corpus import Corpus

SEED = 16
SENTENCES = 2500  # of a file
FRAMES_PER_HOUR = 3600 * 12.5
HELD_OUT = 100  # sentences of each kind: definitions, answers, rare words
HELD_OUT_SEED = 17


@dataclass(frozen=True)
class ToldSentence:
    """A sentence as codes int16[T, 8], its pieces int16[n], the frame in which each begins."""

    text: str
    codes: np.ndarray
    pieces: np.ndarray
    frames: np.ndarray


class Teller:
    """Speaks texts; those that cannot be told in pieces are counted in `left_out`."""

    def __init__(self) -> None:
        self._voice, self._pieces = UnitVoice(), Pieces.load()
        self.left_out = 0

    def tell(self, texts: Iterable[str]) -> Iterator[ToldSentence]:
        """Each text that the voice takes for one sentence."""
        for text in texts:
            sentences = self._voice.say(text)
            spoken = self._spoken(text, sentences[0]) if len(sentences) == 1 else None
            if spoken is None:
                self.left_out += 1
            else:
                yield spoken

    def _spoken(self, text: str, sentence: Sentence) -> ToldSentence | None:
        placed = self._pieces.placed(sentence.phonemes)
        onsets = sentence.onsets[[at for _, at in placed]] // UNITS
        frames = one_a_frame(onsets, len(sentence.codes) - 1)
        if frames is None:
            return None
        tokens = np.array([token for token, _ in placed], np.int16)
        return ToldSentence(text, sentence.codes, tokens, frames)


def one_a_frame(onsets: np.ndarray, end: int) -> np.ndarray | None:
    """Frames below `end`, each later than the one before; None if there are too few.

    Of two pieces that begin in one frame the later one moves to the next.
    """
    steps = np.arange(len(onsets))
    frames = np.maximum.accumulate(onsets - steps) + steps
    frames = np.minimum(frames, end - len(onsets) + steps)
    return None if len(frames) and frames[0] < 0 else frames.astype(np.int16)


def keep(path: Path, spoken: list[ToldSentence]) -> None:
    """Writes sentences one after the other; `starts` and `piece_starts` tell them apart."""
    arrays = {
        'codes': np.concatenate([s.codes for s in spoken]).reshape(-1, CODES),
        'starts': np.cumsum([0, *(len(s.codes) for s in spoken)], dtype=np.int64),
        'pieces': np.concatenate([s.pieces for s in spoken]),
        'piece_starts': np.cumsum([0, *(len(s.pieces) for s in spoken)], dtype=np.int64),
        'piece_frames': np.concatenate([s.frames for s in spoken]),
        'texts': np.array([s.text for s in spoken]),
        'made_of': np.array(bank_file.books()),
    }
    bank_file.write(path, arrays)


def hours_in(bank: Path) -> float:
    """Hours of speech in the whole files of a bank, up to the first that is missing or broken."""
    return sum(_frames(path) for path in robot_files(bank)) / FRAMES_PER_HOUR


def robot_files(bank: Path) -> list[Path]:
    """The files of speech, whole and of today's codes, up to the first that is not."""
    found: list[Path] = []
    made_of = bank_file.books()
    while bank_file.is_whole(_numbered(bank, len(found)), made_of):
        found.append(_numbered(bank, len(found)))
    return found


def make(
    texts: Path, bank: Path, hours: float, progress: Callable[[float], None] = lambda hours: None
) -> int:
    """Makes what is missing of the bank; `progress` is told the hours that are there.

    Gives how many sentences could not be spoken. Ten hours take some minutes of one core. Raises
    NoTextsError, MissingWeights, CorruptWeights, OSError.
    """
    bank.mkdir(parents=True, exist_ok=True)
    corpus, teller, made_of = Corpus(texts), Teller(), bank_file.books()
    if not phrases_are_whole(bank):
        keep(bank / 'phrases.npz', list(teller.tell(OWN_PHRASES)))
    if not bank_file.is_whole(bank / 'held_out.npz', made_of):
        keep(bank / 'held_out.npz', list(_held_out(corpus, teller)))
    with np.load(bank / 'held_out.npz') as file:
        held_out = set(file['texts'].tolist())
    texts_left = (text for text in corpus.sentences(SEED) if text not in held_out)
    frames, number = 0, 0
    while frames < hours * FRAMES_PER_HOUR:
        # Also the sentences of a file that is there are drawn, so that the next has other ones.
        path, some = _numbered(bank, number), list(islice(texts_left, SENTENCES))
        if not some:
            break  # no text is left
        if not bank_file.is_whole(path, made_of):
            keep(path, list(teller.tell(some)))
        frames += _frames(path)
        number += 1
        progress(frames / FRAMES_PER_HOUR)
    return teller.left_out


def phrases_are_whole(bank: Path) -> bool:
    """Whether the bank has the phrases that this version of the package says of its own."""
    path = bank / 'phrases.npz'
    if not bank_file.is_whole(path, bank_file.books()):
        return False
    with np.load(path) as file:
        return bool(file['texts'].tolist() == list(OWN_PHRASES))


def _numbered(bank: Path, number: int) -> Path:
    return bank / f'robot_{number:02}.npz'


def _frames(path: Path) -> int:
    with np.load(path) as file:
        return int(file['starts'][-1])


def _held_out(corpus: Corpus, teller: Teller) -> Iterator[ToldSentence]:
    for kind in ('answer', 'text', 'jumble'):
        texts = corpus.sentences(HELD_OUT_SEED, {kind: 1.0})
        yield from islice(teller.tell(texts), HELD_OUT)
