"""Scenes for kame-tiny: what is heard and fed in each frame, and what a good robot does then.

A scene is written frame by frame by a teacher that knows no more than the robot will know: it
waits for the end of the user's turn, opens with a lead-in, says what was fed, and starts over with
a "sorry" when another oracle comes while it speaks.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np

from kame_ros.s2s.moshi.token_feed import CreditFeed
from kame_ros.training.layout import Example, Marks
from kame_ros.training.tiny import lexicon
from kame_ros.training.tiny.robot_voice import RobotVoice
from kame_ros.training.tiny.user_voices import UserVoices

GAP = (2, 5)  # frames between the end of the user's turn and the lead-in
LAG = 1  # frames from a word in the oracle to the same word in speech, at least
BREATH = (4, 20)  # frames of silence between the turns
LATENCY_S = (0.2, 1.5)  # from the end of the user's turn to the first word of the last oracle
AHEAD = 1  # tokens of an oracle that are fed before they are said; more come when they are
FRESH = 8  # frames: words of an oracle that were begun so lately are taken back with a "sorry"


@dataclass(frozen=True, kw_only=True)
class Mix:
    """Of what scenes are made: shares of the turns, of the guesses, or of the oracles.

    `clip` cuts the robot's words to so many frames (0: whole words): speech is noise then, but many
    more words fit into a scene, from which copying is learnt sooner.
    """

    told: float = 0.2  # of the turns: the robot is told what to say, nobody asked
    blank: float = 0.12  # of the questions: no oracle comes
    replaced: float = 0.3  # of the turns: another oracle comes while the robot speaks
    aborted: float = 0.3  # of the guesses: the stream is cut off
    barged: float = 0.06  # of the turns: the user speaks over the robot
    unknown: float = 0.25  # of the oracles: with words to spell
    answers: float = 0.3  # of the oracles: sentences; the others are words in any order
    clip: int = 0


class Teacher:
    """What the robot does in each frame, from what was heard and fed up to it."""

    def __init__(
        self,
        rng: random.Random,
        voice: RobotVoice,
        ids: dict[str, int],
        marks: Marks,
    ) -> None:
        self._rng, self._voice, self._ids, self._marks = rng, voice, ids, marks
        self._names = {token: word for word, token in ids.items()}
        self.said: list[str] = []
        self._oracle: list[tuple[int, str]] = []  # (frame in which it was fed, word)
        self._next = 0
        self._started = False  # of this oracle something was said
        self._spoke = 0  # the frame in which a word of an oracle was begun last
        self._queue: list[str] = []  # words of a lead-in or of a correction
        self._lead_in_due = False
        self._quiet = 0  # frames since the user spoke
        self._gap = 0
        self._codes: np.ndarray | None = None
        self._at = 0

    @property
    def busy(self) -> bool:
        """Whether something is being said, or is still to be said."""
        return self._codes is not None or bool(self._queue) or self._next < len(self._oracle)

    @property
    def began(self) -> bool:
        """Whether a word of the newest oracle was begun."""
        return self._started

    def forget(self) -> None:
        """Barge-in: drops what was to be said."""
        self._oracle, self._next, self._started, self._queue = [], 0, False, []

    def step(self, frame: int, talking: bool, fed: int) -> tuple[str | None, np.ndarray]:
        """Gives the word that begins in this frame, if any, and the codes of the frame."""
        self._listen(talking)
        self._read(frame, fed)
        word = None
        if self._codes is None:
            word = self._choose(frame, talking)
            if word is not None:
                self.said.append(word)
                self._codes, self._at = self._voice.words[word], 0
        if self._codes is None:
            return None, self._voice.silence
        codes = self._codes[:, self._at]
        self._at += 1
        if self._at == self._codes.shape[1]:
            self._codes = None
        return word, codes

    def _listen(self, talking: bool) -> None:
        if talking:
            self._lead_in_due, self._quiet = True, 0
            self._gap = self._rng.randint(*GAP)
        else:
            self._quiet += 1

    def _read(self, frame: int, fed: int) -> None:
        if fed == self._marks.start:
            if self._started and frame - self._spoke <= FRESH:
                self._queue = [lexicon.CORRECTION]
            self._oracle, self._next, self._started = [], 0, False
        elif fed in self._names:
            self._oracle.append((frame, self._names[fed]))

    def _choose(self, frame: int, talking: bool) -> str | None:
        if talking or (self._lead_in_due and self._quiet <= self._gap):
            return None
        if self._lead_in_due:
            self._lead_in_due = False
            self._queue = self._rng.choice(lexicon.LEAD_INS).split()
        if self._queue:
            return self._queue.pop(0)
        if self._next < len(self._oracle) and frame - self._oracle[self._next][0] >= LAG:
            self._next += 1
            self._started, self._spoke = True, frame
            return self._oracle[self._next - 1][1]
        return None


@dataclass
class _Turn:
    """What is still to happen in this turn, in frames of the scene."""

    speech: np.ndarray  # [8, n] of the user; n may be 0
    oracles: list[tuple[int, str]]
    replacement: str
    barge: bool
    ends: int  # the user's speech


class SceneMaker:
    """Makes scenes, each another one. `ids` are the tokens of the words."""

    def __init__(
        self,
        rng: random.Random,
        voice: RobotVoice,
        users: UserVoices,
        ids: dict[str, int],
        marks: Marks,
        mix: Mix | None = None,
    ) -> None:
        self._mix = mix = mix or Mix()
        if mix.clip:
            cut = {word: codes[:, : mix.clip] for word, codes in voice.words.items()}
            voice = RobotVoice(cut, voice.silence)
        self._rng, self._voice, self._users = rng, voice, users
        self._ids, self._marks = ids, marks
        self._silent = {marks.padding, marks.end_of_padding}

    def encode(self, text: str) -> list[int]:
        """The tokens of units with spaces between them."""
        return [self._ids[unit] for unit in text.split()]

    def text(self) -> str:
        """Something to say: a sentence, or words in any order."""
        rng = self._rng
        text = lexicon.answer(rng) if rng.random() < self._mix.answers else lexicon.jumble(rng)
        if rng.random() < self._mix.unknown:
            words = text.split()
            words.insert(rng.randint(0, len(words)), lexicon.spelled(rng))
            text = ' '.join(words)
        return text

    def scene(self, frames: int) -> Example:
        """The four streams of turns that fill `frames`, on the live axis."""
        rng = self._rng
        room = rng.randrange(self._users.rooms)
        teacher = Teacher(rng, self._voice, self._ids, self._marks)
        user = self._users.background(rng, room, frames)
        talking = np.zeros(frames, bool)
        text = np.full(frames, self._marks.padding, np.int64)
        oracle = np.full(frames, self._marks.padding, np.int64)
        robot = np.zeros((8, frames), np.int64)
        turn = self._turn(rng.randint(0, 12), room, user, talking)
        feed = CreditFeed(self._marks.start, self._marks.padding, AHEAD)
        idle = 0
        for frame in range(frames):
            while turn.oracles and turn.oracles[0][0] <= frame:
                feed.restart(self.encode(turn.oracles.pop(0)[1]))
            oracle[frame] = feed.next()
            # The front-end learns of a text token one frame after the model has chosen it.
            if frame and text[frame - 1] not in self._silent:
                feed.said(int(text[frame - 1]))
            word, robot[:, frame] = teacher.step(frame, bool(talking[frame]), int(oracle[frame]))
            if word is not None:
                text[frame] = self._ids[word]
                if frame and text[frame - 1] == self._marks.padding:
                    text[frame - 1] = self._marks.end_of_padding
            busy = bool(feed.waiting()) or teacher.busy
            if teacher.began and busy and rng.random() < 0.06:
                if turn.replacement:
                    feed.restart(self.encode(turn.replacement))
                    turn.replacement = ''
                elif turn.barge:
                    turn.barge = False
                    turn = self._turn(frame + 1, room, user, talking)
                    heard = frame + rng.randint(5, 8)
                    turn.oracles = [(max(at, heard), said) for at, said in turn.oracles]
                    feed.drop()
                    teacher.forget()
            busy = bool(feed.waiting()) or teacher.busy
            done = frame > turn.ends + GAP[1] and not (turn.oracles or busy)
            idle = idle + 1 if done else 0
            if done and idle > rng.randint(*BREATH):
                turn, idle = self._turn(frame + 1, room, user, talking), 0
        return Example(text, robot, user, oracle)

    def _turn(self, at: int, room: int, user: np.ndarray, talking: np.ndarray) -> _Turn:
        """Writes the user's speech from frame `at` on, and plans the oracles of the turn."""
        rng = self._rng
        barge = rng.random() < self._mix.barged
        replacement = self.text() if rng.random() < self._mix.replaced else ''
        if rng.random() < self._mix.told:
            return _Turn(user[:, :0], [(at, self.text())], replacement, barge, at)
        speech = self._users.utterance(rng, room)
        here = user[:, at : at + speech.shape[1]]
        here[:] = speech[:, : here.shape[1]]
        end = at + speech.shape[1]
        talking[at:end] = True
        oracles: list[tuple[int, str]] = []
        if rng.random() >= self._mix.blank:
            oracles = self._guesses(at, end)
            delay = rng.uniform(*LATENCY_S)
            if rng.random() < 0.25 and speech.shape[1] > 8:  # the last guess was right
                delay = -rng.uniform(0.1, 0.6)
            oracles.append((end + round(delay * 12.5), self.text()))
        return _Turn(speech, oracles, replacement, barge, end)

    def _guesses(self, begin: int, end: int) -> list[tuple[int, str]]:
        """Oracles while the user speaks, at least 0.4 s apart, some of them cut off."""
        rng = self._rng
        found: list[tuple[int, str]] = []
        at = begin + rng.randint(8, 20)
        while at < end - 8 and rng.random() < 0.6:
            words = self.text().split()
            if rng.random() < self._mix.aborted:
                words = words[: rng.randint(1, len(words))]
            found.append((at, ' '.join(words)))
            at += rng.randint(5, 16)
        return found
