"""The mouth: plays the robot's speech and tells what was really played."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from std_msgs.msg import Bool, Float32

import kame_ros.msg as msg
from kame_ros.audio.devices.device_stream import DeviceConfig
from kame_ros.audio.devices.sink import NullSink, Sink, WavSink
from kame_ros.audio.level import SPEECH_PEAK_DBFS, pcm
from kame_ros.audio.playout.player import Player, PlayerConfig
from kame_ros.nodes.common import convert, qos
from kame_ros.nodes.common.base import KameNode
from kame_ros.nodes.common.run import run
from kame_ros.runtime.owner import OwnerThread
from kame_ros.settings.param import RECORDING, Param, filled
from kame_ros.wire.frame import Frame

_SPEAKING_PEAK = pcm(SPEECH_PEAK_DBFS)
_SPEAKING_HANGOVER = 5  # frames: a short pause between words does not end speaking


class AudioPlaybackNode(KameNode):
    """Plays `audio/speech` and publishes `audio/played`, one frame for each 80 ms of the device."""

    PARAMETERS = (
        Param(
            'sink',
            'device',
            'Where the sound goes to: a sound card, a wav file, or nowhere.',
            choices=('device', 'wav', 'null'),
        ),
        Param('wav', '', 'The file that the sink wav writes.', names=RECORDING),
        *Param.of(DeviceConfig),
        Param('frame_id', 'loudspeaker', 'The frame_id in the headers.'),
        *Param.of(PlayerConfig),
    )
    WARN_WHEN_GROWING = (
        'concealed',
        'underruns',
        'late',
        'skipped',
        'dropped_speech',
        'bad_frames',
        'blocks_missing',
        'blocks_dropped',
        'frames_unplayed',
        'losses',
    )

    def __init__(self, **options: Any) -> None:
        self._sink: Sink | None = None
        self._thread: OwnerThread | None = None
        self._player: Player | None = None
        self._quiet = _SPEAKING_HANGOVER
        super().__init__('audio_playback', **options)

    def load(self) -> None:
        config = filled(PlayerConfig, self.param)
        self._frame_id = self.param('frame_id')
        self._sink = sink = self._make_sink()
        sink.prepare()  # what cannot be had is refused here, not while the robot runs
        self._player = Player(sink, self.clock.now, config, self._on_heard)
        self._played = self.offer(msg.AudioFrame, 'audio/played', qos.AUDIO_OFFER)
        self._speaking = self.offer(Bool, 'speaking', qos.STATE)
        self._speaking.publish(Bool(data=False))
        read = convert.frame_from_message
        self.listen(msg.AudioFrame, 'audio/speech', qos.AUDIO_ASK, read, self._on_speech)
        self.listen(Float32, 'audio/gain', qos.TEXT, _gain, self._on_gain)

    def start(self) -> None:
        assert self._sink is not None
        self._sink.open()
        self._thread = self.owner('playback', self._play)
        self._thread.start()

    def stop(self) -> None:
        if self._thread:
            self._thread.stop()
            self._thread = None
        if self.lingering:
            return  # it still plays: what it plays on is closed when it has ended
        if self._sink:
            self._sink.close()
        self._quiet = _SPEAKING_HANGOVER
        self._speaking.publish(Bool(data=False))

    def unload(self) -> None:
        if self._sink:
            self._sink.close()
        self._sink = self._player = None

    def counters(self) -> dict[str, float | str]:
        player, sink = self._player, self._sink
        return {
            'sink': str(sink.path) if isinstance(sink, WavSink) else self.param('sink'),
            **(player.counters() if player else {}),
        }

    def hardware(self) -> str:
        return filled(DeviceConfig, self.param).name if self.param('sink') == 'device' else ''

    def _make_sink(self) -> Sink:
        kind = self.param('sink')
        now, sleep = self.clock.now, self.clock.sleep
        if kind == 'wav':
            if not self.param('wav'):
                raise ValueError('the sink wav needs the parameter wav: the path of a file')
            return WavSink(self.param('wav'), clock=now, sleep=sleep)
        if kind == 'null':
            return NullSink(clock=now, sleep=sleep)
        from kame_ros.audio.devices.device_sink import DeviceSink

        return DeviceSink(**asdict(filled(DeviceConfig, self.param)), clock=now, tell=self._warn)

    def _warn(self, text: str) -> None:
        self.get_logger().warning(text)

    def _on_speech(self, frame: Frame) -> None:
        if self._player:
            self._player.push(frame)

    def _on_gain(self, gain: float) -> None:
        """How loud to play, 0 to 1; 0 stops at once and throws away what waits."""
        if not self._player:
            return
        if gain > 0.0:
            self._player.fade(min(1.0, gain))
        else:
            self._player.stop_speech()

    def _play(self, stop: threading.Event) -> None:
        player = self._player
        assert player is not None
        while not stop.is_set():
            player.step()

    def _on_heard(self, frame: Frame) -> None:
        """In the owner's thread: this frame leaves the loudspeaker."""
        self._played.publish(convert.frame_to_message(frame, self._frame_id))
        self._tell_speaking(frame)

    def _tell_speaking(self, frame: Frame) -> None:
        was = self._quiet < _SPEAKING_HANGOVER
        loud = frame.peak > _SPEAKING_PEAK
        self._quiet = 0 if loud else self._quiet + 1
        now = self._quiet < _SPEAKING_HANGOVER
        if now != was:
            self._speaking.publish(Bool(data=now))


def _gain(message: Float32) -> float:
    if math.isnan(message.data):
        raise ValueError('nan is no gain')
    return float(message.data)


def main(args: Sequence[str] | None = None) -> int:
    """Runs the node."""
    return run(AudioPlaybackNode, args)


if __name__ == '__main__':
    raise SystemExit(main())
