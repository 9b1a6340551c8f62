"""Speech-to-text: hears the user and publishes what is said, while it is said."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import kame_ros.msg as msg
from kame_ros.audio.frame import Frame
from kame_ros.audio.vad import SileroVad
from kame_ros.inbox import Inbox
from kame_ros.nodes import convert, qos
from kame_ros.nodes.base import KameNode
from kame_ros.nodes.parameters import Param
from kame_ros.nodes.run import run
from kame_ros.owner import OwnerThread
from kame_ros.stt.recogniser import Recogniser
from kame_ros.stt.transcriber import (
    Output,
    SpeechEvent,
    SpeechKind,
    Transcriber,
    TranscriberConfig,
)

_MIC_BOUND = 750  # frames: a minute, as long as a slow machine may lag before sound is lost
_POLL_S = 0.2
_KINDS = {
    SpeechKind.START: msg.TurnEvent.USER_SPEECH_START,
    SpeechKind.END: msg.TurnEvent.USER_SPEECH_END,
    SpeechKind.NOISE: msg.TurnEvent.SILENT,
}


class SttNode(KameNode):
    """Publishes `transcript` for what is heard on `audio/mic`."""

    PARAMETERS = (
        Param(
            'engine',
            'whisper',
            'What recognises speech: Whisper on this machine, or a server.',
            choices=('whisper', 'remote'),
        ),
        Param('model', 'whisper-base', 'A packaged model, a Whisper model by name, or a folder.'),
        Param('language', 'en', 'Code of two letters; empty: detected for each utterance.'),
        Param('device', 'cpu', 'Where Whisper runs.', choices=('cpu', 'cuda', 'auto')),
        Param('compute_type', '', "CTranslate2's number format, such as int8; empty: what fits."),
        Param('base_url', '', 'Address of an OpenAI-compatible transcription server.'),
        Param('step_s', 0.5, 'Time between two partial transcripts, in seconds.', 0.1, 10.0),
        Param('word_times', False, 'Whether transcripts carry the time of each word.'),
    )
    WARN_WHEN_GROWING = ('frames_dropped', 'dropped_s', 'failed', 'gaps', 'bad_frames')

    def __init__(self, **options: Any) -> None:
        self._transcriber: Transcriber | None = None
        self._thread: OwnerThread | None = None
        self._mic: Inbox[Frame] = Inbox(_MIC_BOUND)
        self._played: Inbox[Frame] = Inbox(25)
        self._bad = 0
        super().__init__('stt', **options)

    def load(self) -> None:
        config = TranscriberConfig(step=self.param('step_s'), words=self.param('word_times'))
        self._transcriber = Transcriber(self._make_recogniser(), SileroVad(), config)
        self._transcriber.warm_up()
        self._transcripts = self.offer(msg.Transcript, 'transcript', qos.TEXT)
        self.offer_events()
        self.listen(msg.AudioFrame, 'audio/mic', qos.AUDIO_ASK, self._on_mic)
        self.listen(msg.AudioFrame, 'audio/played', qos.AUDIO_ASK, self._on_played)

    def start(self) -> None:
        self._mic = Inbox(_MIC_BOUND)
        self._thread = OwnerThread('transcriber', self._transcribe, self.fail)
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
            'bad_frames': self._bad,
            **self._mic.counters('frames'),
            **(transcriber.counters() if transcriber else {}),
        }

    def _make_recogniser(self) -> Recogniser:
        if self.param('engine') == 'remote':
            from kame_ros.stt.remote import RemoteRecogniser

            return RemoteRecogniser(
                self.param('model'),
                base_url=self.param('base_url'),
                language=self.param('language'),
            )
        from kame_ros.stt.whisper import WhisperRecogniser

        return WhisperRecogniser(
            self.param('model'),
            language=self.param('language'),
            device=self.param('device'),
            compute_type=self.param('compute_type'),
        )

    def _on_mic(self, message: msg.AudioFrame) -> None:
        self._put(self._mic, message)

    def _on_played(self, message: msg.AudioFrame) -> None:
        self._put(self._played, message)

    def _put(self, inbox: Inbox[Frame], message: msg.AudioFrame) -> None:
        try:
            inbox.put(convert.frame_from_message(message))
        except ValueError as error:
            self._bad += 1
            self.get_logger().error(str(error), once=True)

    def _transcribe(self, stop: threading.Event) -> None:
        transcriber = self._transcriber
        assert transcriber is not None
        while not stop.is_set():
            first = None if transcriber.busy else self._mic.get(_POLL_S)
            for frame in self._played.drain():
                transcriber.played(frame)
            for frame in ([first] if first else []) + self._mic.drain():
                self._publish(transcriber.feed(frame))
            self._publish(transcriber.work())

    def _publish(self, outputs: list[Output]) -> None:
        for output in outputs:
            if isinstance(output, SpeechEvent):
                self.tell(_KINDS[output.kind], output.t, utterance=output.utterance)
            else:
                self._transcripts.publish(convert.transcript_to_message(output, self.clock.now()))


def main(args: Sequence[str] | None = None) -> int:
    """Runs the node."""
    return run(SttNode, args)


if __name__ == '__main__':
    raise SystemExit(main())
