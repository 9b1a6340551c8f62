"""What users say in training: questions, statements and back-channels, drawn from templates."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

_FILL: dict[str, tuple[str, ...]] = {
    name: tuple(text.strip() for text in row.split('|'))
    for name, row in {
        'country': 'France|Japan|Brazil|Kenya|Norway|Canada|Peru|Egypt|India|Iceland|Vietnam|'
        'Portugal|New Zealand|Morocco|Argentina|Poland|Mexico|Ireland|South Korea|Greece',
        'city': 'Paris|Boston|Kyoto|Berlin|Sydney|Nairobi|Lisbon|San Francisco|Chicago|Madrid|'
        'Toronto|Cairo|Prague|Dublin|Seattle|Vienna|Mumbai|Helsinki|Buenos Aires|Rome',
        'person': 'Anna|Marie Curie|my sister|Doctor Brown|Beethoven|Mister Wilson|the president|'
        'Ada Lovelace|our neighbour|Peter|the new teacher|Isaac Newton|Sofia|my grandmother|'
        'the manager|Leonardo da Vinci|Tom and Julia|your friend',
        'thing': 'a bicycle|the washing machine|my phone|a good book|the coffee machine|a lamp|'
        'an umbrella|'
        'the red box|a violin|the elevator|my passport|the printer|a telescope|the door key|'
        'a sandwich|the garden hose|an old camera|the blue notebook|a fridge|the window|a tent',
        'animal': 'elephants|a blue whale|penguins|bees|a cheetah|owls|dolphins|an octopus|'
        'hedgehogs|the polar bear|spiders|a giant tortoise|bats|crocodiles',
        'food': 'bread|tomato soup|rice|apple pie|pancakes|a salad|noodles|chocolate cake|curry|'
        'mushrooms|scrambled eggs|pizza|roasted vegetables|cheese|lentils|fish and chips',
        'place': 'the station|the kitchen|the museum|a pharmacy|the main hall|the airport|the park|'
        'room twelve|the library|the nearest bank|the harbour|the meeting room|the castle|'
        'the swimming pool|the post office|the bus stop|a quiet cafe',
        'time': 'tomorrow|at noon|tonight|on Monday|next week|in the evening|at half past three|'
        'on the weekend|in two hours|before lunch|in July|this afternoon|after work|at night',
        'topic': 'quantum computers|the weather|volcanoes|jazz music|black holes|gardening|'
        'the Roman Empire|solar power|chess|photosynthesis|the stock market|knitting|robots|'
        'the human heart|the moon landing|electric cars|medieval castles|the rules of cricket',
        'unit': 'minutes|kilometres|euros|people|days|grams|hours|steps|miles|pages|degrees',
        'number': 'two|three|five|seven|nine|twelve|fifteen|twenty|twenty five|thirty six|forty|'
        'sixty four|eighty|ninety nine|a hundred|two hundred and fifty|a thousand',
        'do': 'clean the window|fix a flat tire|learn the piano|boil an egg|sleep better|'
        'write a letter|grow tomatoes|save some money|reach the station|open this box|'
        'book a table|repair the roof|find my keys|bake bread|send a parcel|get to the beach|'
        'change the battery|paint a wall|train a dog|catch the last bus',
        'adjective': 'expensive|heavy|far away|dangerous|old|popular|difficult|fast|healthy|loud|'
        'tall|important|cold|famous|strong|quiet|deep|comfortable',
        'most': 'tallest|oldest|fastest|largest|cheapest|deepest|longest|best|smallest|coldest',
        'kind': 'building|river|animal|mountain|train|bridge|lake|restaurant|planet|ship|museum|'
        'university|desert|island|car|song',
        'language': 'Spanish|Japanese|German|Arabic|French|Swahili|Italian|Polish|Korean|Dutch',
        'event': 'the meeting|the concert|the first train|the football match|the lecture|my flight|'
        'the party|the film|the next bus|the exhibition|dinner|the interview',
        'um': 'um|uh|er|well|you know|like|let me think|hm',
    }.items()
}  # fmt: skip

QUESTIONS = tuple(
    line.strip()
    for line in """
