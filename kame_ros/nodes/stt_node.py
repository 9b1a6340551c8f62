"""Speech-to-text: hears the user and publishes what is said, while it is said."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Sequence
from typing import Any

from std_msgs.msg import String

import kame_ros.msg as msg
from kame_ros.nodes.common import convert, qos
from kame_ros.nodes.common.base import KameNode
from kame_ros.nodes.common.listen import as_it_is
from kame_ros.nodes.common.run import run
from kame_ros.runtime.inbox import Inbox
from kame_ros.runtime.owner import OwnerThread
from kame_ros.settings.param import BadParameter, Param, filled
from kame_ros.stt import engines
from kame_ros.stt.config import TranscriberConfig
from kame_ros.stt.make import speech_to_text
from kame_ros.stt.recogniser import RecogniserError, ServerError
from kame_ros.stt.speech_to_text import Output, SpeechToText
from kame_ros.stt.typed import LONGEST, TypedTexts
from kame_ros.text.heard import clean_heard
from kame_ros.text.language import limits
from kame_ros.turns.sentence_end import knows
from kame_ros.turns.vad import SileroVad
from kame_ros.wire.frame import Frame
from kame_ros.wire.turn import TurnEvent, TurnKind

_MIC_BOUND = 750  # frames: a minute, as long as a slow machine may lag before sound is lost
_PLAYED_BOUND = 64  # frames: 5 s, as far back as the robot's own voice is known
_ENDS_BOUND = 4  # ends of turns: only the newest is of use
_TYPED_BOUND = 8  # texts
_POLL_S = 0.2


class SttNode(KameNode):
    """Publishes `transcript` for what is heard on `audio/mic`."""

    PARAMETERS = (
        Param(
            'engine',
            'whisper',
            'What recognises speech: Whisper on this machine, a server, or what a package brings.',
            choices=engines.names(),
        ),
        *Param.of(engines.EngineSettings),
        *Param.of(TranscriberConfig),
    )
    WARN_WHEN_GROWING = ('frames_dropped', 'dropped_s', 'undecoded', 'failed', 'gaps', 'bad_frames')

    def __init__(self, **options: Any) -> None:
        self._transcriber: SpeechToText | None = None
        self._thread: OwnerThread | None = None
        self._mic: Inbox[Frame] = Inbox(_MIC_BOUND)
        self._played: Inbox[Frame] = Inbox(_PLAYED_BOUND)
        self._turn_ends: Inbox[float] = Inbox(_ENDS_BOUND)
        self._written: Inbox[str] = Inbox(_TYPED_BOUND, drop='newest')
        self._typed = TypedTexts(0)
        super().__init__('stt', **options)
        self._named_at_start = self.param('engine'), self.param('model')

    def load(self) -> None:
        self._tell_of_language(self.param('language'))
        self._transcriber = speech_to_text(
            self.param('engine'),
            filled(
                engines.EngineSettings,
                self.param,
                may_fetch=(self.param('engine'), self.param('model')) == self._named_at_start,
            ),
            SileroVad(),
            filled(TranscriberConfig, self.param),
        )
        self._warm_up(self._transcriber)
        self._typed = TypedTexts(self.fresh_number())
        self._transcripts = self.offer(msg.Transcript, 'transcript', qos.TEXT)
        self.offer_events()
        read = convert.frame_from_message
        self.listen(msg.AudioFrame, 'audio/mic', qos.AUDIO_ASK, read, self._on_mic)
        self.listen(msg.AudioFrame, 'audio/played', qos.AUDIO_ASK, read, self._on_played)
        self.listen(msg.TurnEvent, 'turn', qos.TEXT, as_it_is, self._on_turn)
        self.listen(String, 'typed', qos.TEXT, _text, self._on_typed)

    def start(self) -> None:
        self._mic.open()
        self._thread = self.owner('transcriber', self._transcribe)
        self._thread.start()

    def stop(self) -> None:
        if self._thread:
            self._mic.close()
            self._thread.stop()
            self._thread = None

    def unload(self) -> None:
        self._transcriber = None

    def counters(self) -> dict[str, float | str]:
        transcriber = self._transcriber
        return {
            'model': self.param('model'),
            'engine': self.param('engine'),
            **self._mic.counters('frames'),
            'played_dropped': self._played.dropped,
            'turn_ends_dropped': self._turn_ends.dropped,
            'texts_typed': self._typed.given,
            'texts_dropped': self._typed.dropped + self._written.dropped,
            **(transcriber.counters() if transcriber else {}),
        }

    def _tell_of_language(self, language: str) -> None:
        if limited := limits(language, knows(language)):
            self.get_logger().warning(limited)

    def _warm_up(self, transcriber: SpeechToText) -> None:
        """A model in this process must load; a server may come up later than the robot."""
        try:
            transcriber.warm_up()
        except ServerError as error:
            why = str(error).rstrip('.')
            self.get_logger().error(f'{why}. Until the server answers, nothing is understood.')
        except RecogniserError as error:
            raise BadParameter(str(error)) from error

    def _on_mic(self, frame: Frame) -> None:
        self._mic.put(frame)

    def _on_played(self, frame: Frame) -> None:
        self._played.put(frame)

    def _on_turn(self, message: msg.TurnEvent) -> None:
        if message.kind == TurnKind.TURN_ENDED:
            self._turn_ends.put(convert.from_time(message.header.stamp))

    def _on_typed(self, text: str) -> None:
        self._written.put(text)

    def _transcribe(self, stop: threading.Event) -> None:
        transcriber = self._transcriber
        assert transcriber is not None
        while not stop.is_set():
            first = None if transcriber.busy else self._mic.get(_POLL_S)
            for frame in self._played.drain():
                transcriber.played(frame)
            for t in self._turn_ends.drain():
                transcriber.end_turn(t)
            for frame in ([first] if first else []) + self._mic.drain():
                self._publish(transcriber.feed(frame))
            self._publish(transcriber.work())
            self._publish_typed()
            self._complain(transcriber)
        self._publish(transcriber.reset())  # what was begun gets its final

    def _complain(self, transcriber: SpeechToText) -> None:
        if error := transcriber.take_error():
            self.get_logger().warning(f'the recogniser failed: {error}', throttle_duration_sec=10.0)

    def _publish_typed(self) -> None:
        for text in self._written.drain():
            self._typed.put(text)
        now = self.clock.now()
        for transcript in self._typed.take(now):
            self._transcripts.publish(convert.transcript_to_message(transcript, now))

    def _publish(self, outputs: list[Output]) -> None:
        for output in outputs:
            number = self._typed.number(output)
            if isinstance(output, TurnEvent):
                self.tell(dataclasses.replace(output, utterance=number))
                continue
            transcript = dataclasses.replace(output, utterance=number)
            self._transcripts.publish(convert.transcript_to_message(transcript, self.clock.now()))
            if output.final and not output.text:  # partials that the final takes back
                self.tell(TurnEvent(TurnKind.SILENT, output.end, utterance=number))


def _text(message: String) -> str:
    text = ' '.join(clean_heard(message.data).split())
    if not 0 < len(text) <= LONGEST:
        raise ValueError(f'a text of {len(message.data)} characters is no utterance')
    return text


def main(args: Sequence[str] | None = None) -> int:
    """Runs the node."""
    return run(SttNode, args)


if __name__ == '__main__':
    raise SystemExit(main())
