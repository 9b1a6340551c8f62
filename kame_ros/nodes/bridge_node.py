"""Between kame_ros and the messages of other packages: their sound, text, and people."""

from __future__ import annotations

import array
import importlib
import re
from collections.abc import Callable, Sequence
from typing import Any, cast

import kame_ros.msg as msg
from kame_ros.nodes.bridges.humans import HumanVoice
from kame_ros.nodes.bridges.raw_audio import RawAudio
from kame_ros.nodes.bridges.texts import Texts
from kame_ros.nodes.common import convert, foreign_audio, qos
from kame_ros.nodes.common.base import KameNode
from kame_ros.nodes.common.foreign_audio import ForeignSound
from kame_ros.nodes.common.run import run
from kame_ros.settings.param import PACKAGE, Param
from kame_ros.settings.values import shown
from kame_ros.wire.frame import SAMPLE_RATE, Frame

_PACKAGE = re.compile(r'[a-z][a-z0-9_]{,99}', re.ASCII)
_KINDS = ('AudioDataStamped', 'AudioStamped', 'AudioData')


class BridgeNode(KameNode):
    """Gives another node's microphone to `audio/in`, and what was played to its loudspeaker.

    The ear listens to it with `audio_capture.source: topic`. Text as std_msgs/String, the user as a
    voice of ROS4HRI, and sound for Foxglove are there where a parameter asks for them. The packages
    of the messages are needed by this node only, and only for what is asked for.
    """

    PARAMETERS = (
        Param('package', 'audio_common_msgs', 'The package of the messages.', names=PACKAGE),
        Param(
            'kind',
            'auto',
            'The message: AudioDataStamped or AudioData (ros-drivers), AudioStamped (mgonzs13), '
            'or the first of them that the package has.',
            choices=('auto', *_KINDS),
        ),
        Param(
            'microphone_topic',
            'audio',
            'Where the sound of the microphone comes from; empty, and no loudspeaker_topic: no '
            'sound is bridged, and `package` is not needed.',
        ),
        Param('loudspeaker_topic', '', 'Where the speech of the robot goes to; empty: nowhere.'),
        Param('rate', 16_000, 'Hz of messages that do not tell.', 4_000, 384_000),
        Param('channels', 1, 'Channels of messages that do not tell.', 1, 64),
        Param('say_topic', '', 'A std_msgs/String that the robot says; empty: none.'),
        Param('say_priority', 10, 'Of what comes on say_topic; the LLM has 0.'),
        Param('heard_topic', '', "Where the user's words go as std_msgs/String; empty: nowhere."),
        Param('said_topic', '', "Where the robot's words go as std_msgs/String; empty: nowhere."),
        Param(
            'humans',
            '',
            'Where the user is told as a voice of ROS4HRI (REP-155, hri_msgs), usually '
            '/humans/voices; empty: nowhere.',
        ),
        Param('voice_id', 'user', 'The name of this voice there.'),
        Param(
            'raw_audio',
            False,
            'Whether audio/mic and audio/played are there as foxglove_msgs/RawAudio, too: '
            'audio/mic/raw, audio/played/raw.',
        ),
    )

    def __init__(self, **options: Any) -> None:
        self._count = dict.fromkeys(('messages_in', 'messages_out'), 0)
        self._kind: type | None = None
        self._texts: Texts | None = None
        self._voice: HumanVoice | None = None
        self._raw: RawAudio | None = None
        super().__init__('bridge', **options)

    def load(self) -> None:
        read: Callable[[str], Any] = self.param
        self._kind = None
        if read('microphone_topic') or read('loudspeaker_topic'):
            self._bridge_sound(self._find_kind())
        told = read('say_topic'), read('heard_topic'), read('said_topic')
        self._texts = Texts(self, *told, read('say_priority')) if any(told) else None
        humans = read('humans')
        self._voice = HumanVoice(self, humans, read('voice_id')) if humans else None
        self._raw = RawAudio(self) if read('raw_audio') else None

    def counters(self) -> dict[str, float | str]:
        return {
            'kind': self._kind.__name__ if self._kind else '',
            **self._count,
            'texts_said': self._texts.spoken if self._texts else 0,
            'speech_told': self._voice.said if self._voice else 0,
            'raw_sent': self._raw.sent if self._raw else 0,
        }

    def _bridge_sound(self, kind: type) -> None:
        self._kind = kind
        if self.param('microphone_topic'):
            self._in = self.offer(msg.AudioFrame, 'audio/in', qos.AUDIO_OFFER)
            read, then = self._read_foreign, self._on_foreign
            self.listen(kind, self.param('microphone_topic'), qos.AUDIO_ASK, read, then)
        if self.param('loudspeaker_topic'):
            self._out = self.offer(kind, self.param('loudspeaker_topic'), qos.AUDIO_OFFER)
            frame = convert.frame_from_message
            self.listen(msg.AudioFrame, 'audio/speech', qos.AUDIO_ASK, frame, self._on_speech)

    def _find_kind(self) -> type:
        package, wanted = self.param('package'), self.param('kind')
        if not _PACKAGE.fullmatch(package):
            raise ValueError(f'{shown(package)} is no name of a ROS package')
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

    def _read_foreign(self, message: Any) -> ForeignSound:
        return foreign_audio.read(message, self.param('rate'), self.param('channels'))

    def _on_foreign(self, sound: ForeignSound) -> None:
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

    def _on_speech(self, frame: Frame) -> None:
        assert self._kind is not None
        self._out.publish(foreign_audio.write(self._kind, frame.samples, SAMPLE_RATE, frame.t))
        self._count['messages_out'] += 1


def main(args: Sequence[str] | None = None) -> int:
    """Runs the node."""
    return run(BridgeNode, args)


if __name__ == '__main__':
    raise SystemExit(main())
