"""What the user's words tell of his turn: a back-channel, an unfinished sentence. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Said by a listener who wants the speaker to go on (V. Yngve's back-channels).
_REMARKS = """
ah aha hm hmm hmmm mm mmm mhm mhmm mm-hmm uh-huh uhuh uh huh um oh ok okay yeah yep yes yup right
sure alright exactly indeed good great nice cool wow see i true totally gotcha got it ha haha
"""
BACKCHANNELS = frozenset(_REMARKS.split())
_COMMANDS = frozenset(
    ('stop', 'wait', 'no', 'halt', 'quiet', 'silence', 'enough', 'pause', 'cancel')
)
_MAX_BACKCHANNEL = 4  # words: "yeah, okay, I see"
# A sentence that ends with one of these goes on. Words that often end one ("in", "on", "please",
# "you", "more") are left out: waiting for nothing costs as much as taking over.
_HANGS = """
a an the this these those my your his its our their some any every and or but nor because if when
while although though unless until since as than which who whom whose where what how why to of at
by for with from into onto between without within during is are was were be been am do does did
have has had can could will would shall should may might must i he she we they im youre theyre id
youd ill ive let lets very just also um uh er hmm going want need tell give show make get put take
bring wanna gonna
"""
_OPEN = frozenset(_HANGS.split())
_HANGING = re.compile(r'(\.\.\.|…|[-–—,;:])\s*$')
_CONDITION = re.compile(r'^(if|when|while|although|because|after|before|since)\b', re.IGNORECASE)


def _plain(text: str) -> list[str]:
    return re.sub(r'[^\w\s-]', '', text.casefold().replace('’', '')).split()


def is_backchannel(text: str) -> bool:
    """Whether these words ask the speaker to go on; no words do not."""
    words = _plain(text)
    return 0 < len(words) <= _MAX_BACKCHANNEL and all(
        word in BACKCHANNELS or set(word.split('-')) <= BACKCHANNELS for word in words
    )


def is_sure(text: str) -> bool:
    """Whether words that may still change are an interruption: a command, or enough of them."""
    words = _plain(text)
    return len(words) > _MAX_BACKCHANNEL or any(word in _COMMANDS for word in words)


def is_complete(text: str) -> bool:
    """Whether a sentence may end here: it does not hang on a word that wants another one.

    A recogniser puts a full stop wherever the sound ends, so that only the words can tell.
    """
    words = _plain(text)
    if not words or _HANGING.search(text):
        return False
    if words[-1] in _OPEN and not (text.rstrip().endswith('?') and len(words) > 2):
        return False
    clauses = re.split(r'[.?!]\s+', text.strip())[-1]
    return not (_CONDITION.match(clauses) and ',' not in clauses and not clauses.endswith('?'))


@dataclass(frozen=True)
class Words:
    """Words of the user's turn that were recognised so far.

    `start` and `end` are those of the newest utterance, s; `text` is that utterance, `turn` all
    of the turn.
    """

    text: str = ''
    turn: str = ''
    start: float = 0.0
    end: float = 0.0
    utterance: int = -1

    def cover(self, t: float, slack: float = 0.25) -> bool:
        """Whether what was said until `t` is in them."""
        return self.end >= t - slack


class WordsHeard:
    """Follows the transcripts of a turn. `expected`: whether anyone transcribes at all."""

    def __init__(self) -> None:
        self.expected = False
        self.clear()

    def clear(self) -> None:
        """A new turn: nothing is heard of it yet."""
        self._texts: dict[int, str] = {}
        self.now: Words | None = None
        self.noise_until = -1.0  # what was heard up to then was found to be no speech

    def hear(self, utterance: int, text: str, start: float, end: float) -> None:
        """A revision of an utterance; times on the clock of the frames heard."""
        self.expected = True
        if not text.strip():
            return
        self._texts[utterance] = text.strip()
        self.now = Words(text.strip(), ' '.join(self._texts.values()), start, end, utterance)

    def since(self, t: float, slack: float = 0.4) -> Words | None:
        """The newest words, if they were spoken after `t`."""
        return self.now if self.now is not None and self.now.start >= t - slack else None
