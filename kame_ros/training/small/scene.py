"""Scenes for kame-small: what is heard and fed in each frame, and what a good robot does then.

A teacher writes each scene turn by turn and knows no more than the robot will know. It waits for
the end of the user's turn, opens with a lead-in or at once with the answer, says what the newest
oracle says, takes back what another oracle contradicts, yields to a user who speaks over it but not
to a "mhm", and says that it does not know where no oracle comes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kame_ros.s2s.small.ear import LEVELS
from kame_ros.training.small.bank import PiecedSentence, Sentences, UserKind, Users

HAZARD = 0.4  # of each frame: that the robot begins, from the second silent frame on
THINKS_AGAIN = (28, 40)  # frames after a lead-in without an oracle: another lead-in
GIVES_UP = (65, 85)  # frames after the first lead-in: it does not know
KNOWN = 3  # pieces of an oracle that must be there before it is begun, or all
BREATH = (4, 25)  # frames of silence between the turns
LONGEST = 150  # frames of an answer
LEAK_DB = (10.0, 45.0)  # how much softer than a user the robot hears itself
DB = 2.55  # of a feature, in steps of its uint8


@dataclass(frozen=True, kw_only=True)
class TurnMix:
    """Of what scenes are made: shares of the turns."""

    told: float = 0.25  # nobody asked
    blank: float = 0.08  # of the questions: no oracle comes
    replaced: float = 0.25  # another oracle comes while it is said
    barged: float = 0.12  # the user speaks over the robot
    back_channel: float = 0.25  # the user says "mhm" meanwhile
    burst: float = 0.15  # a noise
    paused: float = 0.4  # of the questions: with a pause inside
    early: float = 0.4  # of the oracles: it is there before the user has finished
    direct: float = 0.6  # of the answers whose oracle is there: without a lead-in
    leaky: float = 0.25  # of the scenes: the robot hears itself


@dataclass(frozen=True)
class Scene:
    """The streams of a scene, frame by frame: see `KameSmall.forward`."""

    ear: np.ndarray  # uint8[T, 84]
    codes: np.ndarray  # int16[T, 8]
    said: np.ndarray  # int16[T]
    window: np.ndarray  # int16[T, ahead]
    mark: np.ndarray  # uint8[T]


@dataclass(frozen=True)
class Phrases:
    """The robot's own words."""

    lead_ins: list[PiecedSentence]
    corrections: list[PiecedSentence]
    unknown: list[PiecedSentence]


@dataclass
class _Oracle:
    """An answer: its codes and pieces, when it was there, and how fast it came."""

    sentence: PiecedSentence
    arrives: int
    rate: float  # pieces a frame; 0: all at once

    def known(self, frame: int) -> int:
        """How many pieces are there in this frame."""
        if frame < self.arrives:
            return 0
        count = len(self.sentence.pieces)
        return count if not self.rate else min(count, int((frame - self.arrives + 1) * self.rate))

    def ready(self) -> int:
        """The first frame in which enough of it is there to begin."""
        wanted = min(KNOWN, len(self.sentence.pieces))
        frame = self.arrives
        while self.known(frame) < wanted:
            frame += 1
        return frame


@dataclass
class _Canvas:
    """The scene while it is written; what lies beyond its end is cut off."""

    ear: np.ndarray
    codes: np.ndarray
    said: np.ndarray
    window: np.ndarray
    mark: np.ndarray
    leak: np.ndarray | None  # uint8[n, 84]: what the robot hears of itself, whatever it says

    def hear(self, at: int, features: np.ndarray) -> int:
        """Writes what the user sounds like; gives the frame after it."""
        here = self.ear[at : at + len(features)]
        here[:] = features[: len(here)]
        return at + len(features)

    def say(self, at: int, sentence: PiecedSentence, until: int | None = None) -> int:
        """Writes a sentence, or its first `until` frames; gives the frame after it."""
        length = len(sentence.codes) if until is None else min(until, len(sentence.codes))
        here = self.codes[at : at + length]
        here[:] = sentence.codes[: len(here)]
        frames = at + sentence.frames
        fits = (sentence.frames < length) & (frames < len(self.said))
        self.said[frames[fits]] = sentence.pieces[fits]
        if self.leak is not None:
            self._hear_itself(at + 1, length)
        return at + length

    def _hear_itself(self, at: int, length: int) -> None:
        """A frame later. Where it is louder than what is heard else, it is heard instead."""
        assert self.leak is not None
        here = self.ear[at : at + length]
        own = self.leak[(np.arange(len(here)) + at) % len(self.leak)]
        louder = own[:, :LEVELS].mean(axis=1) > here[:, :LEVELS].mean(axis=1)
        here[:, :LEVELS] = np.maximum(here[:, :LEVELS], own[:, :LEVELS])
        here[louder, LEVELS:] = own[louder, LEVELS:]


