"""What kame-small is measured with: users whom it has not heard, oracles that arrive live."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from kame_ros.training.small import user_texts
from kame_ros.training.small.bank import UserKind
from kame_ros.training.small.rooms import ROOMS, Rooms, gain
from kame_ros.training.small.trial import LiveOracle, Noise, UserTurn
from kame_ros.training.small.users import UserSound, burst, draw, whole
from kame_ros.training.small.voices import HELD_OUT, talker
from kame_ros.wire.frame import SAMPLE_RATE

LEAD_S = 0.8  # of the empty room before anybody speaks
LATENCY_S = (0.2, 1.5)  # from the end of the question to the first word of its oracle
GUESS_S = 0.8  # so long before the end of the question another oracle may be there
PAUSE_S = (0.5, 1.5)
# A recogniser tells a word so long after it was said: the median of six questions through the real
# graph, faster-whisper base on two cores.
TELLS_S = 0.4
BLANK_S = 9.0  # so long after the question it is waited whether the robot says something
ASKED_NOTHING_S = 12.0


@dataclass(frozen=True)
class Case:
    """A trial to be run. `answer` is what is to be said; `pauses` are inside the question."""

    kind: str
    turns: list[UserTurn]
    oracles: list[LiveOracle]
    noise: Noise
    answer: str = ''
    pauses: tuple[tuple[float, float], ...] = ()  # s from the beginning of the trial
    at_least_s: float = 0.0
    target: str = ''  # the unknown word


def texts(name: str) -> list[str]:
    """The lines of a file of this package, but for its remarks."""
    lines = files('kame_ros.training.small').joinpath(name).read_text('utf-8').splitlines()
    return [line for line in lines if line and not line.startswith('#')]


def understood(user: UserSound) -> tuple[tuple[float, str], ...]:
    """What a recogniser tells of it, and when: TELLS_S after each word.

    Where it is not known when words end, as if all were as long.
    """
    spoken, words = np.flatnonzero(user.speaks), user.text.split()
    ends = user.word_ends or [
        int(spoken[len(spoken) * (n + 1) // len(words) - 1]) for n in range(len(words))
    ]
    times = [TELLS_S + end / SAMPLE_RATE for end in ends]
    return tuple(zip(times, words, strict=True))


class Cases:
    """Cases without end, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        """Needs espeak-ng and flite; raises EspeakMissingError, FliteMissingError."""
        self._rng = random.Random(f'cases/{seed}')
        self._plain, self._open = texts('sentences.txt'), texts('open.txt')
        self._written = texts('written.txt')
        self._unknown = texts('unknown_words.txt')
        rng = random.Random(f'babble/{seed}')
        babble = [
            talker(rng.choice(HELD_OUT), rng).say(user_texts.question(rng)).sound
            for _ in range(12)
        ]  # fmt: skip
        self._rooms = Rooms(seed, babble)
        self._make: dict[str, Callable[[int], Case]] = {
            'sentences': lambda n: self._answered('sentences', _nth(self._plain, n)),
            'open': lambda n: self._answered('open', _nth(self._open, n)),
            'written': lambda n: self._answered('written', _nth(self._written, n)),
            'unknown': self._word,
            'blank': lambda n: self._blank(),
            'nothing': lambda n: self._nothing(),
            'replaced': lambda n: self._replaced(),
            'pause': lambda n: self._pause(),
            'barge_in': lambda n: self._over(UserKind.QUESTION),
            'back_channel': lambda n: self._over(UserKind.BACK_CHANNEL),
        }

    def case(self, kind: str, number: int) -> Case:
        """The next case of a kind; `number` picks the text of the answer where there is a list."""
        return self._make[kind](number)

    def _answered(self, kind: str, answer: str, target: str = '') -> Case:
        room = self._room()
        question, ends = self._question(room)
        return Case(kind, [question], self._arrive(answer, ends), room.noise, answer, target=target)

    def _word(self, number: int) -> Case:
        word = _nth(self._unknown, number)
        return self._answered('unknown', f'The word is {word}, again: {word}.', word)

    def _blank(self) -> Case:
        room = self._room()
        question, ends = self._question(room)
        return Case('blank', [question], [], room.noise, at_least_s=ends + BLANK_S)

    def _nothing(self) -> Case:
        """Noises in the room: a knock now and then."""
        room = self._room()
        starts = [self._rng.uniform(1, ASKED_NOTHING_S - 2) for _ in range(self._rng.randint(0, 4))]
        turns = [UserTurn(burst(self._rng) * gain(self._rng), start) for start in sorted(starts)]
        return Case('nothing', turns, [], room.noise, at_least_s=ASKED_NOTHING_S)

    def _replaced(self) -> Case:
        room = self._room()
        question, ends = self._question(room)
        first, second = self._rng.sample(self._plain + self._open, 2)
        late = LiveOracle(first, ends + self._rng.uniform(*LATENCY_S))
        newer = LiveOracle(second, after=self._rng.randint(2, 4))
        return Case('replaced', [question], [late, newer], room.noise, second)

    def _pause(self) -> Case:
        """A question with a pause inside; half of the time an oracle is there before the pause."""
        room = self._room()
        sound = draw(UserKind.PAUSED, self._rng, HELD_OUT, PAUSE_S)
        question, ends = self._question(room, sound)
        edges = np.flatnonzero(np.diff(sound.speaks.astype(np.int8))) + 1
        pauses = (LEAD_S + edges.reshape(-1, 2) / SAMPLE_RATE).tolist()
        answer = self._rng.choice(self._plain)
        oracles = self._arrive(answer, ends)[-1:]
        if self._rng.random() < 0.5:
            guess = self._rng.choice(self._open)
            oracles = [LiveOracle(guess, max(0.1, pauses[0][0] - 0.3)), *oracles]
        spans = tuple((float(a), float(b)) for a, b in pauses)
        return Case('pause', [question], oracles, room.noise, answer, spans)

    def _over(self, kind: UserKind) -> Case:
        """The user speaks over the answer, which is long: another question, or "uh-huh"."""
        room = self._room()
        question, ends = self._question(room)
        answer = ' '.join(self._rng.sample(self._open, 2))
        rng = self._rng
        who = talker(rng.choice(HELD_OUT), rng)
        text = 'yeah.' if kind == UserKind.BACK_CHANNEL else user_texts.question(rng)
        if kind == UserKind.BACK_CHANNEL:
            text = rng.choice(('uh huh.', 'yeah.', 'okay.', 'right.', 'hmm.'))
        spoken = who.say(text)
        over = whole(spoken, text)
        sound = room.echo(over.sound) * gain(rng, (-12.0, -3.0))
        second = UserTurn(sound, after=rng.randint(3, 6), words=understood(over))
        name = 'back_channel' if kind == UserKind.BACK_CHANNEL else 'barge_in'
        oracles = self._arrive(answer, ends)[-1:]
        return Case(name, [question, second], oracles, room.noise, answer)

    def _arrive(self, answer: str, ends: float) -> list[LiveOracle]:
        """The answer after the question; half of the time a wrong guess before its end."""
        late = LiveOracle(answer, ends + self._rng.uniform(*LATENCY_S))
        if self._rng.random() < 0.5 and ends > LEAD_S + 2 * GUESS_S:
            guess = self._rng.choice([text for text in self._plain if text != answer])
            return [LiveOracle(guess, ends - GUESS_S), late]
        return [late]

    def _question(self, room: _Room, sound: UserSound | None = None) -> tuple[UserTurn, float]:
        """Somebody asks in a room; also the second at which they have finished."""
        asked = sound or draw(UserKind.QUESTION, self._rng, HELD_OUT)
        heard = room.echo(asked.sound) * gain(self._rng)
        turn = UserTurn(heard, LEAD_S, words=understood(asked))
        return turn, LEAD_S + len(asked.sound) / SAMPLE_RATE

    def _room(self) -> _Room:
        return _Room(self._rooms, self._rng.randrange(ROOMS), self._rng)


class _Room:
    """One of the rooms, during a trial: its noise goes on from frame to frame."""

    def __init__(self, rooms: Rooms, number: int, rng: random.Random) -> None:
        self._rooms, self._number, self._rng = rooms, number, rng
        self._at = rng.randrange(2**20)

    def noise(self, samples: int) -> np.ndarray:
        begin, self._at = self._at, self._at + samples
        return self._rooms.noise(self._number, samples, begin)

    def echo(self, sound: np.ndarray) -> np.ndarray:
        return self._rooms.echo(self._rng, sound)


def _nth(texts: list[str], number: int) -> str:
    return texts[number % len(texts)]
