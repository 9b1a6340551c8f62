"""Finds the user's voice in the microphone: windows of sound, starts and ends of speech."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import replace

from kame_ros.audio.hearing import Hearing, Window
from kame_ros.audio.level import rms_dbfs
from kame_ros.stt.echo import EchoGuard, EchoGuardConfig
from kame_ros.turns.speech_gate import GateConfig, GateEvent, SpeechGate
from kame_ros.turns.vad import Vad
from kame_ros.wire.frame import FRAME_S, Frame

_PAUSE_S = 0.06  # s: who was silent for less speaks
_AHEAD_S = 60.0  # s: what is to come later than this is told by another clock
_MENDED = ('gaps', 'concealed', 'stale', 'restarts', 'jumps', 'clipped')


class Ear:
    """Frames in, windows out, each with the start or end of speech that it brings.

    Frames that are lost or doubled are mended, and the robot's own voice is left out.
    """

    def __init__(self, vad: Vad, gate: GateConfig, echo: EchoGuardConfig) -> None:
        self._vad = vad
        self._gate_config = gate
        enter = max(echo.enter, gate.speech_threshold)
        self._echo = EchoGuard(replace(echo, enter=enter))
        self._frames = 0
        self._mended: Counter[str] = Counter()  # counters of earlier hearings
        self._start_over()

    def _start_over(self) -> None:
        self._hearing = Hearing()
        self._gate = SpeechGate(self._gate_config)
        self._over_at: float | None = None  # when the user's turn was over, s of the stream
        self._recent: deque[Window] = deque(maxlen=64)  # 2 s before the start of speech

    def reset(self) -> None:
        """Begin anew; the counters go on."""
        self._mended += self._hearing.counters
        self._vad.reset()
        self._echo.reset()
        self._start_over()

    def played(self, frame: Frame) -> None:
        """The robot's own voice left the loudspeaker: it is not the user's."""
        self._echo.played(frame)

    def hear(self, frame: Frame) -> Iterator[tuple[Window, GateEvent | None]]:
        """Take a frame; the windows that it completes, one by one."""
        self._frames += 1
        for window in self._hearing.push(frame):
            (probability,) = self._vad.push(window.sound)
            t = self._hearing.clock(window.t)
            probability = self._echo.adjust(probability, t, rms_dbfs(window.sound))
            self._recent.append(window)
            event = self._gate.push(probability, window.t)
            yield window, self._end_if_over(window) if event is None else event

    def end_turn(self, t: float) -> None:
        """Somebody knows that the user's turn was over at `t` on the audio clock: speech ends then.

        Not if they have gone on since. What was heard until `t` may still be to come.
        """
        over_at = t - self.clock(0.0)
        self._over_at = over_at if over_at - self.now < _AHEAD_S else None

    def _end_if_over(self, window: Window) -> GateEvent | None:
        """The end of speech, once all is heard that the turn was found to be over by."""
        if self._over_at is None or window.end < self._over_at - 1e-6:
            return None
        over_at, self._over_at = self._over_at, None
        goes_on = self._gate.pause(window.end) < _PAUSE_S
        if goes_on or self._gate.voice_end > over_at:
            return None
        return self._gate.close(window.end)

    def since(self, t: float) -> list[Window]:
        """The newest windows that begin at `t` s of the stream or later, of the last 2 s."""
        return [w for w in self._recent if w.t >= t - 1e-6]

    def clock(self, t: float) -> float:
        """A time of the stream on the audio clock, s."""
        return self._hearing.clock(t)

    @property
    def now(self) -> float:
        """The end of what was heard, s of the stream."""
        return self._hearing.now

    @property
    def voice_end(self) -> float:
        """The end of the last voice, s of the stream."""
        return self._gate.voice_end

    @property
    def voiced_s(self) -> float:
        """Seconds of voice in the speech that goes on; 0: none does."""
        return self._gate.voiced_s

    def pause(self, t: float) -> float:
        """Seconds of silence after the last voice of the speech that goes on, at `t`."""
        return self._gate.pause(t)

    @property
    def seconds(self) -> float:
        """Seconds of all frames."""
        return self._frames * FRAME_S

    def counters(self) -> dict[str, float]:
        """What was mended, and what the echo did."""
        heard = self._hearing.counters
        return {
            **{name: float(self._mended[name] + heard[name]) for name in _MENDED},
            'echo_gated': float(self._echo.gated),
            'echo_coupling_db': self._echo.coupling_db,
        }
