"""Makes what kame-small is trained on, stage by stage; what is there already is kept. No torch.

The folder `bank` of a run holds the robot's speech and phrases, the users' sound and, written last,
`parts.json`. A whole bank needs nothing else: it can be carried to a machine that has neither
voices nor texts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kame_ros.s2s.small import pieces, units
from kame_ros.s2s.small.phrases import CORRECTIONS, LEAD_INS, UNKNOWN
from kame_ros.training.small import bank_file, codebooks, piece_maker, robot_bank, users, voices
from kame_ros.training.small.config import SmallRecipe
from kame_ros.training.small.ingredients import PARTS

BANK, ANEW = 'bank', 'anew.txt'
HELD_OUT_SEED = 2  # of the users' bank that is measured with
FIRST_SEED = 10  # of the first part of the users' bank that is trained on
# How long a stage takes on one core, for the estimate before it begins.
_S_PER_HOUR_OF_SPEECH, _S_PER_USERS, _S_ANEW = 20, 180, 600

Tell = Callable[[str, float, float], None]  # a stage, how much of it is done, how much it is


@dataclass(frozen=True)
class Missing:
    """What of a bank is not there yet: hours of the robot's speech, files of users."""

    hours: float
    users: tuple[Path, ...]
    phrases: bool  # or the sentences that are held out
    books: bool = False  # codebooks and pieces that are wanted anew

    @property
    def any(self) -> bool:
        """Whether anything is to be made."""
        return bool(self.hours or self.users or self.phrases or self.books)

    @property
    def minutes(self) -> float:
        """About how long one core needs for it."""
        seconds = self.hours * _S_PER_HOUR_OF_SPEECH + len(self.users) * _S_PER_USERS
        return (seconds + self.books * _S_ANEW) / 60


def missing(recipe: SmallRecipe, folder: Path, anew: bool = False) -> Missing:
    """What `prepare` would make in this folder."""
    bank, made_of = folder / BANK, bank_file.books()
    books = anew and not _is_made(folder)
    there = 0.0 if books else robot_bank.hours_in(bank)
    whole = bank_file.is_whole(bank / 'held_out.npz', made_of)
    wanted = (bank / 'users_held_out.npz', *_user_files(bank, recipe.users))
    return Missing(
        max(0.0, recipe.hours - there),
        tuple(path for path in wanted if not bank_file.is_whole(path)),
        books or not whole or not robot_bank.phrases_are_whole(bank),
        books,
    )


def prepare(
    recipe: SmallRecipe,
    folder: Path,
    texts: Path,
    anew: bool = False,
    tell: Tell = lambda stage, done, all_: None,
) -> Path:
    """Makes what is missing in `folder` and gives its bank; a broken file is made anew.

    `texts` is a folder as `corpus` reads it, needed only where the robot is to speak. `anew` makes
    the codebooks and the pieces of this package again first. Raises NoTextsError,
    EspeakMissingError, MissingWeights, CorruptWeights or OSError.
    """
    bank = folder / BANK
    bank.mkdir(parents=True, exist_ok=True)
    wanted = missing(recipe, folder, anew)
    if wanted.users:  # what is not installed is said before the long work begins
        speakers = [voices.present(some) for some in (voices.TRAINING, voices.HELD_OUT)]
    if wanted.books:
        _books_anew(folder, texts, tell)
        wanted = missing(recipe, folder)
    if wanted.hours or wanted.phrases:
        robot_bank.make(
            texts, bank, recipe.hours, lambda hours: tell('the robot speaks', hours, recipe.hours)
        )
    for path in wanted.users:
        held_out = path.stem == 'users_held_out'
        stage = f'users speak ({path.name})'
        users.make(
            path,
            speakers[held_out],
            users.HELD_OUT_COUNTS if held_out else users.COUNTS,
            HELD_OUT_SEED if held_out else FIRST_SEED + int(path.stem.rpartition('_')[2]),
            lambda done, all_, stage=stage: tell(stage, done, all_),  # type: ignore[misc]
        )
    _write(bank / PARTS, json.dumps(_described(bank), indent=1) + '\n')
    return bank


def _user_files(bank: Path, count: int) -> list[Path]:
    return [bank / f'users_{number:02}.npz' for number in range(count)]


def _described(bank: Path) -> dict[str, object]:
    """What the makers of scenes must know of the tokens, so that they need no voice."""
    known = pieces.Pieces.load()
    return {
        'made_of': bank_file.books(),
        'phrase_counts': [len(LEAD_INS), len(CORRECTIONS), len(UNKNOWN)],
        'begins_word': [int(known.begins_word(token)) for token in range(len(known.names))],
        'silence': units.Codebooks.load().silence.tolist(),
        'hours': round(robot_bank.hours_in(bank), 2),
    }


def _is_made(folder: Path) -> bool:
    """Whether this run has made the codebooks and pieces that the package has now."""
    path = folder / BANK / ANEW
    return path.is_file() and path.read_text().strip() == bank_file.books()


def _books_anew(folder: Path, texts: Path, tell: Tell) -> None:
    """In place of those of the package: the voice at run time reads them there."""
    tell('codebooks', 0, 2)
    made = codebooks.make(texts)
    tell('pieces of pronunciation', 1, 2)
    names = piece_maker.make(texts)
    bank_file.write(units.FILE, made)
    _write(pieces.FILE, json.dumps(names, ensure_ascii=False, indent=0) + '\n')
    _write(folder / BANK / ANEW, bank_file.books() + '\n')
    tell('pieces of pronunciation', 2, 2)


def _write(path: Path, text: str) -> None:
    scratch = path.with_name(path.name + '.part')
    scratch.write_text(text, encoding='utf-8')
    os.replace(scratch, path)
