"""The books of all turns: totals for diagnostics, and one account after the other."""

from __future__ import annotations

from collections.abc import Callable

from kame_ros.oracle.account import TurnAccount
from kame_ros.oracle.decision import Start
from kame_ros.oracle.generation import Generation
from kame_ros.stt.transcript import Transcript

_TOTALS = (
    'transcripts', 'transcripts_old', 'stop_words',
    'started', 'adopted', 'cancelled', 'ended', 'failed', 'gave_up',
    'tokens_in', 'tokens_cached', 'tokens_out', 'cost',
)  # fmt: skip


class Ledger:
    """Counts everything; hands over the account of a turn when the next one begins."""

    def __init__(self, on_turn: Callable[[TurnAccount], None]) -> None:
        self.totals: dict[str, float] = dict.fromkeys(_TOTALS, 0)
        self._on_turn = on_turn
        self._account: TurnAccount | None = None

    @property
    def utterance(self) -> int:
        """The turn that is being booked, -1 before the first."""
        return self._account.utterance if self._account else -1

    def count(self, name: str) -> None:
        """Adds one to a total."""
        self.totals[name] += 1

    def hear(self, transcript: Transcript) -> bool:
        """A transcript; True if a turn begins with it."""
        self.count('transcripts')
        begins = self._account is None or self._account.utterance != transcript.utterance
        if begins:
            self.close()
            self._account = TurnAccount(transcript.utterance)
        if transcript.final and self._account:
            self._account.on_final(transcript)
        return begins

    def start(self, ask: Start) -> None:
        """A generation is asked."""
        self.count('started')
        if self._account:
            self._account.on_start(ask)

    def adopt(self, t: float, gen: int) -> None:
        """A generation gave its first word."""
        self.count('adopted')
        if self._account:
            self._account.on_first_word(t, gen)

    def cancel(self, why: str) -> None:
        """A generation was stopped."""
        self.count('cancelled')
        if self._account:
            self._account.on_cancel(why)

    def fail(self) -> None:
        """A generation broke."""
        self.count('failed')
        if self._account:
            self._account.failed += 1

    def spoken(self, gen: int) -> None:
        """The robot says words of this generation (-1: of none)."""
        if self._account and gen >= 0:
            self._account.on_spoken(gen)

    def book(self, generation: Generation) -> None:
        """The tokens of a generation that is over, complete or not."""
        ask, usage = generation.ask, generation.usage
        entry = TurnAccount(ask.utterance)
        accounts = [entry]
        if self._account and self._account.utterance == ask.utterance:
            accounts.append(self._account)
        for account in accounts:
            account.on_usage(generation.backend, generation.prompt, generation.text, usage)
        for name in ('tokens_in', 'tokens_cached', 'tokens_out', 'cost'):
            self.totals[name] += getattr(entry, name)

    def close(self) -> None:
        """The turn is over."""
        if self._account is not None:
            self._on_turn(self._account)
        self._account = None
