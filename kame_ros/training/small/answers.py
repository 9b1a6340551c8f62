"""Sentences such as a language model answers with: numbers, names, dates, units, prices, advice."""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random


def _listed(text: str, between: str | None = None) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(between))


FIRST_NAMES = _listed("""
Emma Liam Olivia Noah Ava Ethan Sophia Mason Mia Lucas Amelia Logan Harper James Evelyn Benjamin
Abigail Jacob Emily Michael Ella Daniel Grace Henry Chloe Jackson Victoria Samuel Aria Sebastian
Lily David Zoe Joseph Nora Carter Hannah Owen Layla Wyatt Anna John Ruby Maria Peter Susan
Thomas Laura George Alice Robert Julia Frank Helen Arthur Rosa Martin Ahmed Fatima Wei Yuki
Priya Ivan Olga Carlos Sofia Diego Ingrid Lars Pierre Claire Hans Greta
""")
MONTHS = _listed("""
January February March April May June July August September October November December
""")
DAYS = _listed("""
Monday Tuesday Wednesday Thursday Friday Saturday Sunday
""")
COLOURS = _listed("""
red blue green yellow black white orange purple grey pink brown silver golden
""")
UNITS = _listed("""
km kg cm mm kilometers meters miles feet inches grams kilograms pounds liters gallons hours
minutes seconds days weeks months years degrees percent volts watts calories megabytes
""")
SHORT = _listed("""
NASA IBM BBC USA UK EU UN GPS DNA CPU USB FBI CEO NATO FIFA MIT UNESCO HTML PDF AI LED TV ATM
""")
TITLES = _listed("""
Dr. Mr. Mrs. Ms. Professor President King Queen Captain Sir
""")
NEARBY = _listed(
    """
the kitchen; the station; the museum; the library; the second floor; the main square; the river;
the airport; the corner; the left; the right; the entrance; the park; the hall; the garage
""",
    ';',
)
SMALL = _listed("""
two three four five six seven eight nine ten eleven twelve fifteen twenty thirty
""")

