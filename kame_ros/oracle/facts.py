"""What the robot knows about itself, for the prompt."""

from __future__ import annotations

from dataclasses import dataclass, field

from kame_ros.oracle.sanitise import clean_heard

_MAX_TEXT = 200  # characters of a fact


@dataclass
class FactBook:
    """Short texts by name, such as battery: '80 percent full'.

    At most `bound` of them, the one that was not renewed for longest goes first. A fact older
    than `max_age_s` is not told (0: facts do not age).
    """

    bound: int = 20
    max_age_s: float = 0.0
    dropped: int = 0
    _facts: dict[str, tuple[str, float]] = field(default_factory=dict)

    def learn(self, line: str, t: float) -> bool:
        """Takes `name: text`, as it comes on a topic; an empty text forgets the fact.

        False if the line has no name.
        """
        name, _, text = line.partition(':')
        name, text = clean_heard(name)[:_MAX_TEXT], clean_heard(text)[:_MAX_TEXT]
        if not name:
            return False
        self._facts.pop(name, None)
        if text:
            self._facts[name] = (text, t)
        if len(self._facts) > self.bound:
            self._facts.pop(next(iter(self._facts)))
            self.dropped += 1
        return True

    def prompt(self, t: float) -> str:
        """The facts as the LLM reads them, in the order of their names; empty without any."""
        fresh = [
            f'Your {name} is {text}.'
            for name, (text, since) in sorted(self._facts.items())
            if not self.max_age_s or t - since <= self.max_age_s
        ]
        return ' '.join(fresh)

    def clear(self) -> None:
        """Forgets everything."""
        self._facts.clear()
