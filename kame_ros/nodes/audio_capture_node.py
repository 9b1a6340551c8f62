"""The ear: gives the microphone's frames to whoever listens."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from std_msgs.msg import Bool
from std_srvs.srv import SetBool

import kame_ros.msg as msg
from kame_ros.audio.devices.device_stream import MicrophoneConfig
from kame_ros.audio.devices.fed_source import FedSource
from kame_ros.audio.devices.source import SilenceSource, Source, WavSource
from kame_ros.audio.echo.canceller import EchoCanceller, EchoConfig
from kame_ros.graph.names import node_paths
from kame_ros.nodes.common import convert, qos
from kame_ros.nodes.common.base import KameNode
from kame_ros.nodes.common.listen import as_it_is
from kame_ros.nodes.common.run import run
from kame_ros.runtime.owner import OwnerThread
from kame_ros.settings.param import FILE, Param, filled
from kame_ros.wire.frame import Frame, silence
from kame_ros.wire.turn import TurnEvent, TurnKind

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
        Param('wav', '', 'The file that the source wav plays.', names=FILE),
        Param('topic', 'audio/in', 'The topic of AudioFrames, of any format, of the source topic.'),
        Param(
            'topic_may_pause',
            False,
            'Whether it is no loss when nothing comes on the topic: nobody talks through it now.',
        ),
        *Param.of(MicrophoneConfig),
        *Param.of(EchoConfig),
        Param('frame_id', 'microphone', 'The frame_id in the headers.'),
        Param(
            'wait_for_listeners',
            '',
            'The first frame waits until these nodes listen to audio/mic: their names, with commas '
            'between; with a / before it, a name in another namespace.',
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
        super().__init__('audio_capture', **options)
        if self.memory.get('muted'):  # who asked not to be heard is not heard by the next life
            self._muted.set()
            self.get_logger().warning('the robot is muted, as it was before')

    def load(self) -> None:
        self._sent = 0
        self._awaited = node_paths(self.param('wait_for_listeners'), self.get_namespace())
        self._source = self._make_source()
        self._source.prepare()  # what cannot be had is refused here, not while the robot runs
        self._echo = self._make_echo()
        if self._echo:
            read = convert.frame_from_message
            self.listen(msg.AudioFrame, 'audio/played', qos.AUDIO_ASK, read, self._on_played)
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
            **(source.counters() if source else {}),
            **(self._echo.counters() if self._echo else {}),
        }

    def hardware(self) -> str:
        return filled(MicrophoneConfig, self.param).name if self.param('source') == 'device' else ''

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
            fed = FedSource(
                clock=now,
                channel=self.param('channel'),
                tell=self._warn,
                may_pause=self.param('topic_may_pause'),
            )
            self._feed = fed
            read, then = self._feed_from, as_it_is  # reading it is all there is to do
            self.listen(msg.AudioFrame, self.param('topic'), qos.AUDIO_ASK, read, then)
            return fed
        from kame_ros.audio.devices.device_source import DeviceSource

        return DeviceSource(
            **asdict(filled(MicrophoneConfig, self.param)), clock=now, tell=self._warn
        )

    def _make_echo(self) -> EchoCanceller | None:
        config: EchoConfig = filled(EchoConfig, self.param)
        auto = config.echo_cancellation == 'auto'
        if auto and self.param('source') not in ('device', 'topic'):
            config = replace(config, echo_cancellation='off')
        if config.idle:
            return None
        try:
            return EchoCanceller(config)
        except ImportError as error:
            if not auto or config.noise_suppression or config.gain_control:
                raise
            self.get_logger().warning(f'the robot may hear itself: {error}')
            return None

    def _warn(self, text: str) -> None:
        self.get_logger().warning(text)

    def _on_played(self, frame: Frame) -> None:
        if self._echo:
            self._echo.played(frame)

    def _feed_from(self, message: msg.AudioFrame) -> None:
        """Raises ValueError for sound that cannot be used."""
        self._feed.feed(
            np.frombuffer(message.data, np.int16),
            message.sample_rate,
            message.channels,
            convert.from_time(message.header.stamp),
            message.seq,
        )

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
                    self.tell(TurnEvent(TurnKind.INPUT_ENDED, frame.end))
        finally:
            source.close()

    def _wait_for_listeners(self, stop: threading.Event) -> None:
        end = self.clock.now() + self.param('listener_patience_s')
        while (missing := self._missing()) and self.clock.now() < end:
            if stop.wait(_LISTENER_POLL_S):
                return
        if missing:
            self._warn(f'{", ".join(missing)} did not come to listen: it misses the beginning')

    def _missing(self) -> list[str]:
        """Who is awaited and does not listen yet."""
        if not self._awaited:
            return []
        listeners = self.get_subscriptions_info_by_topic('audio/mic')
        here = {f'{each.node_namespace.rstrip("/")}/{each.node_name}' for each in listeners}
        return [path for path in self._awaited if path not in here]

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
