"""Recordings with their transcripts and oracles: what belongs together, and what is wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kame_ros.text.well_formed import written_name
from kame_ros.training.data import recording
from kame_ros.training.data.dialogue import DataError, Dialogue, load
from kame_ros.training.oracles import oracle_file
from kame_ros.training.oracles.schedule import plan

ENDS = 1 << 20  # bytes at both ends of a file by which it is known again


@dataclass(frozen=True)
class Input:
    """A dialogue that can be used. `fingerprint` changes with any of its files."""

    name: str
    audio: Path
    transcript: Path
    oracles: Path | None
    swap: bool
    seconds: float
    fingerprint: str

    def dialogue(self) -> Dialogue:
        """Its words."""
        return load(self.transcript)


@dataclass(frozen=True)
class Problem:
    """A dialogue that cannot be used, and why, in one sentence that names the file."""

    name: str
    text: str


def gather(
    audio: Path,
    transcripts: Path,
    oracles: Path | None = None,
    swap: bool = False,
    tick: Callable[[int, int], None] | None = None,
) -> tuple[list[Input], list[Problem]]:
    """Looks at all files of the folders, in the order of their names.

    `tick` is told how many of how many dialogues were looked at. Raises DataError for a folder
    that is not there, or holds nothing.
    """
    sounds = _named(audio, recording.SUFFIXES)
    texts = _named(transcripts, ('.json',))
    guesses = _named(oracles, ('.jsonl',)) if oracles is not None else {}
    found: list[Input] = []
    problems: list[Problem] = []
    names = sorted(set(sounds) | set(texts))
    for number, name in enumerate(names, 1):
        try:
            files = sounds.get(name, []), texts.get(name, []), guesses.get(name, [])
            folders = audio, transcripts, oracles
            found.append(_input(name, files, folders, swap))
        except DataError as error:
            problems.append(Problem(name, str(error)))
        except OSError as error:
            problems.append(Problem(name, f'{error.filename} cannot be read: {error.strerror}'))
        if tick is not None:
            tick(number, len(names))
    return found, problems


Files = tuple[list[Path], list[Path], list[Path]]


def _input(name: str, files: Files, folders: tuple[Path, Path, Path | None], swap: bool) -> Input:
    sounds, texts, guesses = files
    audio, transcripts, oracles = folders
    if not sounds:
        raise DataError(f'{texts[0]} has no recording {name}.wav or {name}.flac in {audio}')
    if len(sounds) > 1:
        raise DataError(f'{sounds[0]} and {sounds[1].name} are recordings of one name: remove one')
    if not texts:
        raise DataError(f'{sounds[0]} has no transcript {name}.json in {transcripts}')
    if oracles is not None and not guesses:
        raise DataError(
            f'{texts[0]} has no oracles {name}.jsonl in {oracles}: run "kame train oracles"'
        )
    dialogue = load(texts[0])
    seconds = recording.seconds(sounds[0], dialogue, swap)
    for path in guesses:
        oracle_file.check(path, dialogue, plan(dialogue))
    kinds = [sounds[0], texts[0], *guesses]
    made_from = '/'.join([name, 'swap' if swap else '', *map(digest, kinds)])
    return Input(
        name=name,
        audio=sounds[0],
        transcript=texts[0],
        oracles=guesses[0] if guesses else None,
        swap=swap,
        seconds=seconds,
        fingerprint=hashlib.sha256(made_from.encode()).hexdigest()[:24],
    )


def _named(folder: Path, suffixes: tuple[str, ...]) -> dict[str, list[Path]]:
    if not folder.is_dir():
        raise DataError(f'{folder} is no folder')
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in suffixes and not path.name.startswith('.'):
            found.setdefault(written_name(path.stem), []).append(path)
    if not found:
        raise DataError(f'{folder} holds no {" or ".join(suffixes)} files')
    return found


def digest(path: Path) -> str:
    """Tells a file from another one: by its length, and its first and last MiB."""
    total = hashlib.sha256()
    with path.open('rb') as file:
        size = file.seek(0, 2)
        total.update(str(size).encode())
        for begin in (0, max(0, size - ENDS)):
            file.seek(begin)
            total.update(file.read(ENDS))
    return total.hexdigest()[:24]