# {x} is filled by a method of _Filler called x; a sentence may hold one of them twice.
PATTERNS = """
The capital of {country} is {city}.
{country} has a population of about {amount} million people.
{city} is about {number} {unit} from {city2}.
It was built in {year} by {person}.
{person} was born on {date} in {city}.
{person} wrote it in {year}, when {they} was {age} years old.
The answer is {number}.
{small} plus {small2} is {number}.
{number} times {number2} is {number3}.
{number} divided by {small} is about {decimal}.
The square root of {number} is roughly {decimal}.
That costs {price}.
It usually costs between {price} and {price2}.
A ticket costs {price} for adults and {price2} for children.
The total comes to {price}, including tax.
The meeting starts at {time} on {day}.
It opens at {time} and closes at {time2}.
Your appointment is on {day}, {date}, at {time}.
The next train to {city} leaves at {time} from platform {small}.
The flight to {city} takes about {small} hours and {number} minutes.
The temperature in {city} is {degrees} degrees today.
Expect {degrees} degrees and light rain in {city} on {day}.
Tomorrow it will be sunny, with a high of {degrees} and a low of {degrees2}.
There is a {percent} percent chance of rain {when}.
About {percent}% of all {things} are {adjective}.
Water boils at 100 degrees Celsius, which is 212 degrees Fahrenheit.
Bake it for {number} minutes at {hundreds} degrees.
Add {small} cups of {thing} and a pinch of salt.
You need {small} {things}, {decimal} {unit} of {thing}, and some {thing2}.
Mix the {thing} with the {thing2}, then let it rest for {number} minutes.
The {thing} is about {decimal} {unit} long and weighs {number} {unit2}.
A {thing} has {small} {things}, while a {thing2} has {small2}.
The distance is {decimal} km, or roughly {decimal2} miles.
It is {decimal} km long.
Light travels at about 300,000 kilometers per second.
The mountain is {thousands} meters high.
The river is {thousands} kilometers long.
The bridge was opened on {date} {year}.
In {year}, {person} won the election with {decimal} percent of the vote.
{short} was founded in {year}.
{short} announced it on {day}, {date}.
{short} and {short2} signed an agreement in {year}.
{title} {surname} works for {short} in {city}.
{title} {surname} will see you at {time}.
{name} and {name2} are meeting in {city} on {day}.
{name} is {age} years old and lives in {city}.
{name} called you at {time} and will call again {when}.
You have {small} new messages, the first one is from {name}.
I found {number} results for {thing}.
I set a timer for {number} minutes.
Your alarm is set for {time} {when}.
I added {thing} and {thing2} to your list.
I put the {thing} next to the {thing2}.
The {thing} is on {place}, {small} {unit} from here.
You will find it near {place}, next to the {colour} {thing}.
Go straight for {hundreds} meters, then turn left at the {thing}.
Take the {ordinal} street on the right, then look for the {colour} door.
The {ordinal} president was {person}.
It happened in the {ordinal} century.
World War II ended in 1945.
The {ordinal} of {month} is a {day}.
There are {number} days in {month}, and {small} {things} in the box.
A {thing} is a kind of {thing2}.
A {thing} is larger than a {thing2}, but much lighter.
The {thing} is {adjective}, and the {thing2} is {adjective2}.
Most {things} are {adjective}, but some of them are {adjective2}.
Yes, a {thing} can be {adjective}.
No, I don't think that the {thing} is {adjective}.
It depends on the {thing}, e.g. how {adjective} it is.
There are {small} kinds of {thing}, i.e. the {adjective} one and the {adjective2} one.
I would say that {name} is right about the {thing}.
You could try the {adjective} {thing}, or buy a new one for {price}.
I recommend the {thing}, because it is {adjective} and costs only {price}.
First open the {thing}, then take out the {thing2}, and close it again.
Please check the {thing} before you use the {thing2}.
Would you like the {colour} one or the {colour2} one?
Do you want me to look for another {thing}?
Shall I book a table for {small} at {time}?
That's because the {thing} reflects {colour} light.
The {thing} is {colour}, with a {colour2} {thing2}.
I can't see the {thing}, but I can hear the {thing2}.
I'm not sure, but it is probably about {number} {unit}.
It's {time} in {city}, and {time2} in {city2}.
Today is {day}, {date}, {year}.
It's a {number} minute walk, or {small} minutes by bus.
The phone number is {phone}.
The code is {digits}.
Room {hundreds} is on the {ordinal} floor.
Version {decimal} of the {thing} was released in {month} {year}.
The score was {small} to {small2}, so {city} won.
{person} painted it between {year} and {year2}.
{person} is known for {thing} and for the {thing2}.
{person}, who lived in {city}, discovered {thing} in {year}.
The {thing} was invented by {person} in {year}.
One {thing} contains about {number} calories and {decimal} grams of fat.
A day has 24 hours, or 1,440 minutes.
The battery lasts {small} hours and charges in {number} minutes.
My battery is at {percent} percent, so I can go on for {small} more hours.
The package weighs {decimal} kg and arrives on {day}.
The rent is {price} a month, plus {price2} for heating.
That is {fraction} of the {thing}.
Use {fraction} of a cup of {thing} and {small} teaspoons of {thing2}.
The stock rose by {decimal}% to {price}.
In the {decade}, {city} was known for its {things}.
{country} and {country2} share a border of {thousands} km.
The largest city in {country} is {city}, followed by {city2}.
People in {country} speak {small} languages, and most of them drive on the right.
{city} lies in {country}, {number} km north of {city2}.
The {thing} museum in {city} is closed on {day}.
You can get there by bus {number}, which stops at {place}.
{name}'s birthday is on {date}.
{name}'s {thing} is {adjective}, isn't it?
I think {name} left the {thing} in {place}.
Sure, I can bring you the {thing} from {place}.
Okay, I'll remind you about the {thing} at {time}.
Good idea, let's ask {name} about the {thing}.
I'm sorry, but the {thing} isn't there, only the {thing2}.
It has {small} {things} and {small2} {things2}.
Its {thing} is {number} {unit} wide, {small} {unit} deep, and very {adjective}.
{city}.
{country}.
{person}.
{title} {surname}.
Yes, it is.
Yes, of course.
No, it isn't.
Yes, {number}.
No, only {small}.
In {year}.
On {day}.
On {date}.
At {time}.
About {number} {unit}.
Roughly {decimal} percent.
It's {adjective}.
It's {number}.
It's {time}.
It costs {price}.
The {thing}.
A {colour} {thing}.
{name} and {name2}.
""".strip().splitlines()


@dataclass(frozen=True)
class Vocabulary:
    """What the patterns speak of: words that the corpus knows."""

    things: tuple[str, ...]
    adjectives: tuple[str, ...]
    cities: tuple[str, ...]
    countries: tuple[str, ...]
    surnames: tuple[str, ...]


def answer(rng: Random, words: Vocabulary) -> str:
    """One sentence, as written: with digits, signs and abbreviations."""
    filler = _Filler(rng, words)
    text = re.sub(r'\{(\w+?)\d?\}', lambda m: getattr(filler, m[1])(), rng.choice(PATTERNS))
    text = re.sub(r'\b([Aa]) (?=([aeioAEIO]|8|11\b|18\b))', lambda m: m[1] + 'n ', text)
    return text[0].upper() + text[1:]


