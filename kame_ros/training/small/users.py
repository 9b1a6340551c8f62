"""What users say in training, as kame-small hears it: made with free voices, kept in files.

Needs espeak-ng and hibari, and flite for the voices that it has. 3,000 utterances (COUNTS) take
3 minutes of one core.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from kame_ros.s2s.small.ear import SmallEar
from kame_ros.training.small import bank_file, user_texts
from kame_ros.training.small.bank import UserKind
from kame_ros.training.small.rooms import ROOMS, Rooms, gain
from kame_ros.training.small.voices import QUIET, Spoken, Talker, Voice, talker
from kame_ros.wire.frame import FRAME_SAMPLES, SAMPLE_RATE

BEFORE = 4  # frames of the room that the ear hears before an utterance
BACKGROUND = 400  # frames of each piece of an empty room
TAIL = 3  # frames of the room behind the last sound of an utterance: its echo is in them
PAUSE_S = (0.4, 1.8)
QUESTION_S = (0.7, 6.0)
BACK_CHANNEL_S = (0.16, 0.72)
HESITATING = 0.4  # share of the questions with a pause that are spoken so, not cut
MIN_WORDS = 5  # of a question that can be spoken in two parts
TWO_PAUSES = 0.25  # share of the questions with a pause that have two
_INSIDE_S = 0.35  # there is at least so much speech on each side of a pause
_SEEK_S = 0.03  # the quietest place is looked for so near to a word's beginning
_CUT = round(_SEEK_S * SAMPLE_RATE) + 1  # a word may end so far behind a cut that is at its end


COUNTS = {
    UserKind.QUESTION: 980,
    UserKind.PAUSED: 720,
    UserKind.STATEMENT: 450,
    UserKind.BACK_CHANNEL: 500,
    UserKind.BACKGROUND: 2 * ROOMS,
    UserKind.BURST: 350,
}
HELD_OUT_COUNTS = {
    UserKind.QUESTION: 130,
    UserKind.PAUSED: 120,
    UserKind.STATEMENT: 50,
    UserKind.BACK_CHANNEL: 60,
    UserKind.BACKGROUND: ROOMS,
    UserKind.BURST: 28,
}


@dataclass(frozen=True)
class UserSound:
    """float[n] at 24 kHz with peak 1, no room yet; for each sample whether somebody speaks.

    `word_ends`: the sample behind each word of `text`; empty where that is not known.
    """

    sound: np.ndarray
    speaks: np.ndarray
    text: str = ''
    word_ends: tuple[int, ...] = ()


def whole(spoken: Spoken, text: str) -> UserSound:
    """The utterance as it is, without a pause."""
    everywhere = np.ones(len(spoken.sound), bool)
    return UserSound(spoken.sound, everywhere, text, ends_of_words(spoken, text))


def with_pauses(
    spoken: Spoken,
    text: str,
    rng: random.Random,
    count: int,
    pause_s: tuple[float, float] = PAUSE_S,
) -> UserSound:
    """The utterance, stopped at `count` of its word boundaries as in mid-thought.

    Nothing is spoken as an end: neither melody nor length tell that a pause comes. Half of the
    pauses are at a comma or after a word that holds the turn, where there is one. Raises ValueError
    where it is too short for a pause.
    """
    cuts = sorted(_boundaries(spoken, text, rng, count))
    ends = [*cuts, len(spoken.sound)]
    word_ends = ends_of_words(spoken, text)
    parts = [
        _Part(spoken.sound[a:b], tuple(end - a for end in word_ends if a < end - _CUT <= b))
        for a, b in zip([0, *cuts], ends, strict=True)
    ]
    return _joined_by_pauses(parts, text, rng, pause_s)


def hesitating(
    who: Talker, text: str, rng: random.Random, pause_s: tuple[float, float] = PAUSE_S
) -> UserSound:
    """The question in two parts, the first one spoken as one that goes on, at times with an "um".

    Raises ValueError where it is too short for a pause.
    """
    words = text.split()
    if len(words) < MIN_WORDS:
        raise ValueError(f'{text!r} has no place for a pause')
    at = rng.randint(2, len(words) - 2)
    filler = rng.choice(('', '', ', um', ' uh'))
    before = ' '.join(words[:at]).rstrip(',.?') + filler + ','
    parts = []
    for said, count in ((before, at), (' '.join(words[at:]), len(words) - at)):
        spoken = who.say(said)
        parts.append(_Part(spoken.sound, ends_of_words(spoken, said)[:count]))  # without the "um"
    return _joined_by_pauses(parts, text, rng, pause_s)


def ends_of_words(spoken: Spoken, text: str) -> tuple[int, ...]:
    """The sample behind each word of `text`; empty where the voice does not tell of each."""
    if len(spoken.starts) != len(text.split()):
        return ()
    return (*spoken.starts[1:], len(spoken.sound))


@dataclass(frozen=True)
class _Part:
    """What is spoken without a pause, and where its words end."""

    sound: np.ndarray
    word_ends: tuple[int, ...]


def _joined_by_pauses(
    parts: Sequence[_Part], text: str, rng: random.Random, pause_s: tuple[float, float]
) -> UserSound:
    sound, speaks, word_ends, length = [], [], [], 0
    for number, part in enumerate(parts):
        if number:
            pause = np.zeros(round(rng.uniform(*pause_s) * SAMPLE_RATE))
            sound.append(pause)
            speaks.append(np.zeros(len(pause), bool))
            length += len(pause)
        first, trimmed = _trimmed(part.sound)
        word_ends += [length + min(max(0, end - first), len(trimmed)) for end in part.word_ends]
        sound.append(trimmed)
        speaks.append(np.ones(len(trimmed), bool))
        length += len(trimmed)
    known = tuple(word_ends) if len(word_ends) == len(text.split()) else ()
    return UserSound(np.concatenate(sound), np.concatenate(speaks), text, known)


def _boundaries(spoken: Spoken, text: str, rng: random.Random, count: int) -> list[int]:
    words = text.split()
    edge = round(_INSIDE_S * SAMPLE_RATE)
    inner = [
        (start, words[i - 1] if len(words) == len(spoken.starts) else '')
        for i, start in enumerate(spoken.starts)
        if i and edge <= start <= len(spoken.sound) - edge
    ]
    held = [start for start, word in inner if word.endswith(',') or word.lower() in _HOLDING]
    chosen: list[int] = []
    while inner and len(chosen) < count:
        start = rng.choice(held) if held and rng.random() < 0.5 else rng.choice(inner)[0]
        chosen.append(_quietest(spoken.sound, start))
        inner = [each for each in inner if abs(each[0] - start) >= edge]
        held = [each for each in held if abs(each - start) >= edge]
    if not chosen:
        raise ValueError(f'{text!r} has no place for a pause')
    return chosen


_HOLDING = (
    'a',
    'an',
    'and',
    'but',
    'for',
    'how',
    'if',
    'in',
    'is',
    'of',
    'or',
    'so',
    'that',
    'the',
    'to',
)


def _quietest(sound: np.ndarray, near: int) -> int:
    reach, width = round(_SEEK_S * SAMPLE_RATE), SAMPLE_RATE // 200
    power = np.convolve(sound[near - reach : near + reach] ** 2, np.ones(width), 'same')
    return near - reach + int(np.argmin(power))


def _trimmed(sound: np.ndarray) -> tuple[int, np.ndarray]:
    """Without silence around it, and with soft ends; also where it begins in `sound`."""
    loud = np.flatnonzero(np.abs(sound) > QUIET)
    first = int(loud[0]) if len(loud) else 0
    part = sound[first : loud[-1] + 1].copy() if len(loud) else sound[:0].copy()
    for samples, ends in ((120, part), (240, part[::-1])):
        slope = np.linspace(0, 1, min(samples, len(part)))
        ends[: len(slope)] *= slope
    return first, part


def burst(rng: random.Random) -> np.ndarray:
    """A knock, a click, a cough or a beep, float[n] with peak 1."""
    random_ = np.random.default_rng(rng.randrange(2**32))
    kind, seconds = rng.choice(('knock', 'click', 'cough', 'beep')), rng.uniform(0.03, 0.28)
    t = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    if kind == 'beep':
        sound = np.sin(2 * np.pi * rng.uniform(300, 2500) * t) * np.minimum(1, (t[-1] - t) / 0.01)
    else:
        fall_s = {'knock': 0.03, 'click': 0.004, 'cough': 0.08}[kind]
        smooth = {'knock': 60, 'click': 2, 'cough': 12}[kind]
        sound = random_.standard_normal(len(t)) * np.exp(-t / fall_s)
        sound = np.convolve(sound, np.hanning(smooth + 2)[1:-1], 'same')
        if kind == 'knock' and len(t) > SAMPLE_RATE // 8:
            second = len(t) // 2
            sound[second:] += 0.7 * sound[: len(t) - second]
    return np.asarray(sound / np.abs(sound).max())


def draw(
    kind: UserKind,
    rng: random.Random,
    voices: Sequence[Voice],
    pause_s: tuple[float, float] = PAUSE_S,
) -> UserSound:
    """Something of this kind, before it is heard in a room; not for an empty room."""
    if kind == UserKind.BURST:
        sound = burst(rng)
        return UserSound(sound, np.zeros(len(sound), bool))
    while True:
        text, who = _TEXTS[kind](rng), talker(rng.choice(voices), rng)
        spoken = who.say(text)
        seconds = len(spoken.sound) / SAMPLE_RATE
        low, high = BACK_CHANNEL_S if kind == UserKind.BACK_CHANNEL else QUESTION_S
        if not low <= seconds <= high:
            continue
        if kind != UserKind.PAUSED:
            return whole(spoken, text)
        try:
            if rng.random() < HESITATING:
                return hesitating(who, text, rng, pause_s)
            count = 2 if rng.random() < TWO_PAUSES else 1
            return with_pauses(spoken, text, rng, count, pause_s)
        except ValueError:
            continue  # too short a question


_TEXTS: dict[UserKind, Callable[[random.Random], str]] = {
    UserKind.QUESTION: user_texts.question,
    UserKind.PAUSED: user_texts.question,
    UserKind.STATEMENT: user_texts.statement,
    UserKind.BACK_CHANNEL: user_texts.back_channel,
}


def heard(
    user: UserSound, room: int, rooms: Rooms, rng: random.Random
) -> tuple[np.ndarray, np.ndarray]:
    """What the ear hears, uint8[n, 84], and where somebody speaks, uint8[n].

    From the first frame with sound to TAIL frames after the last one; speech begins anywhere in a
    frame. What lies deeper in a pause is the room as it is behind an utterance where scenes are put
    together: the seam must not tell an end from a pause.
    """
    begin = BEFORE * FRAME_SAMPLES + rng.randrange(FRAME_SAMPLES)
    frames = -(-(begin + len(user.sound)) // FRAME_SAMPLES) + TAIL
    whole = np.zeros(frames * FRAME_SAMPLES)
    whole[begin : begin + len(user.sound)] = user.sound
    active = np.zeros(len(whole), np.bool_)
    active[begin : begin + len(user.sound)] = user.speaks
    active &= np.abs(whole) > QUIET
    labels = _joined(np.any(active.reshape(frames, -1), axis=1))
    features = as_bytes(rooms.echo(rng, whole) * gain(rng) + rooms.noise(room, len(whole)))
    speech = np.flatnonzero(labels)
    if not len(speech):
        return features[BEFORE:], labels[BEFORE:]
    for one, next_ in pairwise(speech.tolist()):
        if next_ - one > TAIL + 1:
            features[one + 1 + TAIL : next_] = empty_room(room, next_ - one - 1 - TAIL, rooms)
    inside = slice(speech[0], speech[-1] + 1 + TAIL)
    return features[inside], labels[inside]


def empty_room(room: int, frames: int, rooms: Rooms) -> np.ndarray:
    """What the ear hears where nobody speaks, uint8[frames, 84]."""
    return as_bytes(rooms.noise(room, (BEFORE + frames) * FRAME_SAMPLES))[BEFORE:]


def _joined(speaks: np.ndarray) -> np.ndarray:
    """As uint8; a single silent frame between two in which somebody speaks is no pause."""
    alone = np.zeros_like(speaks)
    alone[1:-1] = speaks[:-2] & speaks[2:]
    return np.asarray(speaks | alone, np.uint8)


def as_bytes(sound: np.ndarray) -> np.ndarray:
    """What a new ear hears of float[n], whole frames, as uint8[frames, 84]: 255 is 1."""
    ear = SmallEar()
    frames = (np.clip(sound, -1, 1) * 32767).round().astype(np.int16).reshape(-1, FRAME_SAMPLES)
    return np.stack([np.round(ear.step(frame) * 255) for frame in frames]).astype(np.uint8)


def make(
    path: Path,
    voices: Sequence[Voice],
    counts: Mapping[UserKind, int],
    seed: int,
    progress: Callable[[int, int], None] = lambda done, all_: None,
) -> None:
    """Writes the bank of `voices`.

    `features` uint8[N, 84] and `labels` uint8[N] (1: somebody speaks) hold all utterances behind
    each other, `starts` int32[M + 1] where each begins; `kind` uint8[M] is a UserKind, `room`
    uint8[M] is 3 times the loudness of the noise (0 to 3) plus its sort. All but an empty room end
    with `tail` frames in which nobody speaks any more.
    """
    rng = random.Random(f'users/{seed}')
    babble = [
        talker(rng.choice(voices), rng).say(user_texts.question(rng)).sound for _ in range(20)
    ]
    rooms = Rooms(seed, babble)
    order = [kind for kind, count in counts.items() for _ in range(count)]
    rng.shuffle(order)
    features, labels, room_of, background = [], [], [], 0
    for done, kind in enumerate(order):
        if kind == UserKind.BACKGROUND:
            room, background = background % ROOMS, background + 1  # each has some
            features.append(empty_room(room, BACKGROUND, rooms))
            labels.append(np.zeros(BACKGROUND, np.uint8))
        else:
            room = rng.randrange(ROOMS)
            found, label = heard(draw(kind, rng, voices), room, rooms, rng)
            features.append(found)
            labels.append(label)
        room_of.append(room)
        progress(done + 1, len(order))
    arrays = {
        'features': np.concatenate(features),
        'labels': np.concatenate(labels),
        'starts': np.cumsum([0, *map(len, features)]).astype(np.int32),
        'kind': np.array(order, np.uint8),
        'room': np.array(room_of, np.uint8),
        'tail': np.array(TAIL),
    }
    bank_file.write(path, arrays)
