"""Streaming speech-to-text over an engine that streams by itself: it hears each sound once.

The engine gets the user's voice in pieces, utterance by utterance; what it says of it is
published under the same promises as a re-decoding engine's (see `Transcriber`).
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from kame_ros.audio.hearing import MODEL_RATE, Window
from kame_ros.runtime.faults import RAISED_BY_OTHERS
from kame_ros.stt.config import TranscriberConfig
from kame_ros.stt.mended import mended
from kame_ros.stt.recogniser import Hypothesis, StreamingRecogniser, why
from kame_ros.stt.speech_to_text import Output
from kame_ros.stt.utterances import Utterances
from kame_ros.stt.waiting import Waiting
from kame_ros.turns.vad import Vad

_PIECE_S = 0.32  # of sound for the engine at once
_KEPT = 0.9  # of the sound that waits when there is too much of it


class StreamTranscriber(Utterances[Waiting]):
    """Gives an engine each sound once, utterance after utterance.

    Of the configuration it takes what does not tell when to decode. `meter` is a clock for the
    cost of the engine.
    """

    def __init__(
        self,
        recogniser: StreamingRecogniser,
        vad: Vad,
        config: TranscriberConfig | None = None,
        meter: Callable[[], float] = time.perf_counter,
    ) -> None:
        super().__init__(vad, config)
        self._engine = recogniser
        self._meter = meter
        self._spent_s = 0.0

    def warm_up(self) -> None:
        """Load the models; the first sound is then heard as fast as the others."""
        self._engine.warm_up()

    @property
    def busy(self) -> bool:
        """Whether `work` has something to do now."""
        if self._ended:
            return True
        return self._open is not None and self._open.length_s >= _PIECE_S - 1e-6

    def work(self) -> list[Output]:
        """Let the engine hear a piece of sound, or the end of an utterance."""
        utterance = self._ended[0] if self._ended else self._open
        if utterance is None or not self.busy:
            return []
        if utterance.sound:
            sound = utterance.take(_PIECE_S)
            if not self._ask(utterance, lambda: self._hear_piece(utterance, sound)):
                self._dropped(len(sound) / MODEL_RATE)
            self._max_lag_s = max(self._max_lag_s, self._ear.now - utterance.decoded_to)
            return self._publish(utterance)
        self._ask(utterance, lambda: self._engine.finish() if utterance.begun else None)
        self._ended.popleft()
        return self._conclude(utterance)

    def counters(self) -> dict[str, float]:
        """Counts since the beginning; `taken_back`: settled words that the engine changed."""
        names = ('decodes', 'partials', 'finals', 'noise', 'failed', 'odd', 'taken_back')
        heard_s = self._ear.seconds
        return {
            **self._shared_counters(names, self._count),
            'rtf': self._spent_s / heard_s if heard_s else 0.0,
        }

    def _new(self, number: int, windows: list[Window]) -> Waiting:
        return Waiting(number, windows, self.config.agreement)

    def _bound(self, utterance: Waiting) -> None:
        """Sound that waits has a bound; a hole costs the engine its memory: few, larger ones."""
        most = self.config.max_backlog_s
        if utterance.length_s > most:
            self._dropped(utterance.drop(_KEPT * most))

    def _hear_piece(self, utterance: Waiting, sound: np.ndarray) -> Hypothesis | None:
        if not utterance.begun:
            self._engine.begin()
            utterance.begun = True
        return self._engine.hear(sound)

    def _ask(self, utterance: Waiting, question: Callable[[], Hypothesis | None]) -> bool:
        """Take what the engine says; False if it failed."""
        failed = False
        begun = self._meter()
        self._count['decodes'] += 1
        try:
            if (answer := question()) is not None:
                hypothesis, odd = mended(answer, utterance.decoded_to - utterance.begin)
                self._count['odd'] += odd
                self._count['taken_back'] += not utterance.update(hypothesis)
        except RAISED_BY_OTHERS as error:  # an engine may be anybody's
            failed = True
            self._count['failed'] += 1
            self._last_error = why(error)
            utterance.begin_again()
        self._spent_s += self._meter() - begun
        return not failed
