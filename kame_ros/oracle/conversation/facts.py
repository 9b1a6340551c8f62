"""What the robot knows about itself, for the prompt."""

from __future__ import annotations

from dataclasses import dataclass, field

from kame_ros.oracle.conversation.history import estimate_tokens
from kame_ros.settings.values import shown
from kame_ros.text.heard import clean_heard

_MAX_NAME = 60  # characters
_MAX_TEXT = 200  # characters of a fact


def why_no_fact(line: str) -> str:
    """What is wrong with a line that should tell a fact; empty: nothing."""
    name, colon, _ = line.partition(':')
    if colon and clean_heard(name).strip():
        return ''
    return f"a fact is told as 'name: text', such as 'battery: 40 % full', not {shown(line)}"


@dataclass(frozen=True)
class _Fact:
    text: str
    told_at: float  # s, when it was learned or renewed
    changed: int  # how many lines had been learned when it got this text

    def sentence(self, name: str) -> str:
        return f'Your {name} is {self.text}.'


@dataclass
class FactBook:
    """Short texts by name, such as battery: '80 percent full'.

    At most `bound` of them, the one that was not renewed for longest goes first. A fact older
    than `max_age_s` is not told (0: facts do not age). Of more than `max_tokens` those that
    changed last are told (0: all). `dropped` counts facts that were forgotten for newer ones or
    are left out of the prompt.
    """

    bound: int = 20
    max_age_s: float = 0.0
    max_tokens: int = 0
    dropped: int = 0
    _facts: dict[str, _Fact] = field(default_factory=dict)
    _left_out: frozenset[str] = frozenset()
    _learned: int = 0

    def learn(self, line: str, t: float) -> None:
        """Takes `name: text`; an empty text forgets the fact. What has no name is passed over."""
        name, _, text = line[:1000].partition(':')
        name, text = clean_heard(name)[:_MAX_NAME].strip(), clean_heard(text)[:_MAX_TEXT].strip()
        if not name:
            return
        self._learned += 1
        old = self._facts.pop(name, None)
        if text:
            same = old is not None and old.text == text
            changed = old.changed if old is not None and same else self._learned
            self._facts[name] = _Fact(text, t, changed)
        if len(self._facts) > self.bound:
            self._facts.pop(next(iter(self._facts)))
            self.dropped += 1

    def prompt(self, t: float) -> str:
        """The facts as the LLM reads them; empty without any.

        What changes often comes last, so that a server keeps what it has read of the others.
        """
        fresh = [
            (name, fact)
            for name, fact in sorted(self._facts.items(), key=lambda item: item[1].changed)
            if not self.max_age_s or t - fact.told_at <= self.max_age_s
        ]
        sentences = [fact.sentence(name) for name, fact in fresh]
        first = 0
        while self.max_tokens and first < len(fresh) and self._is_long(sentences[first:]):
            first += 1
        left_out = frozenset(name for name, _ in fresh[:first])
        self.dropped += len(left_out - self._left_out)
        self._left_out = left_out
        return ' '.join(sentences[first:])

    def _is_long(self, sentences: list[str]) -> bool:
        return estimate_tokens(' '.join(sentences)) > self.max_tokens
