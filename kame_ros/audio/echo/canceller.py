"""Removes the robot's own voice from the microphone, and noise if that is asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kame_ros.audio.echo.delay import EchoDelay
from kame_ros.audio.echo.reference import EchoReference, power
from kame_ros.audio.level import ECHO_RMS_DBFS, pcm
from kame_ros.runtime.inbox import Inbox
from kame_ros.settings.param import check_settings, setting
from kame_ros.wire.frame import FRAME_S, SAMPLE_RATE, Frame

INSTALL = 'pip install pywebrtc-audio (or make setup-devices)'
METHODS = ('webrtc', 'speex')
_PLAYED_BOUND = 50  # frames of `audio/played` that wait for the microphone: 4 s
_LEAD_S = 0.02  # the reference is so much early once it is aligned: cancellers know the past only
_EASY_S = (0.002, 0.15)  # a delay in this range is left to the canceller itself
_BACK_S = 0.3  # what was played so long ago is known, however late it is told
_AUDIBLE = pcm(ECHO_RMS_DBFS) ** 2  # power of the reference


@dataclass(frozen=True)
class EchoConfig:
    """How the microphone's sound is cleaned. Raises ValueError for what cannot be.

    speex removes 10 to 15 dB in its first 8 s and 20 to 37 dB later, and wants stamps that follow
    the devices' clocks.
    """

    echo_cancellation: str = setting(
        'auto',
        "How the robot's own voice is taken out. webrtc: at once, but while both speak the "
        'user is hardly understood. speex (needs libspeexdsp1): the user is understood, but '
        'it learns the room, and every change of it, from some 8 s of the robot talking, and '
        'suffers where the clocks of two sound cards drift faster than the stamps tell. off: '
        'for headsets. auto: webrtc, but off for wav and silence, and where pywebrtc-audio is '
        'not installed.',
        choices=('auto', *METHODS, 'off'),
    )
    noise_suppression: int = setting(0, '0: none, 1 to 4: by 6, 12, 18 or 21 dB.', low=0, high=4)
    gain_control: bool = setting(False, 'Whether all speech is brought to the same level.')

    def __post_init__(self) -> None:
        check_settings(self)

    @property
    def cancel(self) -> bool:
        """Whether the echo is taken out."""
        return self.echo_cancellation != 'off'

    @property
    def idle(self) -> bool:
        """Whether the sound is left as it is."""
        return not (self.cancel or self.noise_suppression or self.gain_control)


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
        self._new: Inbox[Frame] = Inbox(_PLAYED_BOUND)
        self._reference = EchoReference()
        self._delay = EchoDelay()
        self._shift = 0.0  # s, taken off the delay by reading the reference later
        self._before = self._after = 0.0  # power while the robot speaks, smoothed
        self._realignments = 0

    def played(self, frame: Frame) -> None:
        """A frame left the loudspeaker."""
        self._new.put(frame)

    def process(self, frame: Frame) -> Frame:
        """The microphone's frame without the echo; its sound may begin a little earlier."""
        for played in self._new.drain():
            self._reference.add(played)
        if not self.config.cancel:
            return replace(frame, samples=self._processor.process(frame.samples))
        if self._delay.push(frame.samples, self._reference.rough(frame.t - _BACK_S)):
            self._align()
        far = self._reference.read(frame.t - self._shift)
        reference = np.clip(np.round(far), -32_768, 32_767).astype(np.int16)
        clean = self._processor.process(frame.samples, reference)
        self._judge(frame.samples, clean, far)
        return replace(frame, t=frame.t - self._lag, samples=clean)

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
            'echo_realignments': self._realignments,
            'echo_reference_frames': self._new.received,
            'echo_reference_dropped': self._new.dropped,
            'echo_reference_jumps': self._reference.jumps,
            'echo_reference_missing_s': round(self._reference.missing / SAMPLE_RATE, 2),
        }

    def _align(self) -> None:
        delay = self.delay_s
        assert delay is not None
        if not _EASY_S[0] <= delay - self._shift <= _EASY_S[1]:
            self._shift = delay - _LEAD_S
            self._realignments += 1

    def _judge(self, heard: np.ndarray, clean: np.ndarray, far: np.ndarray) -> None:
        if power(far) < _AUDIBLE:
            return
        weight = FRAME_S / 5.0
        self._before += weight * (power(heard) - self._before)
        self._after += weight * (power(clean) - self._after)


def _processor(config: EchoConfig) -> Any:
    if config.echo_cancellation == 'speex':
        from kame_ros.audio.echo.speex import SpeexProcessor

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
