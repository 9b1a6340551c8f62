"""Between the sound of kame_ros and that of packages named audio_common_msgs."""

from __future__ import annotations

import array
import importlib
from collections.abc import Sequence
from typing import Any, cast

import kame_ros.msg as msg
from kame_ros.audio.frame import SAMPLE_RATE
from kame_ros.nodes import convert, foreign_audio, qos
from kame_ros.nodes.base import KameNode
from kame_ros.nodes.listen import Guard
from kame_ros.nodes.parameters import Param
from kame_ros.nodes.run import run

_KINDS = ('AudioDataStamped', 'AudioStamped', 'AudioData')


class BridgeNode(KameNode):
    """Gives another node's microphone to `audio/in`, and what was played to its loudspeaker.

    The ear listens to it with `audio_capture.source: topic`. audio_common_msgs is needed by this
    node only.
    """

    PARAMETERS = (
        Param('package', 'audio_common_msgs', 'The package of the messages.'),
        Param(
            'kind',
            'auto',
            'The message: AudioDataStamped or AudioData (ros-drivers), AudioStamped (mgonzs13), '
            'or the first of them that the package has.',
            choices=('auto', *_KINDS),
        ),
        Param('microphone_topic', 'audio', 'Where the sound of the microphone comes from.'),
        Param('loudspeaker_topic', '', 'Where the speech of the robot goes to; empty: nowhere.'),
        Param('rate', 16_000, 'Hz of messages that do not tell.', 4_000, 384_000),
        Param('channels', 1, 'Channels of messages that do not tell.', 1, 64),
    )
    WARN_WHEN_GROWING = ('bad_messages',)

    def __init__(self, **options: Any) -> None:
        self._count = dict.fromkeys(('messages_in', 'messages_out'), 0)
        self._kind: type | None = None
        super().__init__('bridge', **options)
        self._guard = Guard(self)

    def load(self) -> None:
        self._kind = kind = self._find_kind()
        self._in = self.offer(msg.AudioFrame, 'audio/in', qos.AUDIO_OFFER)
        guarded = self._guard('microphone', self._on_foreign)
        self.listen(kind, self.param('microphone_topic'), qos.AUDIO_ASK, guarded)
        if self.param('loudspeaker_topic'):
            self._out = self.offer(kind, self.param('loudspeaker_topic'), qos.AUDIO_OFFER)
            guarded = self._guard('audio/speech', self._on_speech)
            self.listen(msg.AudioFrame, 'audio/speech', qos.AUDIO_ASK, guarded)

    def counters(self) -> dict[str, float | str]:
        kind = self._kind.__name__ if self._kind else ''
        return {'kind': kind, **self._count, **self._guard.counters()}

    def _find_kind(self) -> type:
        package, wanted = self.param('package'), self.param('kind')
        try:
            module = importlib.import_module(f'{package}.msg')
        except ImportError as error:
            raise ImportError(
                f'the bridge needs the package {package}, which is not here ({error}); get it '
                'with: apt-get install ros-$ROS_DISTRO-audio-common-msgs'
            ) from error
        for name in _KINDS if wanted == 'auto' else (wanted,):
            if hasattr(module, name):
                return cast(type, getattr(module, name))
        raise ValueError(f'{package} has none of {", ".join(_KINDS)}')

    def _on_foreign(self, message: Any) -> None:
        sound = foreign_audio.read(message, self.param('rate'), self.param('channels'))
        length = len(sound.samples) / sound.channels / sound.rate
        t = self.clock.now() - length if not sound.t else sound.t
        self._in.publish(
            msg.AudioFrame(
                header=convert.header(t, 'microphone'),
                seq=self._count['messages_in'],
                source_seq=-1,
                sample_rate=sound.rate,
                channels=sound.channels,
                data=array.array('h', sound.samples.tobytes()),
            )
        )
        self._count['messages_in'] += 1

    def _on_speech(self, message: msg.AudioFrame) -> None:
        assert self._kind is not None
        frame = convert.frame_from_message(message)
        self._out.publish(foreign_audio.write(self._kind, frame.samples, SAMPLE_RATE, frame.t))
        self._count['messages_out'] += 1


def main(args: Sequence[str] | None = None) -> int:
    """Runs the node."""
    return run(BridgeNode, args)


if __name__ == '__main__':
    raise SystemExit(main())
