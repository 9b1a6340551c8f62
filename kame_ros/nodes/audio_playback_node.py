"""The mouth: plays the robot's speech and tells what was really played."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from std_msgs.msg import Bool

import kame_ros.msg as msg
from kame_ros.audio.frame import Frame
from kame_ros.audio.playout import Playout, PlayoutConfig
from kame_ros.audio.sink import NullSink, Sink, WavSink
from kame_ros.nodes import convert, qos
from kame_ros.nodes.base import KameNode
from kame_ros.nodes.parameters import Param
from kame_ros.nodes.run import run
from kame_ros.owner import OwnerThread

_SPEAKING_PEAK = 64  # of 32768 (-54 dBFS): below is no speech
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
        Param('wav', '', 'The file that the sink wav writes.'),
        Param('device', '', 'Name (or part of it) or index of the device; empty: the default one.'),
        Param('frame_id', 'loudspeaker', 'The frame_id in the headers.'),
        Param('target_frames', 2, 'Frames of 80 ms that wait before the first is played.', 1, 20),
        Param(
            'slack_frames',
            3,
            'How far above the target the delay may grow before a silent frame is left out.',
            0,
            20,
        ),
    )
    WARN_WHEN_GROWING = ('concealed', 'underruns', 'late', 'dropped_speech', 'bad_frames')

    def __init__(self, **options: Any) -> None:
        self._sink: Sink | None = None
        self._thread: OwnerThread | None = None
        self._playout = Playout()
        self._lock = threading.Lock()
        self._bad = 0
        self._quiet = _SPEAKING_HANGOVER
        super().__init__('audio_playback', **options)

    def load(self) -> None:
        target, slack = self.param('target_frames'), self.param('slack_frames')
        self._playout = Playout(
            PlayoutConfig(target=target, slack=slack, capacity=max(25, target + slack + 1))
        )
        self._sink = self._make_sink()
        self._played = self.offer(msg.AudioFrame, 'audio/played', qos.AUDIO_OFFER)
        self._speaking = self.offer(Bool, 'speaking', qos.STATE)
        self._speaking.publish(Bool(data=False))
        self.listen(msg.AudioFrame, 'audio/speech', qos.AUDIO_ASK, self._on_speech)

    def start(self) -> None:
        assert self._sink is not None
        self._sink.open()
        self._thread = OwnerThread('playback', self._play, self.fail)
        self._thread.start()

    def stop(self) -> None:
        if self._thread:
            self._thread.stop()
            self._thread = None
        if self._sink:
            self._sink.close()

    def unload(self) -> None:
        self._sink = None

    def counters(self) -> dict[str, float | str]:
        sink = self._sink
        with self._lock:
            playout = self._playout.counters()
        return {
            'sink': self.param('wav') or self.param('sink'),
            'bad_frames': self._bad,
            **(sink.counters() if sink else {}),
            **playout,
        }

    def _make_sink(self) -> Sink:
        kind = self.param('sink')
        now, sleep = self.clock.now, self.clock.sleep
        if kind == 'wav':
            if not self.param('wav'):
                raise ValueError('the sink wav needs the parameter wav: the path of a file')
            return WavSink(self.param('wav'), clock=now, sleep=sleep)
        if kind == 'null':
            return NullSink(clock=now, sleep=sleep)
        from kame_ros.audio.device import DeviceSink

        return DeviceSink(self.param('device'), clock=now)

    def _on_speech(self, message: msg.AudioFrame) -> None:
        try:
            frame = convert.frame_from_message(message)
        except ValueError as error:
            self._bad += 1
            self.get_logger().error(str(error), once=True)
            return
        with self._lock:
            self._playout.push(frame)

    def _play(self, stop: threading.Event) -> None:
        sink = self._sink
        assert sink is not None
        frame_id = self.param('frame_id')
        while not stop.is_set():
            t = sink.wait()
            with self._lock:
                frame = self._playout.pull(t)
            sink.write(frame)
            self._played.publish(convert.frame_to_message(frame, frame_id))
            self._tell_speaking(frame)

    def _tell_speaking(self, frame: Frame) -> None:
        was = self._quiet < _SPEAKING_HANGOVER
        loud = int(np.abs(frame.samples.astype(np.int32)).max()) > _SPEAKING_PEAK
        self._quiet = 0 if loud else self._quiet + 1
        now = self._quiet < _SPEAKING_HANGOVER
        if now != was:
            self._speaking.publish(Bool(data=now))


def main(args: Sequence[str] | None = None) -> int:
    """Runs the node."""
    return run(AudioPlaybackNode, args)


if __name__ == '__main__':
    raise SystemExit(main())
