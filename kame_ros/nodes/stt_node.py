"""Speech-to-text: hears the user and publishes what is said, while it is said."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import kame_ros.msg as msg
from kame_ros.audio.frame import Frame
from kame_ros.audio.speech_gate import GateConfig
from kame_ros.audio.vad import SileroVad
from kame_ros.inbox import Inbox
from kame_ros.nodes import convert, qos
from kame_ros.nodes.base import KameNode
from kame_ros.nodes.parameters import BadParameter, Param
from kame_ros.nodes.run import run
from kame_ros.owner import OwnerThread
from kame_ros.stt.echo import EchoConfig
from kame_ros.stt.recogniser import Recogniser, RecogniserError
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
        Param(
            'model',
            'whisper-base',
            "A packaged model, a Whisper model by name, a folder, or the server's name for it.",
        ),
        Param('language', 'en', 'Code such as en; empty: detected anew in each decode.'),
        Param(
            'device',
            'cpu',
            'Where Whisper runs, if it is on this machine.',
            choices=('cpu', 'cuda', 'auto'),
        ),
        Param('compute_type', '', "CTranslate2's number format, such as int8; empty: what fits."),
        Param('base_url', '', "Address of a transcription server; empty: OpenAI's."),
        Param(
            'key_variable',
            'OPENAI_API_KEY',
            'Name of the environment variable that holds the key of the server.',
        ),
        Param('timeout_s', 5.0, 'How long to wait for the server, in seconds.', 0.1, 60.0),
        Param('step_s', 0.32, 'Time between two partial transcripts, in seconds.', 0.1, 10.0),
        Param(
            'end_of_speech_s',
            0.4,
            'An utterance ends after so many seconds of silence.',
            0.2,
            5.0,
        ),
        Param('speech_threshold', 0.5, 'Probability from which sound is a voice.', 0.1, 0.95),
        Param('beam', 5, 'Beam of the final decode; partial ones are greedy.', 1, 10),
        Param('window_s', 15.0, 'Sound that Whisper hears at once, in seconds.', 4.0, 30.0),
        Param('threads', 1, 'Threads of Whisper; two on busy cores are slower.', 1, 64),
        Param('word_times', False, 'Whether transcripts carry the time of each word.'),
        Param('echo_guard', True, "Whether to tell the robot's own voice from the user's."),
        Param(
            'echo_margin_db',
            6.0,
            'The user is heard over the robot from so far above its expected echo.',
            0.0,
            40.0,
        ),
    )
    WARN_WHEN_GROWING = ('frames_dropped', 'dropped_s', 'undecoded', 'failed', 'gaps', 'bad_frames')

    def __init__(self, **options: Any) -> None:
        self._transcriber: Transcriber | None = None
        self._thread: OwnerThread | None = None
        self._mic: Inbox[Frame] = Inbox(_MIC_BOUND)
        self._played: Inbox[Frame] = Inbox(25)
        self._bad = 0
        super().__init__('stt', **options)

    def load(self) -> None:
        self._transcriber = Transcriber(self._make_recogniser(), SileroVad(), self._config())
        self._warm_up(self._transcriber)
        self._first = self.fresh_number()
        self._transcripts = self.offer(msg.Transcript, 'transcript', qos.TEXT)
        self.offer_events()
        self.listen(msg.AudioFrame, 'audio/mic', qos.AUDIO_ASK, self._on_mic)
        self.listen(msg.AudioFrame, 'audio/played', qos.AUDIO_ASK, self._on_played)

    def start(self) -> None:
        self._mic = Inbox(_MIC_BOUND)
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
            'bad_frames': self._bad,
            **self._mic.counters('frames'),
            **(transcriber.counters() if transcriber else {}),
        }

    def _warm_up(self, transcriber: Transcriber) -> None:
        """A model in this process must load; a server may come up later than the robot."""
        try:
            transcriber.warm_up()
        except RecogniserError as error:
            if self.param('engine') != 'remote':
                raise BadParameter(str(error)) from error
            why = str(error).rstrip('.')
            self.get_logger().error(f'{why}. Until the server answers, nothing is understood.')

    def _config(self) -> TranscriberConfig:
        enter = self.param('speech_threshold')
        return TranscriberConfig(
            step=self.param('step_s'),
            words=self.param('word_times'),
            gate=GateConfig(
                enter=enter, leave=0.7 * enter, min_silence=self.param('end_of_speech_s')
            ),
            echo=EchoConfig(
                enabled=self.param('echo_guard'),
                margin=self.param('echo_margin_db'),
                enter=max(enter, EchoConfig().enter),
            ),
        )

    def _make_recogniser(self) -> Recogniser:
        if self.param('engine') == 'remote':
            from kame_ros.stt.remote import RemoteRecogniser

            return RemoteRecogniser(
                self.param('model'),
                base_url=self.param('base_url'),
                language=self.param('language'),
                key_variable=self.param('key_variable'),
                timeout=self.param('timeout_s'),
            )
        from kame_ros.stt.whisper import WhisperRecogniser

        return WhisperRecogniser(
            self.param('model'),
            language=self.param('language'),
            device=self.param('device'),
            compute_type=self.param('compute_type'),
            threads=self.param('threads'),
            window=self.param('window_s'),
            beam=self.param('beam'),
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
            self._complain(transcriber)
        self._publish(transcriber.reset())  # what was begun gets its final

    def _complain(self, transcriber: Transcriber) -> None:
        if error := transcriber.take_error():
            self.get_logger().warning(f'the recogniser failed: {error}', throttle_duration_sec=10.0)

    def _publish(self, outputs: list[Output]) -> None:
        for output in outputs:
            number = self._first + output.utterance
            if isinstance(output, SpeechEvent):
                self.tell(_KINDS[output.kind], output.t, utterance=number)
                continue
            transcript = replace(output, utterance=number)
            self._transcripts.publish(convert.transcript_to_message(transcript, self.clock.now()))
            if output.final and not output.text:  # partials that the final takes back
                self.tell(msg.TurnEvent.SILENT, output.end, utterance=number)


def main(args: Sequence[str] | None = None) -> int:
    """Runs the node."""
    return run(SttNode, args)


if __name__ == '__main__':
    raise SystemExit(main())
