"""What the oracle says, as chunks, and what it tells of itself, as events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kame_ros.oracle.outputs import Outputs
from kame_ros.oracle.policy.decision import Start
from kame_ros.wire.oracle import LLM, ChunkKind, OracleChunk
from kame_ros.wire.turn import TurnEvent, TurnKind


class OracleVoice:
    """One source on the oracle topic. Only the adopted generation is heard."""

    def __init__(self, outputs: Outputs, clock: Callable[[], float]) -> None:
        self.words = 0
        self._out = outputs
        self._clock = clock
        self._adopted: Start | None = None
        self._last = ''  # what it said last

    def adopt(self, ask: Start) -> None:
        """From now on this generation speaks."""
        self._adopted, self._last = ask, ''
        self.tell(TurnKind.GENERATION_FIRST_WORD, ask)
        self._send(ChunkKind.BEGIN)

    def say(self, gen: int, words: list[str]) -> None:
        """Words of a generation; those of any other than the adopted one are not heard."""
        if self.is_adopted(gen):
            self.words += len(words)
            self._last = words[-1]
            self._send(ChunkKind.TEXT, ''.join(words))

    def end(self, gen: int | None = None) -> None:
        """The generation (None: the adopted one) is complete."""
        if gen is None or self.is_adopted(gen):
            self._send(ChunkKind.END)

    def break_off(self, apology: str) -> None:
        """The adopted generation will not be completed: a sentence without its end is excused."""
        if apology.strip() and not self._last.rstrip('"\')').endswith(
            ('.', '!', '?', '。', '！', '？')
        ):
            self._send(ChunkKind.TEXT, f'. {apology}')
        self._send(ChunkKind.END)

    def clear(self) -> None:
        """Takes back what is not yet spoken."""
        self._send(ChunkKind.CLEAR)
        self._adopted = None

    def is_adopted(self, gen: int) -> bool:
        """Whether this generation speaks."""
        return self._adopted is not None and self._adopted.gen == gen

    def tell(self, kind: TurnKind, ask: Start | None = None, text: str = '', why: str = '') -> None:
        """Something happened, to what was asked if that is given."""
        event = TurnEvent(kind, self._clock(), text=text, why=why)
        if ask:
            event = replace(
                event, generation=ask.gen, utterance=ask.utterance, revision=ask.revision
            )
        self._out.on_event(event)

    def _send(self, kind: ChunkKind, text: str = '') -> None:
        ask = self._adopted
        if ask is not None:
            self._out.on_chunk(
                OracleChunk(LLM, ask.gen, kind, text, 0, ask.utterance, ask.revision)
            )
