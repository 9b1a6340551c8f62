"""Words that silence the robot at once."""

from __future__ import annotations

from dataclasses import dataclass

from kame_ros.text.compare import normalise

DEFAULT_STOP_WORDS = (
    'stop',
    'stop it',
    'stop talking',
    'stop moving',
    'halt',
    'freeze',
    'be quiet',
    'quiet',
    'shut up',
    'cancel',
    'enough',
)
_POLITE = frozenset(('please', 'robot', 'now', 'ok', 'okay', 'hey', 'no'))


@dataclass(frozen=True)
class StopWords:
    """Whole phrases; polite words around them, `names` of the robot and repetition are ignored.

    Nothing else may be said: "stop" stops, "where does the bus stop" is a question.
    """

    phrases: tuple[str, ...] = DEFAULT_STOP_WORDS
    names: tuple[str, ...] = ()

    def heard(self, text: str) -> str:
        """The phrase that the text consists of, or an empty text."""
        ignored = _POLITE.union(normalise(name) for name in self.names)
        words = [word for word in normalise(text).split() if word not in ignored]
        for phrase in self.phrases:
            wanted = normalise(phrase).split()
            times, rest = divmod(len(words), len(wanted)) if wanted else (0, 1)
            if times and not rest and words == wanted * times:
                return phrase
        return ''
