"""What a judge said, kept by what it was asked: the same question is never paid twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kame_ros.evaluation.measures import Score
from kame_ros.evaluation.run_folder import BadRun, read_json, write_json
from kame_ros.evaluation.score_file import read_rows, write_rows

FOLDER, VERDICTS = 'judge', 'judged.jsonl'


def key_of(*asked: Any) -> str:
    """Of all that decides what a judge says: judge, parameters, template, texts."""
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


class Judgements:
    """Judgements in a folder, a file each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER

    def get(self, key: str) -> dict[str, Any] | None:
        """What was said, or None; a spoiled file is as none."""
        path = self._folder / f'{key}.json'
        if not path.is_file():
            return None
        try:
            told = read_json(path)
        except BadRun:
            return None
        points = told.get('score', '')
        good = points is None or (isinstance(points, int | float) and points is not True)
        return told if good else None

    def put(self, key: str, told: Mapping[str, Any]) -> None:
        """Keeps it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        write_json(self._folder / f'{key}.json', told)


def write_verdicts(folder: Path, scores: Iterable[Score]) -> None:
    """The points, to be put with the other figures."""
    folder.mkdir(parents=True, exist_ok=True)
    write_rows(folder / VERDICTS, scores)


def judged_scores(folder: Path) -> list[Score]:
    """The points that a judge gave; none where none was asked. Raises BadRun."""
    path = folder / VERDICTS
    return read_rows(path) if path.is_file() else []
