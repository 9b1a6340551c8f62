"""The words kame-tiny knows, by what they stand for, and sentences made of them.

Other words it spells. A word that it knows, or the first letter of one that it does not, is a unit
by its own name ('cup', 'z'); a letter or digit inside a word is a unit with a `+` ('+o').
"""

from __future__ import annotations

import random
import re
import string
from collections.abc import Sequence
from pathlib import Path

_CLASSES = {
    'object': (
        'cup bottle book door window lamp chair table box ball key phone camera hammer plate spoon '
        'fork bag clock radio mirror battery sensor motor wheel cable screen button robot cart '
        'basket pillow towel brush rope ladder map ticket letter garden bridge'
    ),
    'colour': 'red blue green yellow black white brown orange purple silver golden pink',
    'place': (
        'kitchen bedroom bathroom office hall garage station library hospital school museum market '
        'airport hotel basement corridor elevator laboratory entrance park'
    ),
    'number': (
        'one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty '
        'sixty seventy eighty ninety hundred thousand'
    ),
    'unit': 'minutes hours seconds days weeks years meters kilometers grams degrees dollars',
    'animal': 'dog cat horse elephant lion tiger rabbit monkey dolphin eagle spider butterfly',
    'food': 'apple banana bread butter cheese coffee tea water milk sugar soup salad pizza',
    'city': 'paris london berlin madrid rome tokyo sydney moscow vienna cairo',
    'country': 'france england germany spain italy japan australia russia austria egypt',
    'person': 'anna peter maria david laura thomas sophie martin emma daniel',
    'thing': (
        'sun moon earth planet star ocean river mountain island forest energy gravity oxygen '
        'hydrogen carbon iron music history science language answer question problem reason number'
    ),
    'adjective': (
        'big small new old fast slow hot cold warm heavy light clean dirty full empty open closed '
        'early late happy tired ready busy strong simple different important beautiful dangerous '
        'largest smallest'
    ),
    'verb': 'bring find carry open close clean move push pull take show follow start stop help',
    'weekday': 'monday tuesday wednesday thursday friday saturday sunday',
    'time': 'today tomorrow yesterday morning evening night now later soon again',
    'relation': 'on under near behind above between inside outside',
    'glue': (
        'the a an of in is are was has have and but or because to from with for at it i you we '
        'they he she my your this that there here not very about after before be will can do does '
        'please thank yes no all some most many more than by as'
    ),
    'extra': (
        'wait chocolate percent '
        'capital made large weather moves around speaks temperature left right first second last '
        'corner floor boils freezes lives where what when who how'
    ),
}
LEAD_INS = ('well', 'let me see', 'good question', 'one moment', 'sure')
CORRECTION = 'sorry'
_LEAD_IN_WORDS = 'well let me see good question one moment sure sorry'
CLASSES = {name: tuple(words.split()) for name, words in _CLASSES.items()}

INSIDE = '+'  # before a letter or a digit that goes on with a word
SIGNS = string.ascii_lowercase + string.digits
_DIGITS = ('zero', *['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'])
SPOKEN = dict(zip(string.digits, _DIGITS, strict=True))  # how signs are said, if not as they look


def _lines(name: str) -> list[str]:
    lines = Path(__file__).with_name(name).read_text().splitlines()
    return [line for line in lines if not line.startswith('#')]


def _common() -> set[str]:
    return {word for line in _lines('words.txt') for word in line.split()}


WORDS = tuple(
    sorted(
        {w for c in CLASSES.values() for w in c}
        | set(_LEAD_IN_WORDS.split())
        | _common()
        | set(SIGNS)
    )
)
UNITS = (*WORDS, *(INSIDE + sign for sign in SIGNS))

ANSWERS = (
    'the capital of {country} is {city}',
    'the {colour} {object} is in the {place}',
    'the {object} is {relation} the {colour} {object}',
    'it is {number} degrees in {city} today',
    'my battery is at {number} percent and i will be ready in {number} {unit}',
    'the {animal} is {adjective} and it lives near the {thing}',
    'i will {verb} the {object} to the {place} {time}',
    'you can find the {adjective} {object} behind the {place} door',
    'water boils at one hundred degrees',
    'the {thing} moves around the {thing} because of gravity',
    '{person} will be in the {place} on {weekday}',
    'there are {number} {colour} {object} and {number} {object} in the {place}',
    'yes i can {verb} the {adjective} {object} for you',
    'no the {place} is not {adjective} on {weekday}',
    'please {verb} the {object} before you {verb} the {object}',
    '{person} has the {object} and {person} has the {food}',
    '{food} and {food} are on the {object} in the {place}',
    'the {adjective} {thing} is {number} {unit} from here',
    'first {verb} the {colour} {object} and after that {verb} the {object}',
    'we have {number} {unit} but the {place} is {adjective}',
    '{person} speaks about {thing} and {thing} in {city}',
    'the second {object} is more important than the first',
)
QUESTIONS = (
    'what is the capital of {country}',
    'where is the {colour} {object}',
    'when will {person} be in the {place}',
    'how many {object} are in the {place}',
    'can you {verb} the {object} please',
    'what is the temperature in {city} {time}',
    'who has the {food}',
    'is the {place} open on {weekday}',
    'does the {animal} have a {colour} {object}',
    'what do you {verb} after the {thing}',
)
_SLOT = re.compile(r'\{(\w+)\}')


def sentence(rng: random.Random, templates: tuple[str, ...]) -> str:
    """A sentence of one of the templates."""
    text = _SLOT.sub(lambda m: rng.choice(CLASSES[m.group(1)]), rng.choice(templates))
    unknown = set(text.split()) - set(WORDS)
    if unknown:
        raise ValueError(f'{text!r} has words that are not in the vocabulary: {sorted(unknown)}')
    return text


def answer(rng: random.Random) -> str:
    """What an LLM may answer."""
    return sentence(rng, ANSWERS)


def question(rng: random.Random) -> str:
    """What a user may ask."""
    return sentence(rng, QUESTIONS)


def jumble(rng: random.Random, least: int = 3, most: int = 12) -> str:
    """Words in any order: what can be copied only from the oracle."""
    return ' '.join(rng.choice(WORDS) for _ in range(rng.randint(least, most)))


def open_sentences() -> list[str]:
    """Sentences of any words, for measuring only."""
    return _lines('open.txt')


def spelled(rng: random.Random) -> str:
    """The units of a word that is not known: letters, or digits, or a known word that goes on."""
    kind = rng.random()
    signs = string.digits if kind < 0.25 else string.ascii_lowercase
    first = rng.choice(WORDS) if kind > 0.8 else rng.choice(signs)
    return ' '.join([first, *(INSIDE + rng.choice(signs) for _ in range(rng.randint(1, 7)))])


def joined(units: Sequence[str]) -> list[str]:
    """The words that units are written as.

    >>> joined(['the', 'z', '+o', '+o'])
    ['the', 'zoo']
    """
    words: list[str] = []
    for unit in units:
        if unit.startswith(INSIDE) and words:
            words[-1] += unit.removeprefix(INSIDE)
        else:
            words.append(unit.removeprefix(INSIDE))
    return words
