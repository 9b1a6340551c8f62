"""The books of all turns: totals for diagnostics, and one account after the other."""

from __future__ import annotations

from collections.abc import Callable

from kame_ros.oracle.account import TurnAccount
from kame_ros.oracle.llm.generation import Generation
from kame_ros.oracle.policy.decision import Start
from kame_ros.wire.transcript import Transcript

_TOTALS = (
    'transcripts', 'transcripts_old', 'numbered_anew', 'turns_taken_back', 'actions_taken_back',
    'stop_words', 'remarks',
    'started', 'adopted', 'cancelled', 'ended', 'failed', 'gave_up',
    'tool_calls_unsaid', 'user_parts_cut', 'tokens_in', 'tokens_cached', 'tokens_out', 'cost',
)  # fmt: skip


class Ledger:
    """Counts everything; hands over the account of a turn when it is complete.

    That is when the next turn has begun, or `close` was called, and the last generation of the
    turn has been booked: a cancelled one still costs what it has written.
    """

    def __init__(self, on_turn: Callable[[TurnAccount], None]) -> None:
        self.totals: dict[str, float] = dict.fromkeys(_TOTALS, 0)
        self._on_turn = on_turn
        self._account: TurnAccount | None = None
        self._owner: dict[int, TurnAccount] = {}  # generation -> account
        self._unbooked: dict[int, set[int]] = {}  # utterance -> generations
        self._closed: list[TurnAccount] = []  # that wait for their last generation

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
        begins = self.utterance != transcript.utterance
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
            self._owner[ask.gen] = self._account
            self._unbooked.setdefault(self._account.utterance, set()).add(ask.gen)
            self._account.on_start(ask)

    def adopt(self, t: float, gen: int) -> None:
        """A generation gave its first word."""
        self.count('adopted')
        if account := self._owner.get(gen):
            account.on_first_word(t, gen)

    def cancel(self, gen: int, why: str) -> None:
        """A generation was stopped."""
        self.count('cancelled')
        if account := self._owner.get(gen):
            account.on_cancel(why)

    def fail(self, gen: int) -> None:
        """A generation broke."""
        self.count('failed')
        if account := self._owner.get(gen):
            account.failed += 1

    def spoken(self, gen: int) -> None:
        """The robot says words of this generation (-1: of none)."""
        if account := self._owner.get(gen):
            account.on_spoken(gen)

    def book(self, generation: Generation) -> None:
        """The tokens of a generation that is over, complete or not."""
        gen, utterance = generation.ask.gen, generation.ask.utterance
        entry = TurnAccount(utterance)
        priced = () if generation.refused else filter(None, (entry, self._owner.get(gen)))
        for account in priced:
            account.on_usage(
                generation.backend, generation.prompt, generation.text, generation.usage
            )
        self.totals['tool_calls_unsaid'] += generation.calls
        self.totals['user_parts_cut'] += generation.plays_user
        for name in ('tokens_in', 'tokens_cached', 'tokens_out', 'cost'):
            self.totals[name] += getattr(entry, name)
        self._settle(gen)

    def lose(self, gen: int) -> None:
        """The tokens of this generation cannot be told: its turn is complete without them."""
        self._settle(gen)

    def _settle(self, gen: int) -> None:
        if owner := self._owner.get(gen):
            self._unbooked.get(owner.utterance, set()).discard(gen)
            self._hand_over()

    def close(self) -> None:
        """The turn is over."""
        if self._account is not None:
            self._closed.append(self._account)
        self._account = None
        self._hand_over()

    def _hand_over(self) -> None:
        done = [a for a in self._closed if not self._unbooked.get(a.utterance)]
        self._closed = [a for a in self._closed if a not in done]
        for account in done:
            self._unbooked.pop(account.utterance, None)
            self._owner = {g: a for g, a in self._owner.items() if a is not account}
            self._on_turn(account)
