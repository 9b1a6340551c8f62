"""What a turn cost and how old the answer was."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from kame_ros.oracle.conversation.history import estimate_tokens
from kame_ros.oracle.llm.backend import Backend
from kame_ros.oracle.llm.clients.base import Usage
from kame_ros.oracle.policy.decision import Start
from kame_ros.text.compare import normalise
from kame_ros.wire.transcript import Transcript

_MOST_TOKENS = 1e9  # of one answer


@dataclass
class TurnAccount:
    """The books of one utterance of the user.

    `first_word_s`: from the end of the user's speech to the first word of the first answer to all
    of it: the LLM was asked what the final transcript says. Here the end is the recogniser's; a
    record, which has the sound, measures it there, as it does for the latency.
    `stale_words`: words of the user that the first spoken answer did not know of. Tokens include
    those of cancelled generations; where a server did not tell them, they are estimated.
    """

    utterance: int
    started: int = 0
    applied: int = 0
    cancelled: int = 0
    superseded: int = 0
    failed: int = 0
    tokens_in: int = 0
    tokens_cached: int = 0
    tokens_out: int = 0
    estimated: int = 0  # generations whose tokens were estimated
    cost: float = 0.0
    first_word_s: float | None = None
    stale_words: int | None = None
    _asked: dict[int, str] = field(default_factory=dict)  # generation -> what it was asked
    _said: str | None = None
    _ended: float = 0.0
    _first_words: dict[int, float] = field(default_factory=dict)
    _spoken: int | None = None

    def on_final(self, transcript: Transcript) -> None:
        """The user has finished."""
        self._said = normalise(transcript.text)
        self._ended = transcript.end
        for gen, t in self._first_words.items():
            self._note_first_word(gen, t)
        self._note_staleness()

    def on_start(self, ask: Start) -> None:
        """A generation was asked."""
        self.started += 1
        if not ask.follow_up:
            self._asked[ask.gen] = normalise(ask.text)

    def on_first_word(self, t: float, gen: int) -> None:
        """A generation became the oracle."""
        self.applied += 1
        self._first_words[gen] = t
        self._note_first_word(gen, t)

    def on_cancel(self, why: str) -> None:
        """A generation was stopped."""
        self.cancelled += 1
        self.superseded += why == 'superseded'

    def on_spoken(self, gen: int) -> None:
        """The robot says words of this generation."""
        if self._spoken is None and gen in self._asked:
            self._spoken = gen
            self._note_staleness()

    def on_usage(self, backend: Backend, prompt: str, answer: str, usage: Usage) -> None:
        """The tokens of a generation, complete or not."""
        tokens_in, tokens_out = _told(usage.tokens_in), _told(usage.tokens_out)
        self.estimated += min(tokens_in, tokens_out) < 0
        tokens_in = tokens_in if tokens_in >= 0 else estimate_tokens(prompt)
        tokens_out = tokens_out if tokens_out >= 0 else len(answer) // 4
        cached = min(max(_told(usage.cached), 0), tokens_in)
        self.tokens_in += tokens_in
        self.tokens_cached += cached
        self.tokens_out += tokens_out
        cached_price = backend.price_in if backend.price_cached is None else backend.price_cached
        self.cost += (
            (tokens_in - cached) * backend.price_in
            + cached * cached_price
            + tokens_out * backend.price_out
        ) / 1e6

    def as_dict(self) -> dict[str, float | int | None]:
        """The public fields, for the record."""
        return {k: v for k, v in asdict(self).items() if not k.startswith('_')}

    def _note_first_word(self, gen: int, t: float) -> None:
        whole = self._said is not None and self._asked.get(gen) == self._said
        if whole and self.first_word_s is None:
            self.first_word_s = t - self._ended

    def _note_staleness(self) -> None:
        if self._spoken is not None and self._said is not None:
            known = len(self._asked[self._spoken].split())
            self.stale_words = max(0, len(self._said.split()) - known)


def _told(tokens: object) -> int:
    """A count of tokens as a server tells it; -1 for whatever else it sends."""
    if isinstance(tokens, bool) or not isinstance(tokens, (int, float)):
        return -1
    return int(tokens) if 0 <= tokens <= _MOST_TOKENS else -1
