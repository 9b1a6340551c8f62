"""Questions with accepted answers: the forty of this package, or a file of the user's."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from kame_ros.evaluation.suite import BadSuite
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
    for number, line in enumerate(path.read_text(encoding='utf-8').splitlines(), 1):
        if not line.strip():
            continue
        try:
            told = json.loads(line)
            accepted = tuple(str(pattern) for pattern in told.get('accepted', ()))
            for pattern in accepted:
                re.compile(pattern)
            question = Question(
                str(told['id']),
                str(told.get('category', '')),
                str(told['text']),
                accepted,
                str(told.get('answer', '')),
            )
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, re.error) as error:
            raise BadSuite(f'{path}, line {number}, is no question ({misfit(error)})') from error
        if not question.text.strip() or len(question.text) > _LONGEST:
            raise BadSuite(f'{path}, line {number}: a question has 1 to {_LONGEST} characters')
        questions.append(question)
    if not 0 < len(questions) <= _MOST:
        raise BadSuite(f'{path} has {len(questions)} questions')
    return tuple(questions)
