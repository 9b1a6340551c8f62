"""What became of each generation of the oracle."""

from __future__ import annotations

from dataclasses import dataclass, field

from kame_ros.dialogue.happening import Kind, TurnEvent
from kame_ros.oracle.words import normalise

LLM = 'llm'


@dataclass
class Generation:
    """One answer that the LLM was asked for; times in seconds on the audio clock."""

    number: int
    utterance: int
    revision: int
    transcript: str
    started_at: float
    first_word_at: float | None = None
    text: str = ''
    error: str = ''
    applied: bool = False
    stopped: bool = False

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

    by_number: dict[int, Generation] = field(default_factory=dict)

    def on_event(self, event: TurnEvent) -> None:
        """Takes note of an event; those that concern no generation are passed over."""
        if event.kind == Kind.GENERATION_BEGUN:
            self.by_number[event.generation] = Generation(
                event.generation, event.utterance, event.revision, event.text, event.t
            )
            return
        generation = self.by_number.get(event.generation)
        if generation is None:
            return
        if event.kind == Kind.GENERATION_FIRST_WORD:
            generation.first_word_at = event.t
        elif event.kind == Kind.GENERATION_ENDED:
            generation.text = event.text
        elif event.kind == Kind.GENERATION_CANCELLED:
            generation.text, generation.stopped = event.text, True
        elif event.kind == Kind.GENERATION_FAILED:
            generation.error = event.text
        elif event.kind == Kind.ORACLE_APPLIED and event.source == LLM:
            generation.applied = True

    def of(self, utterance: int) -> list[Generation]:
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
