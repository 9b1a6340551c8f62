"""Follows each answer that the LLM was asked for: its text, its times, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field

from kame_ros.text.compare import normalise
from kame_ros.wire.oracle import LLM
from kame_ros.wire.turn import TurnEvent, TurnKind


@dataclass
class GenerationRecord:
    """One answer that the LLM was asked for; times in seconds on the audio clock."""

    number: int
    utterance: int
    revision: int
    transcript: str
    started_at: float
    first_word_at: float | None = None
    applied_at: float | None = None  # the front-end took its first word
    ended_at: float | None = None  # complete, stopped or failed
    spoken_at: float | None = None
    text: str = ''
    error: str = ''
    stopped: bool = False

    @property
    def applied(self) -> bool:
        """Whether its words reached the front-end."""
        return self.applied_at is not None

    @property
    def state(self) -> str:
        """`applied`: its words reached the front-end; `cancelled`: it was stopped or failed before
        it gave a word; `superseded`: a newer one took its place before it was used.
        """
        if self.applied:
            return 'applied'
        if self.first_word_at is None and (self.stopped or self.error):
            return 'cancelled'
        return 'superseded'


@dataclass
class Generations:
    """All generations of a session, from the events of the topic `turn`."""

    by_number: dict[int, GenerationRecord] = field(default_factory=dict)

    def on_event(self, event: TurnEvent) -> None:
        """Takes note of an event; those that concern no generation are passed over."""
        if event.kind == TurnKind.GENERATION_BEGUN:
            self.by_number[event.generation] = GenerationRecord(
                event.generation, event.utterance, event.revision, event.text, event.t
            )
            return
        generation = self.by_number.get(event.generation)
        if generation is None:
            return
        if event.kind == TurnKind.GENERATION_FIRST_WORD:
            generation.first_word_at = event.t
        elif event.kind == TurnKind.GENERATION_ENDED:
            generation.text, generation.ended_at = event.text, event.t
        elif event.kind == TurnKind.GENERATION_CANCELLED:
            generation.text, generation.ended_at, generation.stopped = event.text, event.t, True
        elif event.kind == TurnKind.GENERATION_FAILED:
            generation.error, generation.ended_at = event.text, event.t
        elif event.kind == TurnKind.ORACLE_APPLIED and event.source == LLM:
            if generation.applied_at is None:
                generation.applied_at = event.t
        elif event.kind == TurnKind.ORACLE_SPOKEN and event.source == LLM:
            generation.spoken_at = event.t

    def of(self, utterance: int) -> list[GenerationRecord]:
        """Those that answer an utterance, in the order in which they were begun."""
        return [g for g in self.by_number.values() if g.utterance == utterance]

    def answered(self, utterance: int, transcript: str) -> bool:
        """Whether these very words were answered already, from a partial transcript."""
        words = normalise(transcript)
        return any(g.text and normalise(g.transcript) == words for g in self.of(utterance))

    @property
    def first(self) -> int:
        """The number before the first one: numbers of a node do not begin at 1."""
        return min(self.by_number, default=1) - 1