class StreamsMaker:
    """Makes scenes, each another one."""

    def __init__(
        self,
        rng: np.random.Generator,
        sentences: Sentences,
        phrases: Phrases,
        users: Users,
        begins_word: np.ndarray,
        silence: np.ndarray,
        ahead: int,
        mix: TurnMix | None = None,
    ) -> None:
        """`begins_word` bool[pieces], `silence` the codes int[8] of no sound."""
        self._rng, self._sentences, self._phrases, self._users = rng, sentences, phrases, users
        self._begins, self._silence, self._ahead = begins_word, silence, ahead
        self._end = len(begins_word)
        self._mix = mix or TurnMix()

    def _chance(self, share: float) -> bool:
        return bool(self._rng.random() < share)

    def _between(self, low: int, high: int) -> int:
        return int(self._rng.integers(low, high + 1))

    def scene(self, frames: int) -> Scene:
        """Turns that fill `frames`."""
        room = self._between(0, self._users.rooms - 1)
        canvas = _Canvas(
            self._users.background(self._rng, room, frames).copy(),
            np.tile(self._silence.astype(np.int16), (frames, 1)),
            np.zeros(frames, np.int16),
            np.zeros((frames, self._ahead), np.int16),
            np.zeros(frames, np.uint8),
            self._leak(room) if self._chance(self._mix.leaky) else None,
        )
        at = self._between(0, 12)
        heard: np.ndarray | None = None  # what the user began to say over the robot
        while at < frames:
            if heard is None and self._chance(0.1):  # long silence, or noise: nothing is said
                if self._chance(0.5):
                    burst = self._users.draw(self._rng, UserKind.BURST, room)
                    canvas.hear(at, burst)
                at += self._between(20, 80)
            at, heard = self._turn(canvas, at, room, heard)
            if heard is None:
                at += self._between(*BREATH)
        return Scene(canvas.ear, canvas.codes, canvas.said, canvas.window, canvas.mark)

    def _leak(self, room: int) -> np.ndarray | None:
        """What the robot may hear of itself: somebody's speech, softer."""
        own = [self._users.draw(self._rng, UserKind.STATEMENT, room) for _ in range(4)]
        voice = np.concatenate(own).astype(np.int16)
        voice[:, :LEVELS] -= int(self._rng.uniform(*LEAK_DB) * DB)
        return np.clip(voice, 0, 255).astype(np.uint8) if len(voice) else None

    def _turn(
        self, canvas: _Canvas, at: int, room: int, heard: np.ndarray | None
    ) -> tuple[int, np.ndarray | None]:
        """One turn; gives the frame after it, and what the user has begun to say over its end.

        Of `heard` the user has already said what lies before `at`.
        """
        told = heard is None and self._chance(self._mix.told)
        if told:
            ends = at
            oracles = [self._oracle(at)]
            due = oracles[0].ready() + self._between(1, 2)
        else:
            begins = at
            if heard is None:
                heard = self._utterance(room)
                canvas.hear(at, heard)  # else it was written when it was begun
            ends = at + max(0, len(heard) - self._users.tail)
            oracles = self._guesses(begins, ends)
            due = ends + 1 + int(self._rng.geometric(HAZARD)) - 1
        return self._answer(canvas, due, oracles, told, room)

    def _utterance(self, room: int) -> np.ndarray:
        kind = UserKind.PAUSED if self._chance(self._mix.paused) else UserKind.QUESTION
        if self._chance(0.15):
            kind = UserKind.STATEMENT
        return self._users.draw(self._rng, kind, room)

    def _oracle(self, arrives: int) -> _Oracle:
        rate = 0.0 if self._chance(0.5) else float(self._rng.uniform(0.9, 4.0))
        return _Oracle(self._text(), arrives, rate)

    def _text(self) -> PiecedSentence:
        """One to three sentences."""
        parts = [self._sentences[self._between(0, len(self._sentences) - 1)]]
        while self._chance(0.3) and sum(len(p.codes) for p in parts) < LONGEST:
            parts.append(self._sentences[self._between(0, len(self._sentences) - 1)])
        offsets = np.cumsum([0, *(len(p.codes) for p in parts[:-1])])
        return PiecedSentence(
            np.concatenate([p.codes for p in parts]),
            np.concatenate([p.pieces for p in parts]),
            np.concatenate([p.frames + o for p, o in zip(parts, offsets, strict=True)]),
        )

    def _guesses(self, begins: int, ends: int) -> list[_Oracle]:
        """Oracles of a question, in order; the last is the answer, unless none comes at all."""
        found: list[_Oracle] = []
        at = begins + self._between(8, 20)
        while at < ends - 4 and self._chance(0.6):
            found.append(self._oracle(at))
            at += self._between(5, 16)
        if self._chance(self._mix.blank):
            return []
        if found and self._chance(self._mix.early):
            return found  # the last guess was right
        latency = self._rng.uniform(-8, 19) if self._chance(0.8) else self._rng.uniform(10, 60)
        last = found[-1].arrives if found else begins
        found.append(self._oracle(max(ends + int(latency), last + 4)))
        return found

    def _answer(
        self,
        canvas: _Canvas,
        due: int,
        oracles: list[_Oracle],
        told: bool,
        room: int,
    ) -> tuple[int, np.ndarray | None]:
        """What the robot does from frame `due` on."""
        free = due  # the frame from which on it can say something else
        answer = oracles[-1] if oracles else None
        # In the frame in which it decides it sees what has arrived up to it.
        there = answer is not None and answer.ready() <= due
        if not told and not (there and self._chance(self._mix.direct)):
            free = canvas.say(due, self._one_of(self._phrases.lead_ins))
        if answer is None:
            free = self._think(canvas, free, None)
            return canvas.say(free, self._one_of(self._phrases.unknown)), None
        if not told and not there:
            free = self._think(canvas, free, answer.ready())
        start = max(free, answer.ready() + (0 if there else 1))
        self._shown(canvas, oracles, start)
        return self._speak(canvas, answer, start, room)

    def _one_of(self, phrases: list[PiecedSentence]) -> PiecedSentence:
        return phrases[self._between(0, len(phrases) - 1)]

    def _think(self, canvas: _Canvas, free: int, arrives: int | None) -> int:
        """Further lead-ins while no oracle comes; gives the frame from which on it is free."""
        begin = free
        again = free + self._between(*THINKS_AGAIN)
        if arrives is not None and arrives < again:
            return free
        free = canvas.say(again, self._one_of(self._phrases.lead_ins))
        if arrives is None:
            return max(free, begin + self._between(*GIVES_UP))
        return free

    def _shown(self, canvas: _Canvas, oracles: list[_Oracle], start: int) -> None:
        """Writes the window up to the frame `start`, in which the last oracle is begun."""
        for number, oracle in enumerate(oracles):
            end = oracles[number + 1].arrives if number + 1 < len(oracles) else start
            self._show(canvas, oracle, oracle.arrives, end, 0)
            self._mark(canvas, oracle.arrives)

    def _mark(self, canvas: _Canvas, frame: int) -> None:
        if 0 <= frame < len(canvas.mark):
            canvas.mark[frame] = 1

    def _show(self, canvas: _Canvas, oracle: _Oracle, begin: int, end: int, said: int) -> None:
        """Writes the window of frames `begin` to `end`, in which `said` pieces are gone."""
        pieces = oracle.sentence.pieces
        for frame in range(max(0, begin), min(end, len(canvas.window))):
            known = oracle.known(frame)
            row = canvas.window[frame]
            row[:] = 0
            due = pieces[said : min(known, said + self._ahead)]
            row[: len(due)] = due
            if known == len(pieces) and len(due) < self._ahead:
                row[len(due)] = self._end

    def _speak(
        self, canvas: _Canvas, oracle: _Oracle, start: int, room: int
    ) -> tuple[int, np.ndarray | None]:
        """Says an oracle from frame `start` on, unless something comes between."""
        sentence = oracle.sentence
        length = len(sentence.codes)
        oracle.rate = self._enough(oracle, start)
        if length > 12 and self._chance(self._mix.back_channel):
            at = start + self._between(3, length - 8)
            canvas.hear(at, self._users.draw(self._rng, UserKind.BACK_CHANNEL, room))
        elif self._chance(self._mix.burst):
            at = start + self._between(0, length)
            canvas.hear(at, self._users.draw(self._rng, UserKind.BURST, room))
        words = np.flatnonzero(self._begins[sentence.pieces])[1:]  # but for the first
        if len(words) and self._chance(self._mix.replaced):
            return self._replace(canvas, oracle, start, int(self._rng.choice(words)), room)
        if len(words) and self._chance(self._mix.barged):
            return self._barge_in(canvas, oracle, start, room)
        self._count_off(canvas, oracle, start, len(sentence.pieces))
        end = canvas.say(start, sentence)
        # Its end stays in the window until another oracle comes, or goes with the sound.
        said = start + int(sentence.frames[-1]) + 1
        self._show(canvas, oracle, said, len(canvas.said), len(sentence.pieces))
        if self._chance(0.5):
            self._forget(canvas, end)
        return end, None

    def _enough(self, oracle: _Oracle, start: int) -> float:
        """A rate at which no piece is late: speech that has begun does not wait for the text."""
        if not oracle.rate:
            return 0.0
        due = start + oracle.sentence.frames
        for number, frame in enumerate(due):
            while oracle.rate < 8 and oracle.known(int(frame) - 2) < min(number + KNOWN, len(due)):
                oracle.rate *= 1.3
        return oracle.rate if oracle.rate < 8 else 0.0

    def _count_off(self, canvas: _Canvas, oracle: _Oracle, start: int, pieces: int) -> None:
        """Writes the window while the first `pieces` are said, one after another."""
        frames = start + oracle.sentence.frames
        before = start
        for number in range(pieces):
            self._show(canvas, oracle, before, int(frames[number]) + 1, number)
            before = int(frames[number]) + 1

    def _replace(
        self, canvas: _Canvas, oracle: _Oracle, start: int, word: int, room: int
    ) -> tuple[int, np.ndarray | None]:
        """Another oracle comes before piece `word`, which begins a word, is said."""
        frames = oracle.sentence.frames
        last, due = start + int(frames[word - 1]), start + int(frames[word])
        shown = self._between(last + 1, due)  # the front-end waits for the end of a word
        self._count_off(canvas, oracle, start, word)
        self._show(canvas, oracle, last + 1, shown, word)
        stop = max(shown + 1, due)
        canvas.say(start, oracle.sentence, until=due - start)
        newer = self._oracle(shown)
        self._mark(canvas, shown)
        free = canvas.say(stop, self._one_of(self._phrases.corrections))
        begin = max(free, newer.ready() + 1)
        self._show(canvas, newer, shown, begin, 0)
        return self._speak(canvas, newer, begin, room)

    def _barge_in(
        self, canvas: _Canvas, oracle: _Oracle, start: int, room: int
    ) -> tuple[int, np.ndarray | None]:
        """The user speaks over the robot, which stops at the end of a piece."""
        sentence = oracle.sentence
        begins = start + self._between(2, max(3, len(sentence.codes) - 8))
        heard = self._utterance(room)
        canvas.hear(begins, heard)
        stop = begins + self._between(4, 7)  # the front-end takes the oracle away
        pieces = int(np.searchsorted(start + sentence.frames, stop))
        self._count_off(canvas, oracle, start, pieces)
        last = start + int(sentence.frames[pieces - 1]) + 1 if pieces else start
        self._show(canvas, oracle, last, stop, pieces)
        over = (
            int(sentence.frames[pieces]) if pieces < len(sentence.frames) else len(sentence.codes)
        )
        end = canvas.say(start, sentence, until=int(over))
        self._forget(canvas, stop)
        rest = heard[max(end, stop) - begins :]
        if len(rest) <= self._users.tail:
            return max(end, stop), None
        return max(end, stop), rest

    def _forget(self, canvas: _Canvas, frame: int) -> None:
        """Nothing is in the window any more."""
        canvas.window[frame:] = 0
