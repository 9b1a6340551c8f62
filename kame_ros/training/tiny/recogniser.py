"""A closed-vocabulary recogniser for the robot's voice: Viterbi over templates of its words.

It knows the words and the voice, and no language: what a template cannot explain is an error. Each
word is a left-to-right row of log-mel frames; words follow each other in any order, with silence
between them. Only for measuring; it says nothing of how well a stranger understands the voice.
"""

from __future__ import annotations

import numpy as np

from kame_ros.audio.frame import FRAME_SAMPLES, SAMPLE_RATE
from kame_ros.s2s.moshi.codec2 import Codec2Voice
from kame_ros.training.tiny.robot_voice import RobotVoice

HOP, WINDOW, BANDS = 480, 960, 24  # samples at 24 kHz: 20 ms, 40 ms
HIGHEST_HZ = 3800.0
FLOOR = 1e-5
STRETCH = 4.0  # cost of a frame too many or too few in a word
ENTRY = 12.0  # cost of a word: it keeps noise from becoming many short words
SILENCE = 0  # the number of the first state


def log_mel(sound: np.ndarray) -> np.ndarray:
    """Takes float[n] at 24 kHz, gives [frames, 24], the mean over the bands kept."""
    padded = np.pad(sound, (0, WINDOW))
    starts = np.arange(0, len(sound) - HOP + 1, HOP)
    pieces = padded[starts[:, None] + np.arange(WINDOW)] * np.hanning(WINDOW)
    power = np.abs(np.fft.rfft(pieces, axis=1)) ** 2 / WINDOW
    return np.log(power @ _mel().T + FLOOR)


def _mel() -> np.ndarray:
    """Triangles evenly spaced in mel, [24, bins]."""

    def hertz(mel: np.ndarray) -> np.ndarray:
        return np.asarray(700 * (10 ** (mel / 2595) - 1))

    top = 2595 * np.log10(1 + HIGHEST_HZ / 700)
    edges = hertz(np.linspace(40, top, BANDS + 2))
    bins = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE)
    rise = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    return np.clip(np.minimum(rise, fall), 0, None)


def decode(codes: np.ndarray) -> np.ndarray:
    """The sound of codes [8, n], float32 at 24 kHz."""
    voice = Codec2Voice()
    return np.concatenate([voice.decode(frame) for frame in codes.T])


class Recogniser:
    """Sound of the robot in, words out."""

    def __init__(self, voice: RobotVoice) -> None:
        silence = np.repeat(voice.silence[:, None], 3, axis=1)
        hops = FRAME_SAMPLES // HOP
        rows, owners, firsts, lasts = [log_mel(decode(silence))[-1:]], [-1], [], []
        self._alike = _alike(voice)
        self._names = list(dict.fromkeys(self._alike.values()))
        for number, name in enumerate(self._names):
            codes = voice.words[name]
            sound = decode(np.concatenate([silence, codes, silence], axis=1))
            features = log_mel(sound)[3 * hops : (3 + codes.shape[1]) * hops]
            firsts.append(len(owners))
            rows.append(features)
            owners += [number] * len(features)
            lasts.append(len(owners) - 1)
        self._templates = np.concatenate(rows)
        self._owners, self._firsts, self._lasts = (
            np.array(owners),
            np.array(firsts),
            np.array(lasts),
        )
        self._inside = np.ones(len(owners), bool)  # states that are reached from the one before
        self._inside[[SILENCE, *firsts]] = False

    def alike(self, units: list[str]) -> list[str]:
        """For each unit the one that stands for all that sound the same."""
        return [self._alike[unit] for unit in units]

    def words(self, sound: np.ndarray) -> list[str]:
        """The units in float[n] at 24 kHz; of those that sound the same, as `alike` has it."""
        features = log_mel(sound)
        if not len(features):
            return []
        states = len(self._owners)
        squares = (self._templates**2).sum(axis=1)
        score = np.full(states, np.inf)
        score[SILENCE] = 0.0
        came = np.zeros((len(features), states), np.int32)
        for at, row in enumerate(features):
            cost = np.abs(squares - 2 * self._templates @ row + row @ row) / BANDS
            score, came[at] = self._advance(score, cost)
        return self._trace(came, int(self._end(score)))

    def _advance(self, score: np.ndarray, cost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """One frame: stay, go on, skip one; or begin a word after a word or after silence."""
        index = np.arange(len(score), dtype=np.int32)
        best, source = score + STRETCH, index.copy()
        best[SILENCE] = score[SILENCE]
        for step, price in ((1, 0.0), (2, STRETCH)):
            moved = np.full(len(score), np.inf)
            moved[step:] = score[:-step] + price
            allowed = self._inside.copy()
            if step == 2:
                allowed[1:] &= self._inside[:-1]
            better = allowed & (moved < best)
            best, source = np.where(better, moved, best), np.where(better, index - step, source)
        end = self._end(score)
        for target in (np.array([SILENCE]), self._firsts):
            price = 0.0 if target[0] == SILENCE else ENTRY
            better = score[end] + price < best[target]
            best[target[better]] = score[end] + price
            source[target[better]] = end
        return best + cost, source

    def _end(self, score: np.ndarray) -> int:
        """The best state in which no word is unfinished."""
        last = self._lasts[np.argmin(score[self._lasts])]
        return int(last) if score[last] < score[SILENCE] else SILENCE

    def _trace(self, came: np.ndarray, state: int) -> list[str]:
        found: list[str] = []
        for row in came[::-1]:
            before = int(row[state])
            entered = state in self._begins and before != state
            if entered:
                found.append(self._names[self._owners[state]])
            state = before
        return found[::-1]

    @property
    def _begins(self) -> frozenset[int]:
        return frozenset(self._firsts.tolist())


def _alike(voice: RobotVoice) -> dict[str, str]:
    """For each unit the longest one with the very same codes: "7" is "seven"."""
    found: dict[bytes, str] = {}
    for unit in sorted(voice.words, key=lambda unit: (-len(unit), unit)):
        found.setdefault(voice.words[unit].tobytes(), unit)
    return {unit: found[codes.tobytes()] for unit, codes in voice.words.items()}
