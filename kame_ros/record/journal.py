"""All that is said of a conversation on its topics, line by line, to be looked at afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kame_ros.consumers.consumer import Consumer
from kame_ros.record.played_words import PlayedWords
from kame_ros.wire.frame import Frame
from kame_ros.wire.monologue import MonologueToken
from kame_ros.wire.oracle import OracleChunk
from kame_ros.wire.transcript import Transcript
from kame_ros.wire.turn import TurnEvent

MOST_LINES = 100_000  # of one conversation; what comes after is counted


class Journal(Consumer):
    """Notes events, revisions of transcripts, oracles and monologue with their times."""

    def __init__(self) -> None:
        self._lines: list[tuple[float, dict[str, Any]]] = []
        self._words = PlayedWords(bounded=False)
        self._played_at: dict[tuple[int, float], float] = {}  # by the frame of the speech
        self._now = 0.0  # of the newest frame heard
        self.left_out = 0

    def on_mic(self, frame: Frame) -> None:
        """Time goes on."""
        self._now = max(self._now, frame.end)

    def on_played(self, frame: Frame) -> None:
        """When a frame of the speech left the loudspeaker."""
        for token in self._words.on_played(frame):
            self._played_at[token.seq, token.t] = frame.t

    def on_transcript(self, transcript: Transcript) -> None:
        """A revision: noted when it came; `end` is that of its sound."""
        self._note(
            self._now,
            topic='transcript',
            utterance=transcript.utterance,
            revision=transcript.revision,
            text=transcript.text,
            final=transcript.final,
            start=transcript.start,
            end=transcript.end,
        )

    def on_oracle(self, chunk: OracleChunk) -> None:
        """A piece of an oracle."""
        self._note(
            self._now,
            topic='oracle',
            source=chunk.source,
            generation=chunk.generation,
            kind=chunk.kind.name,
            text=chunk.text,
        )

    def on_monologue(self, token: MonologueToken) -> None:
        """Words, with the frame of the speech in which they begin."""
        self._note(token.t, topic='monologue', seq=token.seq, text=token.text, source=token.source)
        played = self._words.on_monologue(token)
        if played is not None:
            self._played_at[token.seq, token.t] = played

    def on_turn(self, event: TurnEvent) -> None:
        """An event."""
        self._note(
            event.t,
            topic='turn',
            kind=event.kind.name,
            source=event.source,
            generation=event.generation,
            utterance=event.utterance,
            text=event.text,
        )

    def lines(self, t0: float) -> Iterator[dict[str, Any]]:
        """In the order of time, which is in seconds from `t0`; what was before it is left out."""
        for t, line in sorted(self._lines, key=lambda pair: pair[0]):
            if t < t0:
                continue
            told = {'t': round(t - t0, 3), **line}
            for name in ('start', 'end'):
                if name in told:
                    told[name] = round(told[name] - t0, 3)
            if line['topic'] == 'monologue':
                played = self._played_at.get((line['seq'], t))
                told['played_at'] = None if played is None else round(played - t0, 3)
            yield told

    def _note(self, t: float, **line: Any) -> None:
        if len(self._lines) >= MOST_LINES:
            self.left_out += 1
            return
        self._lines.append((t, line))
