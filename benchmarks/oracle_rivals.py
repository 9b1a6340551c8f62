"""The two restart policies of the KAME reference server, as described, on a virtual clock.

Both answer the same events with the same decisions as kame_ros' `OraclePolicy`, so that
one simulation runs all three.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kame_ros.oracle.policy.decision import Adopt, Cancel, Decision, Start
from kame_ros.text.compare import word_count
from kame_ros.wire.transcript import Transcript


@dataclass
class PollCancel:
    """SakanaAI/kame server_oracle.py, first version: looks every 0.5 s, and cancels to restart.

    Nothing running: any pending text, or a final, starts. Running: two new words of any kind, or a
    final, cancel the stream at once and start another. At most 5 starts in 2 s.
    """

    phase: float = 0.0  # s, of the polls
    _next: float = field(init=False)
    _gen: int = 0
    _running: int | None = None
    _pending: Transcript | None = None
    _text: Transcript | None = None
    _bump: bool = False
    _words: int = 0
    _starts: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._next = self.phase

    def on_transcript(self, t: float, transcript: Transcript) -> list[Decision]:
        self._text = transcript
        self._pending = None if transcript.final else transcript
        self._bump = self._bump or transcript.final
        return []

    def on_tick(self, t: float) -> list[Decision]:
        if t < self._next:
            return []
        self._next += 0.5
        bump, self._bump = self._bump, False
        if self._text is None:
            return []
        words = word_count(self._text.text)
        if self._running is None:
            wanted = (self._pending is not None and words > 0) or bump
        else:
            wanted = bump or words - self._words >= 2
        self._starts = [s for s in self._starts if s > t - 2.0]
        if not wanted or len(self._starts) >= 5:
            return []
        decisions: list[Decision] = []
        if self._running is not None:
            decisions.append(Cancel(self._running, 'restart'))
        self._gen += 1
        self._running, self._words = self._gen, words
        self._starts.append(t)
        said = self._text
        start = Start(self._gen, said.text, said.utterance, said.revision, said.final)
        return [*decisions, start]

    def on_first_word(self, t: float, gen: int) -> list[Decision]:
        return [Adopt(gen)] if gen == self._running else []

    def on_piece(self, t: float, gen: int, words: int) -> list[Decision]:
        return []

    def on_end(self, t: float, gen: int) -> list[Decision]:
        if gen == self._running:
            self._running = None
        return []

    def next_deadline(self) -> float | None:
        return self._next


@dataclass
class Multiplexer:
    """SakanaAI/kame, later version: up to 7 streams, the newest to give a token is adopted.

    Each new text may start a stream, 0.5 s apart, the last one when the gap is over; a final
    starts at once, unless the identical partial was asked already.
    """

    gap: float = 0.5
    streams: int = 7
    _gen: int = 0
    _running: list[int] = field(default_factory=list)
    _pending: Transcript | None = None
    _asked: str = ''
    _last: float = float('-inf')

    def on_transcript(self, t: float, transcript: Transcript) -> list[Decision]:
        if not transcript.text or transcript.text == self._asked:
            return []
        self._pending = transcript
        return self.on_tick(t)

    def on_tick(self, t: float) -> list[Decision]:
        said = self._pending
        if said is None or len(self._running) >= self.streams:
            return []
        if not said.final and t < self._last + self.gap:
            return []
        self._gen += 1
        self._running.append(self._gen)
        self._pending, self._asked, self._last = None, said.text, t
        return [Start(self._gen, said.text, said.utterance, said.revision, said.final)]

    def on_first_word(self, t: float, gen: int) -> list[Decision]:
        older = [g for g in self._running if g < gen]
        self._running = [g for g in self._running if g >= gen]
        return [Adopt(gen), *(Cancel(g, 'superseded') for g in older), *self.on_tick(t)]

    def on_piece(self, t: float, gen: int, words: int) -> list[Decision]:
        return []

    def on_end(self, t: float, gen: int) -> list[Decision]:
        self._running = [g for g in self._running if g != gen]
        return self.on_tick(t)

    def next_deadline(self) -> float | None:
        if self._pending is None or len(self._running) >= self.streams:
            return None
        return self._last + self.gap
