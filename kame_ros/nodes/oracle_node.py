"""The back-end: asks an LLM, again and again, what the answer should be."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from std_msgs.msg import String
from std_srvs.srv import Trigger

import kame_ros.msg as msg
from kame_ros.nodes.common import convert, qos
from kame_ros.nodes.common.base import KameNode
from kame_ros.nodes.common.listen import as_it_is, listen_to_anyone
from kame_ros.nodes.common.run import run
from kame_ros.oracle.account import TurnAccount
from kame_ros.oracle.actions.book import ActionRequest
from kame_ros.oracle.config import OracleConfig
from kame_ros.oracle.conversation.facts import why_no_fact
from kame_ros.oracle.llm.backend import Backend, parse_backend
from kame_ros.oracle.llm.backend_names import BackendNames
from kame_ros.oracle.llm.clients.base import LlmError
from kame_ros.oracle.llm.trusted_backends import TrustedBackends
from kame_ros.oracle.make import make_backends, make_config
from kame_ros.oracle.routing.router import Embed
from kame_ros.oracle.runner import OracleRunner
from kame_ros.oracle.settings import OracleSettings, read_settings
from kame_ros.record.played_words import PlayedWords
from kame_ros.settings.param import FILE, BadParameter, Param, filled
from kame_ros.wire.frame import Frame
from kame_ros.wire.monologue import MonologueToken
from kame_ros.wire.oracle import LLM, OracleChunk
from kame_ros.wire.transcript import Transcript
from kame_ros.wire.turn import TOLD_AS, TurnEvent, TurnKind

_STOP_S = 2.0  # by then the front-end has told that it was stopped


class OracleNode(KameNode):
    """Publishes `oracle` for each `transcript`, and `action_request` where the LLM may act."""

    PARAMETERS = (
        *Param.of(BackendNames, live=True),
        *Param.of(Backend, live=True),
        *Param.of(OracleConfig, live=True),
        Param(
            'settings',
            '',
            'A YAML file with actions, routes, prices and stop words; see '
            'config/settings/oracle.yaml.',
            names=FILE,
        ),
    )
    WARN_WHEN_GROWING = (
        'faults',
        'transcripts_old',
        'held_back_s',  # grows while guesses wait, as a server has demanded
        'failed',
        'gave_up',
        'inputs_dropped',
        'actions_refused',
        'facts_dropped',
    )

    def __init__(self, **options: Any) -> None:
        self._runner: OracleRunner | None = None
        self._settings = OracleSettings()
        self._monologue = PlayedWords()
        self._books: dict[str, float | str] = {}  # of the last turn
        self._stops: deque[float] = deque(maxlen=1)  # s, when the front-end was asked to stop
        super().__init__('oracle', **options)
        self._trusted_backends = self._at_start()

    def load(self) -> None:
        self._settings = read_settings(self.param('settings'), self.trusted.files)
        config = self._config()
        self._chunks = self.offer(msg.OracleChunk, 'oracle', qos.TEXT)
        self._requests = self.offer(msg.ActionRequest, 'action_request', qos.TEXT)
        self.offer_events()
        self._interrupt = self.create_client(Trigger, 'interrupt')
        self._entities.append((self.destroy_client, self._interrupt))
        self._runner = OracleRunner(
            config,
            clock=self.clock.now,
            on_chunk=self._on_chunk,
            on_event=self._on_event,
            on_action=self._on_action,
            on_action_cancelled=self._on_action_cancelled,
            on_turn=self._on_books,
            embed=self._embedding(),
            last_generation=self.fresh_number(),
            on_fault=self.get_logger().error,
        )
        self._warm_up(self._runner)
        read = convert.transcript_from_message
        self.listen(msg.Transcript, 'transcript', qos.TEXT, read, self._on_transcript)
        word, frame = convert.monologue_from_message, convert.frame_from_message
        self.listen(msg.MonologueToken, 'monologue', qos.TEXT, word, self._on_monologue)
        self.listen(msg.AudioFrame, 'audio/played', qos.RECORD, frame, self._on_played)
        self.listen(msg.TurnEvent, 'turn', qos.TEXT, as_it_is, self._on_turn)
        self.listen(msg.ActionResult, 'action_result', qos.TEXT, as_it_is, self._on_result)
        listen_to_anyone(self, String, 'facts', _fact, self._on_fact)

    def stop(self) -> None:
        if self._runner and not self._runner.pause():
            self.get_logger().warning('an answer did not stop in time')
        self._forget_speech()

    def unload(self) -> None:
        if self._runner:
            self._runner.close()
            self._runner = None
        self._forget_speech()

    def _forget_speech(self) -> None:
        self._monologue.forget()
        self._stops.clear()

    def counters(self) -> dict[str, float | str]:
        runner = self._runner
        model = runner.config.backends[0].name if runner else self.param('backend')
        return {
            'model': model,
            **(runner.counters() if runner else {}),
            'words_unplayed': self._monologue.unplayed,
            **self._books,
        }

    def complaint(self) -> str:
        alive = self._runner is None or self._runner.alive
        return '' if alive else "the oracle's thread has ended: restart this node"

    def on_parameters(self, values: dict[str, Any]) -> None:
        if self._runner:
            self._runner.configure(self._config(values))
            return
        for text in filled(BackendNames, lambda name: values.get(name, '')).names:
            self._trusted_backends.check(self._settings.priced(parse_backend(text)))

    def _warm_up(self, runner: OracleRunner) -> None:
        """A model in this process must load; a server may come up later than the robot."""
        try:
            runner.warm_up()
        except (LlmError, TimeoutError) as error:
            if runner.config.backends[0].about.in_process:
                raise BadParameter(str(error)) from error
            self.get_logger().error(f'{error}. Until it answers, the robot says so.')

    # -- configuration --------------------------------------------------------------------

    def _config(self, changed: Mapping[str, Any] | None = None) -> OracleConfig:
        """The settings from the parameters, some of them about to change. Raises BadParameter."""

        def value(name: str) -> Any:
            return changed[name] if changed and name in changed else self.param(name)

        backends = make_backends(value, self._settings)
        for backend in backends:
            self._trusted_backends.check(backend)
        if not value('backend').strip():
            raise BadParameter('the oracle needs a backend: kind:model')
        try:
            for backend in backends:
                backend.check()
        except LlmError as error:
            raise BadParameter(str(error)) from error
        return make_config(value, backends, self._settings, self.trusted.files)

    def _at_start(self) -> TrustedBackends:
        """What the parameters of the start name, and its settings, if they can be read."""
        names = filled(BackendNames, self.param).names
        settings = OracleSettings()
        with suppress(ValueError, OSError):  # it is told when the node is configured
            settings = read_settings(self.param('settings'), self.trusted.files)
        return TrustedBackends.at_start(names, settings, self.trusted.files)

    def _embedding(self) -> Embed | None:
        if self._settings.embedding is None:
            return None
        from kame_ros.oracle.routing.embedding import MiniLm

        if isinstance(self._settings.embedding, str):
            return MiniLm.packaged()
        return MiniLm(*self._settings.embedding)

    # -- what is heard --------------------------------------------------------------------

    def _on_transcript(self, transcript: Transcript) -> None:
        assert self._runner
        self._runner.submit(transcript)

    def _on_monologue(self, token: MonologueToken) -> None:
        played = self._monologue.on_monologue(token)
        if played is not None:
            self._say_history(token, played)

    def _on_played(self, frame: Frame) -> None:
        for token in self._monologue.on_played(frame):
            self._say_history(token, frame.t)

    def _say_history(self, token: MonologueToken, played: float) -> None:
        assert self._runner
        generation = token.generation if token.source == LLM else -1
        self._runner.say_history(token.text, played, generation)

    def _on_turn(self, message: msg.TurnEvent) -> None:
        assert self._runner
        t = convert.from_time(message.header.stamp)
        if message.kind == TurnKind.BARGE_IN:
            self._runner.barge_in(t)
            # By a button or a stop word, not by a question.
            if message.source == 'interrupt' and not self._asked_for_stop():
                self._runner.interrupt('interrupted')
        elif message.kind in (TurnKind.ROBOT_SPEECH_START, TurnKind.ROBOT_SPEECH_END):
            self._runner.robot_speaks(t, message.kind == TurnKind.ROBOT_SPEECH_START)
        elif message.kind == TurnKind.TAKEN_BACK:
            self._runner.take_back(t)
        elif message.kind == TurnKind.RESET:
            self._forget_speech()
            self._runner.reset()

    def _on_fact(self, line: str) -> None:
        assert self._runner
        self._runner.learn_fact(line, self.clock.now())

    def _on_result(self, message: msg.ActionResult) -> None:
        assert self._runner
        self._runner.action_result(message.id, message.succeeded, message.text)

    # -- what is said: from the runner's thread -------------------------------------------

    def _on_chunk(self, chunk: OracleChunk) -> None:
        self._chunks.publish(convert.chunk_to_message(chunk, self.clock.now()))

    def _on_action(self, request: ActionRequest) -> None:
        self._publish_request(request, msg.ActionRequest.DO)

    def _on_action_cancelled(self, request: ActionRequest) -> None:
        self._publish_request(request, msg.ActionRequest.CANCEL)

    def _publish_request(self, request: ActionRequest, kind: int) -> None:
        self._requests.publish(
            msg.ActionRequest(
                header=convert.header(self.clock.now()),
                kind=kind,
                id=request.id,
                name=request.name,
                arguments=json.dumps(dict(request.arguments)),
                utterance=request.utterance,
                generation=request.generation,
            )
        )

    def _on_books(self, account: TurnAccount) -> None:
        books = account.as_dict()
        self._books = {f'turn_{k}': v for k, v in books.items() if v is not None}
        self.tell(
            TurnEvent(
                TurnKind.TURN_BOOKED,
                self.clock.now(),
                LLM,
                utterance=account.utterance,
                text=json.dumps(books),
            )
        )

    def _on_event(self, event: TurnEvent) -> None:
        if event.kind == TurnKind.GENERATION_FAILED:
            self.get_logger().warning(event.text, throttle_duration_sec=10.0)
        if event.kind == TurnKind.GAVE_UP:
            self.get_logger().error(f'nobody answers: {event.text}')
        if event.kind == TurnKind.STOPPED:
            self._stops.append(time.monotonic())
            self._interrupt.call_async(Trigger.Request())
        else:
            kind = TOLD_AS.get(event.kind, event.kind)
            self.tell(replace(event, kind=kind, source=LLM))

    def _asked_for_stop(self) -> bool:
        """Whether an interrupt is our own: thinking was stopped when the stop word was heard."""
        return bool(self._stops) and time.monotonic() - self._stops.popleft() < _STOP_S


def _fact(message: String) -> str:
    if problem := why_no_fact(message.data):
        raise ValueError(problem)
    return str(message.data)


def main(args: Sequence[str] | None = None) -> int:
    """Runs the node."""
    return run(OracleNode, args)


if __name__ == '__main__':
    raise SystemExit(main())
