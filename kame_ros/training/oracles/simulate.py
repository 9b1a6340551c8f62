"""Oracles of a dialogue: written by an LLM that knows as much of the truth as was heard, or drawn.

Prompts after the KAME paper's six hint levels, in our own words. What people said reaches the LLM
in the user role only.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from kame_ros.training.data.arrival import mishear
from kame_ros.training.data.dialogue import DataError, Dialogue
from kame_ros.training.oracles.schedule import Request

Message = dict[str, str]

_TASK = (
    'You are one of two speakers in a dialogue. Say what you will answer to the turn that is being '
    'spoken, of which you have heard the beginning: guess where it goes. Answer with the spoken '
    'words alone: 10 to 30 words, no symbols, no lists.'
)
_HINTS = (
    '',
    'These words will be in your answer: {keywords}.',
    'Your answer is about the same as this, but leave some of it out and add something else: '
    '{truth}',
    'Your answer means the same as this, in other words: {truth}',
    'Your answer is this, hardly changed: {truth}',
)
KEYWORDS = 4
SHORT = 4  # letters: shorter words are hardly ever key words


def messages(
    dialogue: Dialogue, request: Request, rng: random.Random, errors: float = 0.05
) -> list[Message]:
    """What the LLM is asked for a request below the last level; `errors` of the words misheard."""
    lines: list[str] = []
    heard = list(enumerate(dialogue.words[: request.heard]))
    turn = [(n, word) for n, word in heard if word.speaker != request.listener][-request.said :]
    speaker = ''
    for word in dialogue.words[: turn[0][0]]:
        if word.speaker != speaker:
            speaker = word.speaker
            lines.append('you: ' if speaker == request.listener else 'other: ')
        lines[-1] += word.text + ' '
    said = mishear([word.text for _, word in turn], rng, errors)
    lines.append('other: ' + ' '.join(said) + ' ...')
    hint = _HINTS[request.level].format(keywords=_keywords(request.truth), truth=request.truth)
    system = f'{_TASK} The user message may end with a hint.'
    asked = '\n'.join(line.strip() for line in lines)
    return [
        {'role': 'system', 'content': system},
        {'role': 'user', 'content': asked + (f'\nhint: {hint}' if hint else '')},
    ]


def _keywords(text: str) -> str:
    """The longest words of a text, as they come in it."""
    words = [word.strip('.,?!') for word in text.split()]
    longest = sorted({w for w in words if len(w) > SHORT}, key=lambda w: (-len(w), w))[:KEYWORDS]
    return ', '.join(sorted(longest, key=words.index)) or ', '.join(words[:2])


def draw(requests: Sequence[Request], others: Sequence[str], rng: random.Random) -> list[str]:
    """Oracles without an LLM: answers to other turns, and the truth where the turn has ended.

    Another answer has 0.5 to 2 times the words of the truth, if there is one. After the random
    strategy of SakanaAI/kame_finetune. Raises ValueError without other answers.
    """
    found: list[str] = []
    for request in requests:
        if request.ratio == 1.0:
            found.append(request.truth)
            continue
        strangers = [text for text in others if text != request.truth]
        if not strangers:
            raise DataError('random oracles need at least two different answers in the data')
        size = len(request.truth.split())
        fitting = [text for text in strangers if size / 2 <= len(text.split()) <= 2 * size]
        found.append(rng.choice(fitting or strangers))
    return found
