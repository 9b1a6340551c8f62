"""Streaming speech-to-text over any recogniser: when to decode, and what to say of it.

One owner thread calls `feed` with every frame, which is cheap, and `work` between them, which
decodes at most once.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from kame_ros.audio.hearing import Window
from kame_ros.stt.config import TranscriberConfig
from kame_ros.stt.decoder import Decoder
from kame_ros.stt.recogniser import Recogniser
from kame_ros.stt.speech_to_text import Output
from kame_ros.stt.utterance import Utterance
from kame_ros.stt.utterances import Utterances
from kame_ros.turns.vad import Vad

_CUT_AHEAD_S = 2.0  # sound is cut when there is so little room left in what the engine hears
_EDGE_S = 1.0  # what is heard so near to the end of the sound may be half a word


class Transcriber(Utterances[Utterance]):
    """Decodes the sound of an utterance anew while it grows.

    `meter` is a clock for the cost of a decode: it thins the partials of a machine that cannot
    keep up.
    """

    def __init__(
        self,
        recogniser: Recogniser,
        vad: Vad,
        config: TranscriberConfig | None = None,
        meter: Callable[[], float] = time.perf_counter,
    ) -> None:
        super().__init__(vad, config)
        self._decoder = Decoder(recogniser, self.config.guard, meter)
        self._lag_s = 0.0

    def warm_up(self) -> None:
        """Load the models; the first decode is then as fast as the others."""
        self._decoder.recogniser.warm_up()

    @property
    def busy(self) -> bool:
        """Whether `work` has something to decode now."""
        return bool(self._ended) or (self._open is not None and self._due(self._open))

    def work(self) -> list[Output]:
        """Decode once if a decode is due: ends of utterances first, then a partial."""
        if self._ended:
            return self._work_final(self._ended[0])
        if self._open is not None and self._due(self._open):
            return self._work_partial(self._open)
        return []

    def counters(self) -> dict[str, float]:
        """Counts since the beginning; `rtf`, `lag_s`, `max_lag_s`, `cost_s` and the like."""
        heard_s = self._ear.seconds
        names = ('decodes', 'partials', 'finals', 'noise', 'rejected', 'loops', 'cuts')
        return {
            **self._shared_counters((*names, 'failed', 'odd'), self._count + self._decoder.count),
            'rtf': self._decoder.spent_s / heard_s if heard_s else 0.0,
            'cost_s': self._decoder.cost_s,
            'step_s': self._step_s,
            'lag_s': self._lag_s,
        }

    # Hearing

    def _new(self, number: int, windows: list[Window]) -> Utterance:
        return Utterance(number, windows, self.config.agreement)

    def _bound(self, utterance: Utterance) -> None:
        if (excess := utterance.length_s - self.config.max_backlog_s) > 0.0:
            self._dropped(utterance.shorten(excess + 1.0))

    def _is_known(self, utterance: Utterance) -> bool:
        """Whether the last good decode holds all of the speech and some silence."""
        return utterance.known_to >= utterance.voice_end + self.config.pause_s / 2

    # Scheduling

    @property
    def _step_s(self) -> float:
        return max(self.config.step_s, self._decoder.cost_s / self.config.load)

    def _due(self, utterance: Utterance) -> bool:
        if utterance.end - utterance.failed_at < self._step_s:
            return False  # an engine that is away is not asked twice about the same sound
        if utterance.decodes == 0 and utterance.voiced_s < self.config.first_s - 1e-6:
            return self._pausing(utterance)
        since = utterance.end - utterance.decoded_to
        if since >= self._step_s and utterance.voice_end > utterance.decoded_to:
            return True
        return self._pausing(utterance)

    def _pausing(self, utterance: Utterance) -> bool:
        """Whether the speech may be over and its end was not tried yet."""
        pause = self._ear.pause(utterance.end)
        tried = utterance.decoded_to >= utterance.voice_end + self.config.pause_s / 2
        return pause >= self.config.pause_s - 1e-6 and not tried

    # Decoding

    def _work_partial(self, utterance: Utterance) -> list[Output]:
        maybe_last = self._ear.pause(utterance.end) >= self.config.pause_s / 2 - 1e-6
        final = maybe_last or self._must_cut(utterance)  # what is cut off is not heard again
        if not self._decode(utterance, final):
            return []
        self._cut(utterance)
        return self._publish(utterance)

    def _work_final(self, utterance: Utterance) -> list[Output]:
        done = self._decode(utterance, final=True)
        if done and utterance.decoded_to < utterance.end - 1e-3:
            self._cut(utterance)  # longer than the engine hears at once
            return self._publish(utterance)
        self._ended.popleft()
        return self._conclude(utterance)

    def _decode(self, utterance: Utterance, final: bool) -> bool:
        done = self._decoder.decode(utterance, final)
        if not done:
            self._last_error = self._decoder.last_error
        self._lag_s = self._ear.now - utterance.decoded_to
        self._max_lag_s = max(self._max_lag_s, self._lag_s)
        return done

    def _must_cut(self, utterance: Utterance) -> bool:
        return utterance.length_s >= self._decoder.max_sound_s - _CUT_AHEAD_S

    def _cut(self, utterance: Utterance) -> None:
        """Keep the sound shorter than what the engine hears, by cuts after stable words."""
        if not self._must_cut(utterance):
            return
        heard = utterance.decoded_to - utterance.begin
        cut = utterance.cut(heard / 2, utterance.agreement.stable_until)
        no_time_to_agree = utterance.length_s >= self._decoder.max_sound_s - self._step_s
        if not cut and no_time_to_agree:
            cut = utterance.cut(heard / 2, heard - _EDGE_S) or utterance.cut(1.0, heard - _EDGE_S)
        if cut:
            self._count['cuts'] += 1
        elif utterance.length_s >= self._decoder.max_sound_s:  # nothing heard in it: music
            self._dropped(utterance.shorten(min(heard, utterance.length_s - 2.0)))
