"""What the user's words tell of his turn: a back-channel, an unfinished sentence. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Said by a listener who wants the speaker to go on (V. Yngve's back-channels).
_REMARKS = """
ah aha hm hmm hmmm mm mmm mhm mhmm mm-hmm uh-huh uhuh uh huh um oh ok okay yeah yep yes yup right
sure alright exactly indeed good great nice cool wow see i true totally gotcha got it ha haha
absolutely definitely really interesting understood understand perfect fine makes sense
"""
BACKCHANNELS = frozenset(_REMARKS.split())
_HUM = re.compile(r'[mhu]{2,}')  # "mmhmm", "uhhuh", however a recogniser spells it
_WEAK = frozenset(('i', 'it', 'oh', 'uh', 'um', 'ha'))  # beside these no word is guessed
_COMMANDS = frozenset(
    ('stop', 'wait', 'no', 'halt', 'quiet', 'silence', 'enough', 'pause', 'cancel')
)
_MAX_UTTERANCES = 16  # of a turn
_MAX_CHARS = 1_000  # of an utterance
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
    """Whether these words ask the speaker to go on; no words do not.

    One word may be misheard where another leaves no doubt: "yet, I see" is "yeah, I see".
    """
    words = _plain(text)
    if not 0 < len(words) <= _MAX_BACKCHANNEL:
        return False
    known = [word for word in words if _is_remark(word)]
    strange = [word for word in words if not _is_remark(word)]
    clear = any(word not in _WEAK for word in known)
    return not strange or (clear and len(strange) == 1 and _is_misheard(strange[0]))


def is_sure(text: str) -> bool:
    """Whether words that may still change are an interruption: a command, or enough of them."""
    words = _plain(text)
    return len(words) >= _MAX_BACKCHANNEL or any(word in _COMMANDS for word in words)


def _is_remark(word: str) -> bool:
    parts = [part for part in word.split('-') if part]
    return bool(parts) and all(part in BACKCHANNELS or _HUM.fullmatch(part) for part in parts)


def _is_misheard(word: str) -> bool:
    """Near to a remark: the same first letter, and at most half of the letters differ."""
    if len(word) < 3 or word in _COMMANDS or word in _OPEN:
        return False
    near = (other for other in BACKCHANNELS if len(other) > 2 and other[0] == word[0])
    return any(_distance(word, other) <= min(2, len(other) // 2) for other in near)


def _distance(a: str, b: str) -> int:
    """Letters to insert, delete or change (Levenshtein)."""
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        before, row = row, [i]
        for j, other in enumerate(b, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (letter != other)))
    return row[-1]


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
    of the turn. `final`: the text will not change any more.
    """

    text: str = ''
    turn: str = ''
    start: float = 0.0
    end: float = 0.0
    utterance: int = -1
    final: bool = True

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

    def hear(self, utterance: int, text: str, start: float, end: float, final: bool = True) -> None:
        """A revision of an utterance; times on the clock of the frames heard."""
        self.expected = True
        if not text.strip():
            return
        text = text.strip()[-_MAX_CHARS:]  # how it ends tells whether it is over
        self._texts[utterance] = text
        if len(self._texts) > _MAX_UTTERANCES:
            del self._texts[next(iter(self._texts))]
        turn = ' '.join(self._texts.values())
        self.now = Words(text, turn, start, end, utterance, final)

    def since(self, t: float, slack: float = 0.4) -> Words | None:
        """The newest words, if they were spoken after `t`."""
        return self.now if self.now is not None and self.now.start >= t - slack else None
