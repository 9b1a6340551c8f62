"""Cuts the microphone into utterances and tells of each: what every kind of transcriber does."""

from __future__ import annotations

from collections import Counter, deque
from typing import Generic, TypeVar

from kame_ros.audio.hearing import Window
from kame_ros.stt.agreement import plain
from kame_ros.stt.config import TranscriberConfig
from kame_ros.stt.ear import Ear
from kame_ros.stt.heard import UtteranceSound
from kame_ros.stt.speech_to_text import Output
from kame_ros.turns.speech_gate import Edge, GateEvent
from kame_ros.turns.vad import Vad
from kame_ros.wire.frame import Frame
from kame_ros.wire.turn import TurnEvent, TurnKind

U = TypeVar('U', bound=UtteranceSound)


class Utterances(Generic[U]):
    """Frames in; starts and ends of speech and growing transcripts out.

    Exactly one final for every utterance that is published; none for noise. A subclass makes the
    utterances (`_new`), keeps their sound short (`_bound`) and lets its engine hear them: those
    that have `_ended`, the oldest first, and then the `_open` one.
    """

    def __init__(self, vad: Vad, config: TranscriberConfig | None = None) -> None:
        self.config = config or TranscriberConfig()
        self._ear = Ear(vad, self.config.gate, self.config.echo)
        self._numbers = 0
        self._count: Counter[str] = Counter()
        self._max_lag_s = 0.0
        self._last_error = ''
        self._start_over()

    def _start_over(self) -> None:
        self._open: U | None = None
        self._ended: deque[U] = deque()
        self._last_end = -1.0  # of an utterance, s of the stream

    def _new(self, number: int, windows: list[Window]) -> U:
        """An utterance that begins with this sound."""
        raise NotImplementedError

    def _bound(self, utterance: U) -> None:
        """Undecoded sound has a bound: a machine that fails for a minute loses the oldest."""
        raise NotImplementedError

    def _is_known(self, utterance: U) -> bool:
        """Whether all of an utterance that ends was decoded already."""
        return False

    def reset(self) -> list[Output]:
        """Begin anew; an open utterance ends, and what was published gets its final, undecoded."""
        outputs: list[Output] = []
        if self._open is not None:
            self._open.closed = True
            outputs.append(self._tell(TurnKind.USER_SPEECH_END, self._open))
            self._ended.append(self._open)
        for utterance in self._ended:
            outputs += self._conclude(utterance)
        self._ear.reset()
        self._start_over()
        return outputs

    def played(self, frame: Frame) -> None:
        """The robot's own voice left the loudspeaker: it is not the user's."""
        self._ear.played(frame)

    def feed(self, frame: Frame) -> list[Output]:
        """Hear 80 ms. Decodes nothing."""
        outputs: list[Output] = []
        for window, event in self._ear.hear(frame):
            outputs += self._hear(window, event)
        return outputs

    def end_turn(self, t: float) -> None:
        """The user's turn was over at `t`: what they said ends, unless they have gone on since."""
        self._ear.end_turn(t)

    def take_error(self) -> str:
        """What the engine said when it last failed; empty if it did not since the last call."""
        error, self._last_error = self._last_error, ''
        return error

    def _hear(self, window: Window, event: GateEvent | None) -> list[Output]:
        utterance = self._open
        if utterance is not None:
            utterance.add(window)
            self._bound(utterance)
        if event is not None and event.edge is Edge.START:
            return [self._begin(event)]
        if utterance is None:
            return []
        utterance.voice_end = self._ear.voice_end
        utterance.voiced_s = self._ear.voiced_s or utterance.voiced_s
        return self._end(utterance) if event is not None else []

    def _begin(self, event: GateEvent) -> TurnEvent:
        windows = self._ear.since(max(event.t - self.config.pre_roll_s, self._last_end))
        self._open = utterance = self._new(self._numbers, windows)
        utterance.start = utterance.decoded_to = event.t
        utterance.voice_end = windows[-1].end
        self._numbers += 1
        return self._tell(TurnKind.USER_SPEECH_START, utterance)

    def _end(self, utterance: U) -> list[Output]:
        self._open = None
        self._last_end = utterance.voice_end
        utterance.closed = True
        outputs: list[Output] = [self._tell(TurnKind.USER_SPEECH_END, utterance)]
        if self._is_known(utterance):
            return outputs + self._conclude(utterance)
        utterance.trim_end(utterance.voice_end + self.config.post_roll_s)
        self._ended.append(utterance)
        while self._too_many_wait():
            self._count['undecoded'] += 1
            outputs += self._conclude(self._ended.popleft())
        return outputs

    def _too_many_wait(self) -> bool:
        seconds = sum(utterance.length_s for utterance in self._ended)
        return len(self._ended) > self.config.max_waiting or seconds > self.config.max_waiting_s

    def _publish(self, utterance: U) -> list[Output]:
        transcript = utterance.transcript(self._ear.clock, False, self.config.word_times)
        if transcript is None:
            return []
        self._count['partials'] += 1
        return [transcript]

    def _conclude(self, utterance: U) -> list[Output]:
        """The final, or noise if there is nothing to say and nothing was said."""
        if not utterance.published and not plain(utterance.text()):
            self._count['noise'] += 1
            return [self._tell(TurnKind.SILENT, utterance)]
        transcript = utterance.transcript(self._ear.clock, True, self.config.word_times)
        assert transcript is not None
        self._count['finals'] += 1
        return [transcript]

    def _tell(self, kind: TurnKind, utterance: U) -> TurnEvent:
        t = utterance.start if kind is TurnKind.USER_SPEECH_START else utterance.voice_end
        return TurnEvent(kind, self._ear.clock(t), utterance=utterance.number)

    def _dropped(self, seconds: float) -> None:
        self._count['dropped_ms'] += round(1000 * seconds)

    def _shared_counters(self, names: tuple[str, ...], count: Counter[str]) -> dict[str, float]:
        """Those of `count` by name, and what is counted for every engine."""
        return {
            **{name: float(count[name]) for name in names},
            **self._ear.counters(),
            'undecoded': float(self._count['undecoded']),
            'dropped_s': self._count['dropped_ms'] / 1000.0,
            'waiting_finals': float(len(self._ended)),
            'max_lag_s': self._max_lag_s,
        }
