"""Streaming speech-to-text over any recogniser: when to decode, and what to say of it.

One owner thread calls `feed` with every frame, which is cheap, and `work` between them, which
decodes at most once.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from kame_ros.audio.frame import FRAME_S, Frame
from kame_ros.audio.hearing import Hearing, Window
from kame_ros.audio.speech_gate import Edge, GateConfig, GateEvent, SpeechGate
from kame_ros.stt.agreement import AgreementConfig
from kame_ros.stt.decoder import Decoder
from kame_ros.stt.echo import EchoConfig, EchoGuard, level
from kame_ros.stt.guards import GuardConfig
from kame_ros.stt.recogniser import Recogniser
from kame_ros.stt.speech_event import Output, SpeechEvent, SpeechKind
from kame_ros.stt.utterance import Utterance

_CUT_AHEAD_S = 2.0  # sound is cut when there is so little room left in what the engine hears
_EDGE_S = 1.0  # what is heard so near to the end of the sound may be half a word


@dataclass(frozen=True)
class TranscriberConfig:
    """When to decode. Seconds on the audio clock.

    A first partial after `first` seconds of voice, then one every `step`, rarer if a decode costs
    more than `load` of that. After `pause` without voice the sound is decoded in final quality,
    ahead of the end of speech (`gate.min_silence`): if nobody goes on, that is the final.
    """

    step: float = 0.32
    first: float = 0.4
    load: float = 0.7
    pause: float = 0.16
    pre_roll: float = 0.4
    post_roll: float = 0.3  # sound kept after the last voice
    max_backlog: float = 60.0  # undecoded sound of one utterance; older is dropped and counted
    max_waiting: int = 20  # utterances; the oldest of more gets its last partial as its final
    max_waiting_s: float = 120.0  # of sound in them together (8 MB); the same
    words: bool = False
    gate: GateConfig = field(default_factory=GateConfig)
    agreement: AgreementConfig = field(default_factory=AgreementConfig)
    guard: GuardConfig = field(default_factory=GuardConfig)
    echo: EchoConfig = field(default_factory=EchoConfig)


class Vad(Protocol):
    """Probabilities of speech, one per complete window of 512 samples."""

    def push(self, sound: np.ndarray) -> list[float]:
        """Take float32[n] at 16 kHz."""

    def reset(self) -> None:
        """Forget the past sound."""


class Transcriber:
    """Frames in; starts and ends of speech and growing transcripts out.

    Exactly one final for every utterance that is published; none for noise. `meter` is a clock
    for the cost of a decode: it thins the partials of a machine that cannot keep up.
    """

    def __init__(
        self,
        recogniser: Recogniser,
        vad: Vad,
        config: TranscriberConfig | None = None,
        meter: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.config = config or TranscriberConfig()
        self._decoder = Decoder(recogniser, self.config.guard, meter)
        self._vad = vad
        self._echo = EchoGuard(self.config.echo)
        self._numbers = 0
        self._count: Counter[str] = Counter()
        self._lag = self._max_lag = 0.0
        self._mended: Counter[str] = Counter()  # counters of earlier hearings
        self._start_over()

    def _start_over(self) -> None:
        self._hearing = Hearing()
        self._gate = SpeechGate(self.config.gate)
        self._recent: deque[Window] = deque(maxlen=64)  # 2 s before the start of speech
        self._open: Utterance | None = None
        self._ended: deque[Utterance] = deque()
        self._last_end = -1.0

    def warm_up(self) -> None:
        """Load the models; the first decode is then as fast as the others."""
        self._decoder.recogniser.warm_up()

    def reset(self) -> list[Output]:
        """Begin anew; an open utterance ends, and what was published gets its final, undecoded."""
        outputs: list[Output] = [self._end_of(self._open)] if self._open else []
        for utterance in [*self._ended, *([self._open] if self._open else [])]:
            utterance.closed = True
            outputs += self._conclude(utterance)
        self._mended += self._hearing.counters
        self._vad.reset()
        self._echo.reset()
        self._start_over()
        return outputs

    def played(self, frame: Frame) -> None:
        """The robot's own voice left the loudspeaker: it is not the user's."""
        self._echo.played(frame)

    def feed(self, frame: Frame) -> list[Output]:
        """Hear 80 ms. Decodes nothing."""
        self._count['frames'] += 1
        outputs: list[Output] = []
        for window in self._hearing.push(frame):
            outputs += self._hear(window)
        return outputs

    def take_error(self) -> str:
        """What the engine said when it last failed; empty if it did not since the last call."""
        error, self._decoder.last_error = self._decoder.last_error, ''
        return error

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
        heard = self._count['frames'] * FRAME_S
        count = self._count + self._decoder.count
        names = ('decodes', 'partials', 'finals', 'noise', 'rejected', 'loops', 'cuts', 'failed')
        return {
            **{name: float(count[name]) for name in names},
            **{
                name: float(self._mended[name] + self._hearing.counters[name])
                for name in ('gaps', 'concealed', 'stale', 'restarts', 'jumps', 'clipped')
            },
            'undecoded': float(self._count['undecoded']),
            'dropped_s': self._count['dropped_ms'] / 1000.0,
            'echo_gated': float(self._echo.gated),
            'echo_coupling_db': self._echo.coupling,
            'waiting_finals': float(len(self._ended)),
            'rtf': self._decoder.spent / heard if heard else 0.0,
            'cost_s': self._decoder.cost,
            'step_s': self._step,
            'lag_s': self._lag,
            'max_lag_s': self._max_lag,
        }

    # Hearing

    def _hear(self, window: Window) -> list[Output]:
        (probability,) = self._vad.push(window.sound)
        t = self._hearing.clock(window.t)
        probability = self._echo.adjust(probability, t, level(window.sound))
        event = self._gate.push(probability, window.t)
        self._recent.append(window)
        utterance = self._open
        if utterance is not None:
            utterance.add(window)
            self._bound(utterance)
        if event is not None and event.edge is Edge.START:
            return self._begin(event)
        if utterance is None:
            return []
        utterance.voice_end = self._gate.voice_end
        utterance.voiced = self._gate.voiced or utterance.voiced
        return self._end(utterance) if event is not None else []

    def _begin(self, event: GateEvent) -> list[Output]:
        first = max(event.t - self.config.pre_roll, self._last_end)
        windows = [w for w in self._recent if w.t >= first - 1e-6]
        utterance = Utterance(self._numbers, windows, self.config.agreement)
        utterance.start, utterance.decoded_to = event.t, event.t
        self._numbers += 1
        self._open = utterance
        return [SpeechEvent(SpeechKind.START, self._hearing.clock(event.t), utterance.number)]

    def _end(self, utterance: Utterance) -> list[Output]:
        self._open = None
        self._last_end = utterance.voice_end
        utterance.closed = True
        event = self._end_of(utterance)
        if self._is_ahead(utterance):
            return [event, *self._conclude(utterance)]
        utterance.trim_end(utterance.voice_end + self.config.post_roll)
        self._ended.append(utterance)
        outputs: list[Output] = [event]
        while self._too_many_wait():
            self._count['undecoded'] += 1
            outputs += self._conclude(self._ended.popleft())
        return outputs

    def _too_many_wait(self) -> bool:
        waiting, config = self._ended, self.config
        seconds = sum(utterance.length for utterance in waiting)
        return len(waiting) > config.max_waiting or seconds > config.max_waiting_s

    def _end_of(self, utterance: Utterance) -> SpeechEvent:
        t = self._hearing.clock(utterance.voice_end)
        return SpeechEvent(SpeechKind.END, t, utterance.number)

    def _bound(self, utterance: Utterance) -> None:
        """Undecoded sound has a bound: a machine that fails for a minute loses the oldest."""
        if (excess := utterance.length - self.config.max_backlog) > 0.0:
            self._shorten(utterance, excess + 1.0)

    def _shorten(self, utterance: Utterance, seconds: float) -> None:
        self._count['dropped_ms'] += round(1000 * utterance.shorten(seconds))

    # Scheduling

    @property
    def _step(self) -> float:
        return max(self.config.step, self._decoder.cost / self.config.load)

    def _due(self, utterance: Utterance) -> bool:
        if utterance.decodes == 0 and utterance.voiced < self.config.first - 1e-6:
            return self._pausing(utterance)
        since = utterance.end - utterance.decoded_to
        if since >= self._step and utterance.voice_end > utterance.decoded_to:
            return True
        return self._pausing(utterance)

    def _pausing(self, utterance: Utterance) -> bool:
        """Whether the speech may be over and its end was not tried yet."""
        pause = self._gate.pause(utterance.end)
        tried = utterance.decoded_to >= utterance.voice_end + self.config.pause / 2
        return pause >= self.config.pause - 1e-6 and not tried

    def _is_ahead(self, utterance: Utterance) -> bool:
        """Whether the last good decode holds all of the speech and some silence."""
        return utterance.known_to >= utterance.voice_end + self.config.pause / 2

    # Decoding

    def _work_partial(self, utterance: Utterance) -> list[Output]:
        maybe_last = self._gate.pause(utterance.end) >= self.config.pause / 2 - 1e-6
        final = maybe_last or self._must_cut(utterance)  # what is cut off is not heard again
        done = self._decoder.decode(utterance, final)
        self._note_lag(utterance)
        if not done:
            return []
        self._cut(utterance)
        return self._publish(utterance)

    def _work_final(self, utterance: Utterance) -> list[Output]:
        done = self._decoder.decode(utterance, final=True)
        self._note_lag(utterance)
        if done and utterance.decoded_to < utterance.end - 1e-3:
            self._cut(utterance)  # longer than the engine hears at once
            return self._publish(utterance)
        self._ended.popleft()
        return self._conclude(utterance)

    def _note_lag(self, utterance: Utterance) -> None:
        self._lag = self._hearing.now - utterance.decoded_to
        self._max_lag = max(self._max_lag, self._lag)

    def _must_cut(self, utterance: Utterance) -> bool:
        return utterance.length >= self._decoder.max_sound - _CUT_AHEAD_S

    def _cut(self, utterance: Utterance) -> None:
        """Keep the sound shorter than what the engine hears, by cuts after stable words."""
        if not self._must_cut(utterance):
            return
        heard = utterance.decoded_to - utterance.begin
        cut = utterance.cut(heard / 2, utterance.agreement.stable_until)
        if not cut and utterance.length >= self._decoder.max_sound - self._step:  # no time to agree
            cut = utterance.cut(heard / 2, heard - _EDGE_S) or utterance.cut(1.0, heard - _EDGE_S)
        if cut:
            self._count['cuts'] += 1
        elif utterance.length >= self._decoder.max_sound:  # nothing heard in it: music
            self._shorten(utterance, min(heard, utterance.length - 2.0))

    # Publishing

    def _publish(self, utterance: Utterance) -> list[Output]:
        transcript = utterance.transcript(self._hearing.clock, False, self.config.words)
        if transcript is None:
            return []
        self._count['partials'] += 1
        return [transcript]

    def _conclude(self, utterance: Utterance) -> list[Output]:
        """The final, or noise if there is nothing to say and nothing was said."""
        if not utterance.published and not utterance.text():
            self._count['noise'] += 1
            t = self._hearing.clock(utterance.voice_end)
            return [SpeechEvent(SpeechKind.NOISE, t, utterance.number)]
        transcript = utterance.transcript(self._hearing.clock, True, self.config.words)
        assert transcript is not None
        self._count['finals'] += 1
        return [transcript]