class _Filler:
    """Draws what stands for each name of a pattern."""

    def __init__(self, rng: Random, words: Vocabulary) -> None:
        self.rng, self.words = rng, words

    def number(self) -> str:
        high = self.rng.choice((12, 20, 99, 99, 99, 365, 999))
        return str(self.rng.randint(2, high))

    def small(self) -> str:
        return self.rng.choice((self.rng.choice(SMALL), str(self.rng.randint(2, 20))))

    def hundreds(self) -> str:
        return str(self.rng.choice((50, 25, 10, 1)) * self.rng.randint(4, 18))

    def thousands(self) -> str:
        number = self.rng.choice((1, 10, 100)) * self.rng.randint(11, 99) + 900
        return self.rng.choice((f'{number:,}', str(number)))

    def amount(self) -> str:
        return self.rng.choice((self.decimal(), self.number()))

    def age(self) -> str:
        return str(self.rng.randint(3, 95))

    def decimal(self) -> str:
        return f'{self.rng.randint(0, 60)}.{self.rng.choice((1, 2, 3, 4, 5, 6, 7, 8, 9, 25, 75))}'

    def fraction(self) -> str:
        return self.rng.choice(('half', 'a third', 'a quarter', 'three quarters', 'two thirds'))

    def percent(self) -> str:
        return str(self.rng.choice((self.rng.randint(1, 99), 5 * self.rng.randint(1, 20))))

    def degrees(self) -> str:
        return str(self.rng.randint(2, 39))

    def price(self) -> str:
        whole, cents = self.rng.choice((9, 20, 99, 400, 2500)), self.rng.choice((0, 0, 50, 95, 99))
        number = f'{self.rng.randint(1, whole):,}' + (f'.{cents}' if cents else '')
        return self.rng.choice((f'${number}', f'${number}', f'€{number}', f'£{number}'))

    def year(self) -> str:
        return str(self.rng.choice((self.rng.randint(1900, 2026), self.rng.randint(1066, 1899))))

    def decade(self) -> str:
        return f'{self.rng.randint(180, 199)}0s'

    def time(self) -> str:
        hour, minute = self.rng.randint(1, 12), self.rng.choice((0, 0, 15, 30, 45, 5, 20, 50))
        clock = f'{hour}:{minute:02}' if minute else str(hour)
        return f'{clock} {self.rng.choice(("am", "pm", "a.m.", "p.m."))}'.replace('.m.', 'm')

    def day(self) -> str:
        return self.rng.choice(DAYS)

    def month(self) -> str:
        return self.rng.choice(MONTHS)

    def date(self) -> str:
        return f'{self.month()} {self.rng.randint(1, 28)}{self.rng.choice(("", "", "th"))}'

    def when(self) -> str:
        times = ('tomorrow', 'tonight', 'this afternoon', 'in the morning', 'next week', 'later')
        return self.rng.choice(times)

    def ordinal(self) -> str:
        n = self.rng.randint(1, 21)
        word = f'{n}{ {1: "st", 2: "nd", 3: "rd", 21: "st"}.get(n, "th") }'
        return self.rng.choice((word, ('first', 'second', 'third', 'fourth', 'fifth')[n % 5]))

    def phone(self) -> str:
        return ', '.join(self.digits() for _ in range(2))

    def digits(self) -> str:
        return ' '.join(str(self.rng.randint(0, 9)) for _ in range(self.rng.randint(3, 5)))

    def unit(self) -> str:
        return self.rng.choice(UNITS)

    def short(self) -> str:
        return self.rng.choice(SHORT)

    def title(self) -> str:
        return self.rng.choice(TITLES)

    def name(self) -> str:
        return self.rng.choice(FIRST_NAMES)

    def surname(self) -> str:
        return self.rng.choice(self.words.surnames)

    def person(self) -> str:
        return f'{self.name()} {self.surname()}'

    def they(self) -> str:
        return self.rng.choice(('he', 'she'))

    def place(self) -> str:
        return self.rng.choice(NEARBY)

    def colour(self) -> str:
        return self.rng.choice(COLOURS)

    def city(self) -> str:
        return self.rng.choice(self.words.cities)

    def country(self) -> str:
        return self.rng.choice(self.words.countries)

    def thing(self) -> str:
        return self.rng.choice(self.words.things)

    def things(self) -> str:
        word = self.thing()
        if word.endswith(('s', 'x', 'ch', 'sh', 'z')):
            return word + 'es'
        return word[:-1] + 'ies' if re.search('[^aeiou]y$', word) else word + 's'

    def adjective(self) -> str:
        return self.rng.choice(self.words.adjectives)
