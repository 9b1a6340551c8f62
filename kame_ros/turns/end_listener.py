"""Asks a model about the melody before a pause, in a thread of its own."""

from __future__ import annotations

from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait

import numpy as np

from kame_ros.audio.level import ROOM_RMS_DBFS, amplitude
from kame_ros.runtime.faults import RAISED_BY_OTHERS
from kame_ros.turns.denoise import denoised
from kame_ros.turns.end_of_turn import Pause
from kame_ros.turns.recent_sound import RATE
from kame_ros.turns.smart_turn import EndModel

ASKED_AFTER_S = 0.096  # s of silence: less is a part of a word
# s on the clock of the machine: a frame after it was asked a model has answered, unless the frames
# come faster than in life, from a file; then they wait for it, so that they tell the same.
_WAIT_S = 0.05
BEFORE_S = 0.3  # s of sound before the first voice of the turn: it began a little earlier
# s that the model hears, and s of silence at their end. Of human prompts that were cut it takes 8 %
# of the cuts for ends where it knows 75 % of the ends; 16 % if it hears all of the turn (in noise
# 51 % instead of 39 %), and 29 % after 0.25 s of silence, which makes anything sound over.
HEARD_S, _SILENCE_S = 1.5, 0.06
WHOLE_S = 8.0  # s: the rest of the turn, for who wants to hear more of it
# s of sound that tell the noise of the room. At 10 dB the model takes 39 % of the cuts for ends
# where it knows 75 % of the ends; 20 % without the noise.
_AROUND_S = 4.0
_STEP = 320  # samples: 20 ms
_CLEAR_DB = 60.0  # more is as good


class EndListener:
    """How likely the turn is over by the melody before the pause that goes on.

    It is asked once for each pause, as soon as that is one, and for each length of sound. One call
    at a time; an answer about an earlier pause is dropped.
    """

    def __init__(
        self, model: EndModel, executor: Executor | None = None, wait_s: float = _WAIT_S
    ) -> None:
        """`wait_s`: how long a frame may wait for the answer to the question of an earlier one."""
        self._model, self._wait_s = model, wait_s
        self._executor = executor or ThreadPoolExecutor(1, 'end-of-turn')
        self.calls = 0
        self.reset()

    def reset(self) -> None:
        """A new session; an answer that is still to come is dropped."""
        self._voice_end_s = -1.0  # of the pause that goes on
        self._asked: set[float] = set()  # about it: s of sound
        self._running: tuple[Future[tuple[float, float]], float, float] | None = None
        self._answers: dict[float, float] = {}  # the probabilities by s of sound
        self.clear_db = _CLEAR_DB  # between loud and quiet, in the answer about the last pause
        self._error: BaseException | None = None  # of the model, about this pause

    def hear(self, pause: Pause, seconds: float = HEARD_S) -> float | None:
        """The answer about this pause, judged by so much sound before it, if it is there.

        Raises what the model raised, until the pause is over, and ValueError where its answer is
        no probability.
        """
        if pause.voice_end_s != self._voice_end_s:
            self._voice_end_s, self._error = pause.voice_end_s, None
            self._asked, self._answers = set(), {}
        self._take(self._wait_s)
        waits = self._running is not None or pause.silence_s < ASKED_AFTER_S - 1e-6
        if seconds not in self._asked and not waits:
            self._asked.add(seconds)
            self.calls += 1
            future = self._executor.submit(
                self._judge, sound_of(pause, seconds), pause.sound.last(_AROUND_S)
            )
            self._running = future, pause.voice_end_s, seconds
            self._take(0.0)  # who answers at once is heard at once
        if self._error is not None:
            raise self._error
        return self._answers.get(seconds)

    def _judge(self, sound: np.ndarray, around: np.ndarray) -> tuple[float, float]:
        probability = self._model.probability(denoised(sound, around))
        if not 0.0 <= probability <= 1.0:
            raise ValueError(f'the model says {probability}, which is no probability')
        return probability, clearness_db(around)

    def _take(self, wait_s: float) -> None:
        if self._running is None:
            return
        wait([self._running[0]], wait_s)
        if not self._running[0].done():
            return
        (future, voice_end_s, seconds), self._running = self._running, None
        if voice_end_s != self._voice_end_s:
            return
        try:
            self._answers[seconds], self.clear_db = future.result()
        except RAISED_BY_OTHERS as error:
            self._error = error


def sound_of(pause: Pause, seconds: float = HEARD_S, silence_s: float = _SILENCE_S) -> np.ndarray:
    """The last `seconds` of the turn, up to so much silence after its voice: float32[n], 16 kHz."""
    later = max(0, round((pause.silence_s - silence_s) * RATE))
    begin_s = pause.turn_start_s - BEFORE_S
    heard = pause.sound.last(min(seconds + later / RATE, pause.now_s - begin_s))
    return heard[: len(heard) - later]


def clearness_db(around: np.ndarray) -> float:
    """How much louder the loud parts of a sound are than its quietest 20 ms, in dB; at most 60."""
    count = len(around) // _STEP
    steps = around[: count * _STEP].reshape(count, _STEP)
    levels = np.sqrt(np.mean(steps**2, axis=1))
    if not count or levels.min() < amplitude(ROOM_RMS_DBFS):
        return _CLEAR_DB
    return min(_CLEAR_DB, float(20.0 * np.log10(np.percentile(levels, 90) / levels.min())))
