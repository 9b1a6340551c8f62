"""The robot does not hear itself: acoustic echo cancellation, noise suppression, gain."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kame_ros.audio.echo_delay import EchoDelay
from kame_ros.audio.echo_reference import EchoReference, power
from kame_ros.audio.frame import FRAME_S, SAMPLE_RATE, Frame

INSTALL = 'pip install pywebrtc-audio (or make setup-devices)'
METHODS = ('webrtc', 'speex')
_PLAYED_BOUND = 50  # frames of `audio/played` that wait for the microphone: 4 s
_LEAD_S = 0.02  # the reference is so much early once it is aligned: cancellers know the past only
_EASY_S = (0.002, 0.15)  # a delay in this range is left to the canceller itself
_BACK_S = 0.3  # what was played so long ago is known, however late it is told
_AUDIBLE = 100.0**2  # power of the reference from which an echo is expected


@dataclass(frozen=True)
class EchoConfig:
    """`cancel` echo; `noise_suppression`: 0 none, 1 to 4 for 6, 12, 18, 21 dB; `gain_control`:
    brings speech to the same level, whoever speaks from wherever. `method`: webrtc converges at
    once, but takes from the user while both speak; speex leaves the user, but removes 10 to 15 dB
    in its first 8 s and 20 to 37 dB later, and wants stamps that follow the devices' clocks.
    """

    cancel: bool = True
    noise_suppression: int = 0
    gain_control: bool = False
    method: str = 'webrtc'

    def __post_init__(self) -> None:
        if not 0 <= self.noise_suppression <= 4:
            raise ValueError(f'noise_suppression is 0 to 4, not {self.noise_suppression}')
        if self.method not in METHODS:
            raise ValueError(f'method is one of {", ".join(METHODS)}, not {self.method}')


class EchoCanceller:
    """WebRTC's AEC3 or Speex's filter, on frames that are aligned by their stamps.

    Stamps tell what a device says of its latency, which may be wrong by a lot: what they leave is
    estimated from the sound (`EchoDelay`) and taken off where it is too much for the canceller.
    `played` may be called from any thread, `process` by the owner. About 2 % of a core.

    Raises ImportError, with the command that installs it, where the library is absent.
    """

    def __init__(self, config: EchoConfig | None = None) -> None:
        self.config = config or EchoConfig()
        self._processor = _processor(self.config)
        self._lag = getattr(self._processor, 'lag_s', 0.0)
        self._new: deque[Frame] = deque(maxlen=_PLAYED_BOUND)
        self._reference = EchoReference()
        self._delay = EchoDelay()
        self._shift = 0.0  # s, taken off the delay by reading the reference later
        self._before = self._after = 0.0  # power while the robot speaks, smoothed
        self._count = dict.fromkeys(('realignments', 'reference_frames'), 0)

    def played(self, frame: Frame) -> None:
        """A frame left the loudspeaker."""
        self._new.append(frame)
        self._count['reference_frames'] += 1

    def process(self, frame: Frame) -> Frame:
        """The microphone's frame without the echo; its sound may begin a little earlier."""
        while self._new:
            self._reference.add(self._new.popleft())
        if not self.config.cancel:
            return replace(frame, samples=self._processor.process(frame.samples))
        if self._delay.push(frame.samples, self._reference.rough(frame.t - _BACK_S)):
            self._align()
        far = self._reference.read(frame.t - self._shift)
        reference = np.clip(np.round(far), -32_768, 32_767).astype(np.int16)
        clean = self._processor.process(frame.samples, reference)
        self._judge(frame.samples, clean, far)
        return replace(frame, t=frame.t - self._lag, samples=clean)

    def reset(self) -> None:
        """Another session or another place: forgets the room."""
        self._processor.reset()
        self._reference, self._delay = EchoReference(), EchoDelay()
        self._shift = 0.0

    @property
    def delay_s(self) -> float | None:
        """The echo's delay by the stamps of the two devices, s; None while it is not known."""
        found = self._delay.seconds
        return None if found is None else found + _BACK_S

    def counters(self) -> dict[str, float]:
        """The delay, how much is removed while the robot speaks, and what was missing."""
        delay = self.delay_s
        ratio = self._before / self._after if self._after > 0.0 else 1.0
        return {
            'echo_delay_ms': round(1e3 * delay, 1) if delay is not None else -1.0,
            'echo_removed_db': round(10.0 * math.log10(max(ratio, 1e-9)), 1),
            'echo_realignments': self._count['realignments'],
            'echo_reference_frames': self._count['reference_frames'],
            'echo_reference_jumps': self._reference.jumps,
            'echo_reference_missing_s': round(self._reference.missing / SAMPLE_RATE, 2),
        }

    def _align(self) -> None:
        delay = self.delay_s
        assert delay is not None
        if not _EASY_S[0] <= delay - self._shift <= _EASY_S[1]:
            self._shift = delay - _LEAD_S
            self._count['realignments'] += 1

    def _judge(self, heard: np.ndarray, clean: np.ndarray, far: np.ndarray) -> None:
        if power(far) < _AUDIBLE:
            return
        weight = FRAME_S / 5.0
        self._before += weight * (power(heard) - self._before)
        self._after += weight * (power(clean) - self._after)


def _processor(config: EchoConfig) -> Any:
    if config.cancel and config.method == 'speex':
        from kame_ros.audio.speex import SpeexProcessor

        return SpeexProcessor(config.noise_suppression, config.gain_control)
    try:
        from pywebrtc_audio import AudioProcessor
    except ImportError as error:
        raise ImportError(f'echo cancellation needs pywebrtc-audio: {INSTALL}') from error
    return AudioProcessor(
        sample_rate=SAMPLE_RATE,
        echo_cancellation=config.cancel,
        noise_suppression=config.noise_suppression > 0,
        ns_level=max(0, config.noise_suppression - 1),
        auto_gain_control=config.gain_control,
        stream_delay_ms=round(1e3 * _LEAD_S),
    )
