"""Guesses from its first words that a text is reasoning, whose closing mark is still to come."""

from __future__ import annotations

import re

_CLOSES = re.compile(r'</(?:think|thinking|thought|reasoning)\s*>|\[/THINK\]|◁/think▷', re.I)
_MARK = 40  # characters, more than a closing mark has
_UNDECIDED = 60  # characters, more than it takes to tell
_LEADS = ['okay', 'ok', 'alright', 'hmm', 'hm', 'well', 'so', 'first', 'right', 'now']
_LEAD = re.compile(rf'\s*(?:{"|".join(_LEADS)})\b[,.!…]*\s+', re.I)
_PHRASES = tuple(
    tuple(phrase.split())
    for phrase in """the user asks|the user is|the user wants|the user has|the user said|the user's
    the user just|the user seems|the user might|the user probably|the user wrote|the user says
    user asks|user wants|user is asking|the question is|the question asks|we need to answer
    we need to respond|we need to figure|we need to produce|we need to think|we should answer
    we should respond|we are asked|we have a user|i need to answer|i need to respond
    i need to figure|i need to think|i need to find|i need to recall|i should answer
    i should respond|i have to answer|i'm being asked|i am being asked|i am asked|let me think
    let me figure|let me recall|let me break|let me see|let's think|let's see|let's break
    let's figure|the human is|the human asks|they are asking|they're asking|they want me""".replace(
        '\n', '|'
    ).split('|')
)


class ReasoningGuess:
    """Holds a text back that begins as reasoning does, up to the mark that closes it.

    Some models and servers send reasoning without its opening mark; when the closing one comes,
    the robot would have said it all. "The user is asking …" waits for it; if it never comes, all
    of the text is the answer after all. A text that begins in another way passes at once, at its
    second or third word if the first ones may still be such a beginning, and so does an "Okay, so".
    """

    def __init__(self) -> None:
        self._held = ''
        self._decided = self._suspected = False

    def push(self, piece: str) -> str:
        """Takes a piece and returns what may be the answer."""
        if self._decided:
            return piece
        new = max(0, len(self._held) - _MARK)
        self._held += piece
        lead = ''
        if not self._suspected:  # blanks in front are nobody's words
            words = self._held.lstrip()
            lead, self._held = self._held[: len(self._held) - len(words)], words
        while not self._suspected and (found := _LEAD.match(self._held)):
            lead, self._held = lead + found[0], self._held[found.end() :]
        return lead + self._judge(new if self._suspected else 0)

    def _judge(self, new: int) -> str:
        """Decides if it can; what is held was seen up to `new`."""
        if not self._suspected:
            fits = _begins_as_reasoning(self._held)
            if fits is False or (fits is None and len(self._held) > _UNDECIDED):
                return self.flush()
            self._suspected = fits is True
        if _CLOSES.search(self._held, new):
            self._decided = True
            held, self._held = self._held, ''
            return held  # the mark in it says that all before it is reasoning
        return ''

    def flush(self) -> str:
        """Returns what is held; the text is over, or no reasoning."""
        self._decided = True
        held, self._held = self._held, ''
        return held


def _begins_as_reasoning(text: str) -> bool | None:
    """Whether a text begins as reasoning does; None while it cannot be told."""
    if '<' in text or '[' in text or '◁' in text:
        return False  # it has marks of its own
    complete = text[-1:].isspace() or not text
    words = re.findall(r"[a-z']+", text.lower().replace('’', "'"))
    last = '' if complete or not words else words.pop()
    if not words and not last:
        return None if not text.strip() else False
    for phrase in _PHRASES:
        size = len(phrase)
        if tuple(words[:size]) == phrase:
            return True
        known = tuple(words)
        if len(known) < size and phrase[: len(known)] == known:
            following = phrase[len(known)]
            if not last or following.startswith(last):
                return None
    begins_lead = last and not words and any(lead.startswith(last) for lead in _LEADS)
    return None if begins_lead else False
