"""One decode of an utterance: the engine, its guards, and what it cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from kame_ros.audio.hearing import MODEL_RATE
from kame_ros.stt.guards import GuardConfig, is_noise, without_loops
from kame_ros.stt.recogniser import Recogniser, RecogniserError
from kame_ros.stt.utterance import Utterance

_SMOOTHING = 0.2  # weight of the newest decode in the running mean of the cost


class Decoder:
    """Tells utterances what the engine hears in them. The only one who calls the engine.

    `spent` is the time of all decodes and `cost` their running mean, s of `meter`. `count` has
    `decodes`, `failed`, `loops` (cut) and `rejected` (taken for noise).
    """

    def __init__(
        self, recogniser: Recogniser, guard: GuardConfig, meter: Callable[[], float]
    ) -> None:
        self.recogniser = recogniser
        self.spent = 0.0
        self.cost = 0.0
        self.count: Counter[str] = Counter()
        self.last_error = ''
        self._guard = guard
        self._meter = meter

    @property
    def max_sound(self) -> float:
        """Seconds that the engine hears at once."""
        return self.recogniser.max_sound

    def decode(self, utterance: Utterance, final: bool) -> bool:
        """Decode the start of the utterance's sound, all of it if it is short enough.

        False if the engine failed: the utterance keeps what was known. Noise leaves what was
        stable.
        """
        sound = utterance.sound(self.max_sound)
        begun = self._meter()
        try:
            hypothesis = self.recogniser.recognise(sound, final)
        except RecogniserError as error:
            hypothesis = None
            self.last_error = str(error)
        self._pay(self._meter() - begun)
        utterance.decodes += 1
        utterance.decoded_to = utterance.begin + len(sound) / MODEL_RATE
        if hypothesis is None:
            self.count['failed'] += 1
            return False
        utterance.known_to = utterance.decoded_to
        utterance.language = hypothesis.language or utterance.language
        words = without_loops(hypothesis.words, self._guard)
        self.count['loops'] += len(words) < len(hypothesis.words)
        if is_noise(replace(hypothesis, words=tuple(words)), utterance.voiced, self._guard):
            self.count['rejected'] += 1
            utterance.agreement.drop_unstable()
        else:
            utterance.agreement.update(words, utterance.decoded_to - utterance.begin)
        return True

    def _pay(self, cost: float) -> None:
        self.spent += cost
        first = self.count['decodes'] == 0
        self.cost = cost if first else (1 - _SMOOTHING) * self.cost + _SMOOTHING * cost
        self.count['decodes'] += 1
