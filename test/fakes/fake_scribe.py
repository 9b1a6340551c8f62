"""A recogniser that writes what is said anew at each decode: 'ten thirty', '10 30', '10:30'."""

import random
import re
from dataclasses import dataclass, field

from fake_speech import FakeRecogniser

from kame_ros.stt.recogniser import Hypothesis, RecogniserError
from kame_ros.wire.transcript import Word

_NAMES = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine']
_VALUES = {name: str(i) for i, name in enumerate(_NAMES)} | {'ten': '10', 'thirty': '30'}
_SILENT = {'at', 'dot', 'slash', 'point', 'colon'}


@dataclass(frozen=True)
class Said:
    """Something spoken: its parts, and the ways to write them, as texts of so many parts."""

    parts: tuple
    writings: tuple = ()


def plain_words(text):
    """Words that are always written so."""
    return [Said((word,)) for word in text.split()]


def number(text):
    """A number, e-mail address or the like: what stands between its signs are its parts."""
    parts = tuple(re.findall(r'\d|[^\W\d]+', text) if '-' in text else re.findall(r'\d+|\w+', text))
    writings = [((text, len(parts)),)]
    if '-' in text and text[0].isdigit():  # 555-0174: also 555 0174, and five five five ...
        blocks = text.split('-')
        writings.append(tuple((block, len(block)) for block in blocks))
        writings.append(tuple((_NAMES[int(p)], 1) for p in parts))
    elif text == '10:30':
        writings += [(('10.30', 2),), (('ten', 1), ('thirty', 1)), (('10', 1), ('30', 1))]
    elif '@' in text:
        writings.append((('kim', 1), ('at', 0), ('example', 1), ('dot', 0), ('org', 1)))
    elif text.isdigit() or ',' in text:
        writings.append(((text.replace(',', ''), len(parts)),))
    return Said(parts, tuple(writings))


KINDS = (
    number('10:30'),
    number('555-0174'),
    number('4-2-7'),
    number('0-0-7-1-9-0-0-7'),
    number('12,345'),
    number('1,200,000'),
    number('$19.99'),
    number('kim@example.org'),
    number('www.example.org/a-b'),
    number('well-known'),
    number('twenty-one'),
    number('B-2-4-9'),
    number('3.14'),
    number('2026-11-25'),
)


def content(text):
    """What is said in a text, however it is written."""
    words = re.findall(r'\d+|[^\W\d]+', text.casefold())
    return ''.join(_VALUES.get(word, word) for word in words if word not in _SILENT)


@dataclass
class FakeScribe(FakeRecogniser):
    """Hears `said`, one part every `pace` s from 1 s on, with pauses (after which thing: s).

    `restless`: the chance that a thing is written in another way than the first; `jitter`: by how
    much the times of words may be wrong, s. `texts`: what it said at each call.
    """

    script: list = field(default_factory=list)
    said: list = field(default_factory=list)
    pauses: dict = field(default_factory=dict)
    pace: float = 0.3
    restless: float = 0.5
    jitter: float = 0.0
    texts: list = field(default_factory=list)

    def __post_init__(self):
        self.times, self.spans, t, begun = [], [], 1.0, 1.0
        for i, thing in enumerate(self.said):
            self.times.append([t + k * self.pace for k in range(len(thing.parts))])
            t += self.pace * len(thing.parts)
            if i in self.pauses:
                self.spans.append((begun, t))
                t += self.pauses[i]
                begun = t
        self.end = t
        if t > begun:
            self.spans.append((begun, t))

    @property
    def truth(self):
        return content(' '.join(part for thing in self.said for part in thing.parts))

    def recognise(self, sound, final):
        assert len(sound) / 16_000 <= self.max_sound_s + 1e-6
        begin = self._begin(sound)
        edge = begin + len(sound) / 16_000
        self.calls.append((begin, edge, final))
        rng = random.Random(self.seed * 1000 + len(self.calls))
        if len(self.calls) in self.fails:
            raise RecogniserError('as the script says')
        words = []
        for thing, times in zip(self.said, self.times, strict=True):
            for text, start, end in self._written(thing, times, begin, edge, rng):
                start, end = (t + rng.uniform(-1, 1) * self.jitter - begin for t in (start, end))
                start = min(max(0.0, start, words[-1].end if words else 0.0), edge - begin)
                end = min(max(start, end), edge - begin)
                words.append(Word(f' {text}', start, end, rng.choice((0.5, 0.75, 0.95))))
        hypothesis = Hypothesis(tuple(words), -0.2, 0.0, 'en')
        self.texts.append(hypothesis.text)
        return hypothesis

    def _written(self, thing, times, begin, edge, rng):
        """The words of a thing as far as its parts are in the sound: (text, start, end)."""
        middles = [t + self.pace / 2 for t in times]
        inside = [begin < t < edge for t in middles]
        if thing.writings and all(inside):
            other = rng.random() < self.restless
            at = 0
            for text, count in rng.choice(thing.writings) if other else thing.writings[0]:
                end = times[at + count - 1] + self.pace if count else times[at]
                yield text, times[at] if count else end, end
                at += count
            return
        for part, t, heard in zip(thing.parts, times, inside, strict=True):
            if heard:
                yield part, t, t + 0.9 * self.pace
