"""The back-end: asks an LLM, again and again, what the answer should be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import kame_ros.msg as msg
from kame_ros.nodes import convert, qos
from kame_ros.nodes.base import KameNode
from kame_ros.nodes.parameters import Param
from kame_ros.nodes.run import run
from kame_ros.oracle.backend import Backend, parse_backend
from kame_ros.oracle.chunk import OracleChunk
from kame_ros.oracle.config import OracleConfig
from kame_ros.oracle.event import OracleEvent, OracleEventKind
from kame_ros.oracle.policy_config import PolicyConfig
from kame_ros.oracle.prompt import PromptConfig
from kame_ros.oracle.runner import OracleRunner

_UNPLAYED_BOUND = 250  # speech frames: monologue that is not played within 20 s never is


class OracleNode(KameNode):
    """Publishes `oracle` for each `transcript`."""

    PARAMETERS = (
        Param(
            'backend',
            'embedded:smollm2-135m-instruct',
            'Who answers, as kind:model or kind:model@url; kinds: embedded, ollama, openai, '
            'anthropic, gemini.',
            live=True,
        ),
        Param('fallback', '', 'Who answers when the first one does not; empty: nobody.', live=True),
        Param(
            'answer_partials',
            True,
            'Whether to think while the user still speaks; if not, only final transcripts count.',
            live=True,
        ),
        Param('max_words', 30, 'An answer is cut at a sentence before it gets longer.', 1, 500),
    )
    WARN_WHEN_GROWING = ('failed', 'gave_up', 'oracle_dropped')

    def __init__(self, **options: Any) -> None:
        self._runner: OracleRunner | None = None
        self._said: dict[int, str] = {}  # speech frame -> monologue that was not yet played
        super().__init__('oracle', **options)

    def load(self) -> None:
        config = self._config()
        config.backends[0].check()
        self._first = self.fresh_number()
        self._chunks = self.offer(msg.OracleChunk, 'oracle', qos.TEXT)
        self.offer_events()
        self._runner = OracleRunner(
            config, clock=self.clock.now, on_chunk=self._on_chunk, on_event=self._on_event
        )
        self._runner.warm_up()
        self.listen(msg.Transcript, 'transcript', qos.TEXT, self._on_transcript)
        self.listen(msg.MonologueToken, 'monologue', qos.TEXT, self._on_monologue)
        self.listen(msg.AudioFrame, 'audio/played', qos.AUDIO_ASK, self._on_played)
        self.listen(msg.TurnEvent, 'turn', qos.TEXT, self._on_turn)

    def unload(self) -> None:
        if self._runner:
            self._runner.close()
            self._runner = None

    def counters(self) -> dict[str, float | str]:
        runner = self._runner
        return {'model': self.param('backend'), **(runner.counters() if runner else {})}

    def on_parameter(self, name: str, value: Any) -> None:
        if self._runner:
            config = self._config({name: value})
            config.backends[0].check()
            self._runner.configure(config)

    def _config(self, changed: dict[str, Any] | None = None) -> OracleConfig:
        def value(name: str) -> Any:
            return (changed or {}).get(name, self.param(name))

        backends: list[Backend] = [
            parse_backend(text) for text in (value('backend'), value('fallback')) if text
        ]
        return OracleConfig(
            tuple(backends),
            policy=PolicyConfig(answer_partials=value('answer_partials')),
            prompt=PromptConfig(),
            max_words=value('max_words'),
        )

    def _on_transcript(self, message: msg.Transcript) -> None:
        assert self._runner
        self._runner.submit(convert.transcript_from_message(message))

    def _on_monologue(self, message: msg.MonologueToken) -> None:
        self._said[message.seq] = self._said.get(message.seq, '') + message.text
        while len(self._said) > _UNPLAYED_BOUND:
            del self._said[next(iter(self._said))]

    def _on_played(self, message: msg.AudioFrame) -> None:
        text = self._said.pop(message.source_seq, '')
        if text and self._runner:
            self._runner.say_history(text, convert.from_time(message.header.stamp))

    def _on_turn(self, message: msg.TurnEvent) -> None:
        assert self._runner
        if message.kind == msg.TurnEvent.BARGE_IN:
            self._runner.cut_history(convert.from_time(message.header.stamp))
            self._runner.interrupt(f'barge-in by {message.source}')
        elif message.kind == msg.TurnEvent.RESET:
            self._runner.reset()

    def _on_chunk(self, chunk: OracleChunk) -> None:
        chunk = replace(chunk, generation=self._first + chunk.generation)
        self._chunks.publish(convert.chunk_to_message(chunk, self.clock.now()))

    def _on_event(self, event: OracleEvent) -> None:
        if event.kind == OracleEventKind.FAILED:
            self.get_logger().warning(event.text, throttle_duration_sec=10.0)
        if event.kind == OracleEventKind.GAVE_UP:
            self.get_logger().error(f'nobody answers: {event.text}')
            return
        if event.kind >= 100:
            return
        self.tell(
            int(event.kind),
            event.t,
            source='llm',
            generation=self._first + event.generation if event.generation >= 0 else -1,
            utterance=event.utterance,
            revision=event.revision,
            text=event.text,
        )


def main(args: Sequence[str] | None = None) -> int:
    """Runs the node."""
    return run(OracleNode, args)


if __name__ == '__main__':
    raise SystemExit(main())
