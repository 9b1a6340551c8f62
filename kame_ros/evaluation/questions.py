"""Questions with accepted answers: the forty of this package, or a file of the user's."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from kame_ros.evaluation.suite import BadSuite
from kame_ros.text.json_lines import json_lines
from kame_ros.text.misfit import misfit

OURS = Path(__file__).with_name('questions.jsonl')
_MOST = 10_000
_LONGEST = 2_000  # characters


@dataclass(frozen=True)
class Question:
    """`accepted` are regular expressions; `answer` is a right one, for tests and judges' trials."""

    id: str
    category: str
    text: str
    accepted: tuple[str, ...]
    answer: str = ''


def read_questions(path: Path = OURS) -> tuple[Question, ...]:
    """Reads JSON lines of id, category, text, accepted and answer; raises BadSuite or OSError."""
    questions = []
    try:
        lines = json_lines(path.read_text(encoding='utf-8'))
    except UnicodeDecodeError as error:
        raise BadSuite(f'{path}: {misfit(error)}') from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            question = _question(line)
        except ValueError as error:
            raise BadSuite(f'{path}, line {number}, is no question: {error}') from error
        if not question.text.strip() or len(question.text) > _LONGEST:
            raise BadSuite(f'{path}, line {number}: a question has 1 to {_LONGEST} characters')
        questions.append(question)
    if not 0 < len(questions) <= _MOST:
        raise BadSuite(f'{path} has {len(questions)} questions')
    return tuple(questions)


def _question(line: str) -> Question:
    """One line; raises ValueError, which says in words what is wrong with it."""
    try:
        told = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f'it is not JSON ({error})') from error
    if not isinstance(told, dict):
        raise ValueError('it is not an object, as {"id": …, "text": …}')
    missing = [key for key in ('id', 'text') if key not in told]
    if missing:
        raise ValueError(f'it lacks {" and ".join(missing)}')
    accepted = told.get('accepted', [])
    if not isinstance(accepted, list) or not all(isinstance(one, str) for one in accepted):
        raise ValueError('accepted is not a list of regular expressions')
    for pattern in accepted:
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(
                f'accepted has no regular expression: {pattern!r} ({error})'
            ) from error
    return Question(
        str(told['id']),
        str(told.get('category', '')),
        str(told['text']),
        tuple(accepted),
        str(told.get('answer', '')),
    )
