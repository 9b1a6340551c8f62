"""The ear: gives the microphone's frames to whoever listens."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from std_msgs.msg import Bool
from std_srvs.srv import SetBool

import kame_ros.msg as msg
from kame_ros.audio.echo import METHODS, EchoCanceller, EchoConfig
from kame_ros.audio.fed_source import FedSource
from kame_ros.audio.frame import Frame, silence
from kame_ros.audio.source import SilenceSource, Source, WavSource
from kame_ros.nodes import convert, qos
from kame_ros.nodes.base import KameNode
from kame_ros.nodes.device_parameters import (
    DEVICE_PARAMETERS,
    device_arguments,
    hardware_name,
)
from kame_ros.nodes.parameters import Param
from kame_ros.nodes.run import run
from kame_ros.owner import OwnerThread

_LISTENER_POLL_S = 0.02


class AudioCaptureNode(KameNode):
    """Publishes `audio/mic`, 12.5 frames a second, from a device, a file, a topic or silence."""

    PARAMETERS = (
        Param(
            'source',
            'device',
            'Where the sound comes from: a sound card, a wav file played at real time, a topic of '
            'another node, or nothing.',
            choices=('device', 'wav', 'topic', 'silence'),
        ),
        Param('wav', '', 'The file that the source wav plays.'),
        Param('topic', 'audio/in', 'The topic of AudioFrames, of any format, of the source topic.'),
        *DEVICE_PARAMETERS,
        Param('channel', -1, 'Which channel is heard, from 0; -1: the mean of all.', -1, 255),
        Param(
            'echo_cancellation',
            'auto',
            "How the robot's own voice is taken out. webrtc: at once, but while both speak the "
            'user is hardly understood. speex (needs libspeexdsp1): the user is understood, but '
            'it learns the room, and every change of it, from some 8 s of the robot talking, and '
            'suffers where the clocks of two sound cards drift faster than the stamps tell. off: '
            'for headsets. auto: webrtc, but off for wav and silence, and where pywebrtc-audio is '
            'not installed.',
            choices=('auto', 'webrtc', 'speex', 'off'),
        ),
        Param('noise_suppression', 0, '0: none, 1 to 4: by 6, 12, 18 or 21 dB.', 0, 4),
        Param('gain_control', False, 'Whether all speech is brought to the same level.'),
        Param('frame_id', 'microphone', 'The frame_id in the headers.'),
        Param(
            'wait_for_listeners',
            0,
            'The first frame waits until so many nodes listen to audio/mic.',
            low=0,
            high=100,
        ),
        Param(
            'listener_patience_s',
            20.0,
            'How long the first frame waits for them, in seconds.',
            low=0.0,
            high=600.0,
        ),
    )
    WARN_WHEN_GROWING = (
        'frames_late',
        'frames_silent',
        'blocks_dropped',
        'blocks_missing',
        'blocks_late',
        'losses',
        'bad_frames',
    )

    def __init__(self, **options: Any) -> None:
        self._source: Source | None = None
        self._thread: OwnerThread | None = None
        self._echo: EchoCanceller | None = None
        self._muted = threading.Event()
        self._sent = 0
        self._bad = 0
        super().__init__('audio_capture', **options)
        if self.memory.get('muted'):  # who asked not to be heard is not heard by the next life
            self._muted.set()
            self.get_logger().warning('the robot is muted, as it was before')

    def load(self) -> None:
        self._sent = 0
        self._source = self._make_source()
        self._source.prepare()  # what cannot be had is refused here, not while the robot runs
        self._echo = self._make_echo()
        if self._echo:
            self.listen(msg.AudioFrame, 'audio/played', qos.AUDIO_ASK, self._on_played)
        self._frames = self.offer(msg.AudioFrame, 'audio/mic', qos.AUDIO_OFFER)
        self._mute_state = self.offer(Bool, 'muted', qos.STATE)
        self.offer_events()
        self.serve(SetBool, 'mute', self._on_mute)
        self._mute_state.publish(Bool(data=self._muted.is_set()))

    def start(self) -> None:
        self._thread = self.owner('capture', self._capture)
        self._thread.start()

    def stop(self) -> None:
        if self._thread:
            self._thread.stop()
            self._thread = None

    def unload(self) -> None:
        if self._source:
            self._source.close()
            self._source = None
        self._echo = None

    def counters(self) -> dict[str, float | str]:
        source = self._source
        return {
            'source': self.param('wav') or self.param('source'),
            'muted': str(self._muted.is_set()).lower(),
            'frames_sent': self._sent,
            'bad_frames': self._bad,
            **(source.counters() if source else {}),
            **(self._echo.counters() if self._echo else {}),
        }

    def hardware(self) -> str:
        return hardware_name(self.param) if self.param('source') == 'device' else ''

    def _make_source(self) -> Source:
        kind = self.param('source')
        now, sleep = self.clock.now, self.clock.sleep
        if kind == 'wav':
            if not self.param('wav'):
                raise ValueError('the source wav needs the parameter wav: the path of a file')
            return WavSource(self.param('wav'), clock=now, sleep=sleep)
        if kind == 'silence':
            return SilenceSource(clock=now, sleep=sleep)
        if kind == 'topic':
            fed = FedSource(clock=now, channel=self.param('channel'), tell=self._warn)
            self._feed = fed
            self.listen(msg.AudioFrame, self.param('topic'), qos.AUDIO_ASK, self._on_sound)
            return fed
        from kame_ros.audio.device_source import DeviceSource

        return DeviceSource(
            **device_arguments(self.param),
            channel=self.param('channel'),
            clock=now,
            tell=self._warn,
        )

    def _make_echo(self) -> EchoCanceller | None:
        wanted, noise = self.param('echo_cancellation'), self.param('noise_suppression')
        auto = wanted == 'auto' and self.param('source') in ('device', 'topic')
        method = wanted if wanted in METHODS else 'webrtc'
        cancel = auto or wanted in METHODS
        config = EchoConfig(cancel, noise, self.param('gain_control'), method)
        if config == EchoConfig(False):
            return None
        try:
            return EchoCanceller(config)
        except ImportError as error:
            if not auto or noise or config.gain_control:
                raise
            self.get_logger().warning(f'the robot may hear itself: {error}')
            return None

    def _warn(self, text: str) -> None:
        self.get_logger().warning(text)

    def _on_played(self, message: msg.AudioFrame) -> None:
        frame = self._checked(message)
        if frame is not None and self._echo:
            self._echo.played(frame)

    def _on_sound(self, message: msg.AudioFrame) -> None:
        try:
            self._feed.feed(
                np.frombuffer(message.data, np.int16),
                message.sample_rate,
                message.channels,
                convert.from_time(message.header.stamp),
                message.seq,
            )
        except ValueError as error:
            self._refuse(error)

    def _checked(self, message: msg.AudioFrame) -> Frame | None:
        try:
            return convert.frame_from_message(message)
        except ValueError as error:
            self._refuse(error)
            return None

    def _refuse(self, error: ValueError) -> None:
        self._bad += 1
        self.get_logger().error(str(error), once=True)

    def _capture(self, stop: threading.Event) -> None:
        source = self._source
        assert source is not None
        self._wait_for_listeners(stop)
        source.open()
        told_end = False
        frame_id = self.param('frame_id')
        try:
            while not stop.is_set():
                frame = source.read()
                if self._echo:
                    frame = self._echo.process(frame)
                if self._muted.is_set():
                    frame = replace(frame, samples=silence())
                self._frames.publish(convert.frame_to_message(frame, frame_id))
                self._sent += 1
                if source.ended and not told_end:
                    told_end = True
                    self.tell(msg.TurnEvent.INPUT_ENDED, frame.end)
        finally:
            source.close()

    def _wait_for_listeners(self, stop: threading.Event) -> None:
        end = self.clock.now() + self.param('listener_patience_s')
        wanted = self.param('wait_for_listeners')
        while self._frames.get_subscription_count() < wanted and self.clock.now() < end:
            if stop.wait(_LISTENER_POLL_S):
                return
        missing = wanted - self._frames.get_subscription_count()
        if missing > 0:
            self.get_logger().warning(f'{missing} of {wanted} listeners did not come')

    def _on_mute(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        if request.data:
            self._muted.set()
        else:
            self._muted.clear()
        self.memory.set(muted=request.data)
        self._mute_state.publish(Bool(data=request.data))
        response.success = True
        response.message = 'the robot is deaf' if request.data else 'the robot listens'
        return response


def main(args: Sequence[str] | None = None) -> int:
    """Runs the node."""
    return run(AudioCaptureNode, args)


if __name__ == '__main__':
    raise SystemExit(main())
