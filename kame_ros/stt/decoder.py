"""Decodes an utterance once: asks the engine, refuses what is no speech, counts the cost."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from kame_ros.audio.hearing import MODEL_RATE
from kame_ros.runtime.faults import RAISED_BY_OTHERS
from kame_ros.stt.engines.whisper_guards import GuardConfig, is_noise, without_loops
from kame_ros.stt.mended import mended
from kame_ros.stt.recogniser import Recogniser, why
from kame_ros.stt.utterance import Utterance

_SMOOTHING = 0.2  # weight of the newest decode in the running mean of the cost
_LEAST_SOUND_S, _MOST_SOUND_S = 4.0, 30.0  # longer sound costs more and gains little


class Decoder:
    """Tells utterances what the engine hears in them. The only one who calls the engine.

    `spent_s` is the time of all decodes and `cost_s` their running mean, by `meter`. `count` has
    `decodes`, `failed`, `odd` (answers that had to be mended), `loops` (cut) and `rejected` (taken
    for noise). Raises ValueError for an engine that hears less than 4 s at once.
    """

    def __init__(
        self, recogniser: Recogniser, guard: GuardConfig, meter: Callable[[], float]
    ) -> None:
        if not recogniser.max_sound_s >= _LEAST_SOUND_S:
            raise ValueError(
                f'an engine that decodes again hears at least {_LEAST_SOUND_S:g} s at once, not '
                f'{recogniser.max_sound_s}'
            )
        self.recogniser = recogniser
        self.spent_s = 0.0
        self.cost_s = 0.0
        self.count: Counter[str] = Counter()
        self.last_error = ''
        self._guard = guard
        self._meter = meter

    @property
    def max_sound_s(self) -> float:
        """Seconds that the engine is given at once."""
        return min(self.recogniser.max_sound_s, _MOST_SOUND_S)

    def decode(self, utterance: Utterance, final: bool) -> bool:
        """Decode the start of the utterance's sound, all of it if it is short enough.

        False if the engine failed: the utterance keeps what was known. Noise leaves what was
        stable.
        """
        sound = utterance.sound(self.max_sound_s)
        seconds = len(sound) / MODEL_RATE
        begun = self._meter()
        try:
            hypothesis, odd = mended(self.recogniser.recognise(sound, final), seconds)
        except RAISED_BY_OTHERS as error:  # an engine may be anybody's
            hypothesis, odd = None, False
            self.last_error = why(error)
        self._pay(self._meter() - begun)
        utterance.decodes += 1
        utterance.decoded_to = utterance.begin + seconds
        if hypothesis is None:
            self.count['failed'] += 1
            utterance.failed_at = utterance.end
            return False
        utterance.failed_at = -math.inf
        self.count['odd'] += odd
        utterance.known_to = utterance.decoded_to
        utterance.language = hypothesis.language or utterance.language
        words = without_loops(hypothesis.words, self._guard)
        self.count['loops'] += len(words) < len(hypothesis.words)
        if is_noise(replace(hypothesis, words=tuple(words)), utterance.voiced_s, self._guard):
            self.count['rejected'] += 1
            utterance.agreement.drop_unstable()
        else:
            utterance.agreement.update(words, seconds)
        return True

    def _pay(self, cost: float) -> None:
        self.spent_s += cost
        first = self.count['decodes'] == 0
        self.cost_s = cost if first else (1 - _SMOOTHING) * self.cost_s + _SMOOTHING * cost
        self.count['decodes'] += 1