What is the capital of {country}?
Where is {place}?
Who is {person}?
What time does {event} start?
How far is it to {city}?
How far is it from {city} to {city}?
How many {unit} are there in {number} {unit}?
Can you tell me something about {topic}?
Could you please tell me how to {do}?
How do I {do}?
What is the {most} {kind} in {country}?
What is the {most} {kind} in the world?
Why are {animal} so {adjective}?
What do {animal} eat?
How long do {animal} live?
Is {place} open {time}?
Do you know where I can find {thing}?
Have you seen {thing}?
Which is more {adjective}, {food} or {food}?
What is {number} times {number}?
What is {number} plus {number}?
How much is {number} percent of {number}?
When was {person} born?
When did {person} arrive in {city}?
Who invented {thing}?
What did {person} say about {topic}?
What should I wear in {city} {time}?
Will it rain {time}?
What will the weather be like in {city} {time}?
Can I {do} {time}?
How long does it take to {do}?
How long does it take to get from {city} to {place}?
Would you like to talk about {topic}?
Do you think that {topic} is {adjective}?
Are {animal} {adjective}?
How do you say {food} in {language}?
How many people speak {language}?
What language do they speak in {country}?
What can I cook with {food} and {food}?
How do you make {food}?
Do I need {thing} to {do}?
What happens if I leave {food} in {place}?
Is it true that {animal} can sleep for {number} {unit}?
What is the difference between {topic} and {topic}?
Could you explain {topic} to a child?
Who won {event}?
Where does {person} live?
Where can I buy {thing} in {city}?
Is there a {kind} near {place}?
Which {kind} should I see in {city}?
Can you remind me {time} to {do}?
Could you call {person} {time}?
What is on {time}?
Tell me a story about {animal}.
Tell me more about {topic}.
Give me {number} facts about {country}.
Show me how to {do}.
Please explain why {animal} are {adjective}.
Translate {thing} into {language}.
Name {number} things that are {adjective}.
What's the best way to {do}?
What's the time in {city}?
What's the price of {thing}?
Why does {thing} make that noise?
Why is {thing} so {adjective}?
Should I take {thing} or {thing}?
Are you sure?
And what about {country}?
And {person}?
How come?
Really, why?
What does that mean?
What else?
Do you like {food}?
What's your name?
How old is {person}?
How {adjective} is {thing}?
So is {thing} more {adjective} than {thing}?
If I leave {city} {time}, when do I arrive in {city}?
When I want to {do}, what do I need?
Before we go to {place}, can you tell me when {event} begins?
I wonder what {animal} do {time}.
I'd like to know how {person} learned {language}.
I was wondering, do you know who works at {place}?
""".strip().splitlines()
)

SPONTANEOUS = tuple(
    line.strip()
    for line in """
{um}, what is, {um}, the capital of {country}?
So I wanted to ask, {um}, how do I {do}?
Okay, {um}, where is {place}, and is it open {time}?
I'm looking for {thing}, and, {um}, I think it was in {place}, have you seen it?
Can you, {um}, can you tell me about {topic}?
What's the name of, {um}, the {most} {kind} in {country}?
Hey, do you know, {um}, if {event} starts {time}?
Right, so, {person} told me about {topic}, and I don't get it, could you explain it?
We have {food}, {food}, and {food}, what can we cook?
I need {thing}, {thing}, and {thing}, where do I get them?
First I go to {place}, then to {place}, and then to {city}, how long will that take?
How do I get to {place}, and then, {um}, to {city}?
Could you, if it isn't too {adjective}, {do}?
{um}, {person}, I mean, {person}, where do they live?
Maybe {time}, or, {um}, {time}, what do you think?
Is it {number} or {number} {unit}, do you know?
What about {city}, and {city}, and, {um}, {city}?
You said something about {topic}, so, {um}, what was it?
The thing is, I have to {do} {time}, so what should I do first?
If it rains {time}, and we can't go to {place}, what else could we do in {city}?
And then, {um}, how many {unit} is that?
My question is, {um}, why are {animal} so {adjective}?
I know that {person} lives in {city}, but where exactly?
Wait, which {kind} is that?
""".strip().splitlines()
)

STATEMENTS = tuple(
    line.strip()
    for line in """
I like {food}.
I think that {topic} is really {adjective}.
I'm going to {city} {time}.
{person} lives in {city}.
We had {food} and {food} {time}.
My {kind} is very {adjective}.
I don't want to {do} today.
That was {adjective}.
Thank you very much.
Thanks, that helps.
Never mind.
Good morning.
Hello there.
Nice to meet you.
I have {number} {unit} left.
I lost {thing} in {place}.
It takes {number} {unit} to {do}.
{animal} are my favourites.
Yesterday I saw {animal} near {place}.
I'm tired, so let's talk {time}.
I tried to {do}, but it was too {adjective}.
It's {number} {unit} from here, more or less.
I used to speak {language} when I was in {country}.
Stop, that's enough.
No, that's not what I meant.
I'll be back {time}.
Let's go to {place}.
The {most} {kind} is in {country}, I think.
""".strip().splitlines()
)

BACK_CHANNELS = (
    'uh huh.', 'mm hmm.', 'hmm.', 'yeah.', 'yes.', 'yep.', 'okay.', 'right.', 'sure.', 'I see.',
    'oh.', 'ah.', 'aha.', 'good.', 'really?', 'oh yeah.', 'no.', 'wow.', 'great.', 'true.', 'huh?',
)  # fmt: skip


def question(rng: random.Random) -> str:
    """A question, or a request, as somebody asks it: one in three is spontaneous.

    >>> question(random.Random(1))  # doctest: +SKIP
    'What is on tonight?'
    """
    text = filled(rng, rng.choice(SPONTANEOUS if rng.random() < 1 / 3 else QUESTIONS))
    if rng.random() < 0.1:
        text = rng.choice(('Hey, ', 'Okay, so, ', 'Um, ', 'Please, ', 'And, ')) + _lowered(text)
    if text.endswith('?') and rng.random() < 0.3:
        text = text[:-1] + '.'  # many questions do not rise
    return text


def statement(rng: random.Random) -> str:
    """Something that asks for nothing."""
    return filled(rng, rng.choice(STATEMENTS))


def back_channel(rng: random.Random) -> str:
    """A word that says: I am listening, go on."""
    return rng.choice(BACK_CHANNELS)


def filled(rng: random.Random, template: str) -> str:
    """The template with a filler in each pair of braces; it begins with a capital letter."""
    draw: Callable[[re.Match[str]], str] = lambda found: rng.choice(_FILL[found[1]])  # noqa: E731
    text = re.sub(r'\{(\w+)\}', draw, template)
    return text[0].upper() + text[1:]


def _lowered(text: str) -> str:
    return text if text.startswith(('I ', "I'")) else text[0].lower() + text[1:]
