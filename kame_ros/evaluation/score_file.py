"""The figures of a run, a line each: made anew they are the same bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kame_ros.evaluation.measures import Score
from kame_ros.evaluation.run_folder import BadRun, read_json, write_json
from kame_ros.text.json_lines import json_lines
from kame_ros.text.misfit import misfit

SCORES, SCORING = 'scores.jsonl', 'scoring.json'
VERSION = 1  # of the measures: other figures are another version


def write_scores(folder: Path, scores: Iterable[Score], scoring: dict[str, Any]) -> None:
    """Writes the figures, and who scored them, whole or not at all."""
    rows = sorted(scores, key=lambda s: (s.item, s.repetition, s.turn, s.metric, s.scorer))
    write_rows(folder / SCORES, rows)
    write_json(folder / SCORING, {'version': VERSION, **scoring})


def read_scores(folder: Path) -> tuple[list[Score], dict[str, Any]]:
    """The figures and who scored them; raises BadRun."""
    path = folder / SCORES
    if not path.is_file():
        raise BadRun(f'{folder} is not scored yet: kame eval score {folder}')
    try:
        scores = read_rows(path)
    except OSError as error:
        raise BadRun(f'{path} is not understood ({misfit(error)})') from error
    scoring = read_json(folder / SCORING)
    if scoring.get('version') != VERSION:
        raise BadRun(f'{folder} was scored by another version: score it again')
    return scores, scoring


def write_rows(path: Path, scores: Iterable[Score]) -> None:
    """Writes a figure a line, whole or not at all."""
    part = path.with_name(f'{path.name}.part')
    with part.open('w', encoding='utf-8') as file:
        for score in scores:
            file.write(json.dumps(asdict(score), ensure_ascii=False) + '\n')
    part.replace(path)


def read_rows(path: Path) -> list[Score]:
    """The figures of a file; raises BadRun or OSError."""
    try:
        lines = json_lines(path.read_text(encoding='utf-8'))
        return [Score(**json.loads(line)) for line in lines if line]
    except (ValueError, TypeError) as error:
        raise BadRun(f'{path} is not understood ({misfit(error)})') from error
