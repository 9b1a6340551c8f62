"""A generation in flight, as the policy sees it."""

from __future__ import annotations

from dataclasses import dataclass

from kame_ros.oracle.policy.config import PolicyConfig
from kame_ros.oracle.policy.decision import Start

NO_WORD = 'no first token in time'
TOO_LONG = 'took too long'
_READS = 3  # times total_s: the longest that an LLM may read


@dataclass
class Stream:
    """What was asked, since when, and how far the answer is; times in seconds."""

    ask: Start
    begun: float
    first_word: float | None = None
    last_piece: float = 0.0
    words: int = 0
    acted: bool = False  # it asked for an action: that is an answer, though it says nothing
    waiting: bool = False  # for the connection, or for a model that is loaded: not yet asked
    asked: float = float('-inf')  # when it was connected
    reading: bool = False  # the LLM has told that it reads the prompt, and nothing since
    read_at: float = float('-inf')  # when it told so last
    confirmed: float = float('-inf')  # when the final said what was asked already

    def due(self, config: PolicyConfig) -> float:
        """When patience with it ends."""
        if self.first_word is None and not self.acted:
            # With nobody else to ask, the server has as long as the user waits for it.
            alone = config.backends == 1
            since = max(self.begun, self.asked, self.read_at, self.confirmed if alone else 0.0)
            busy = self.reading or (self.waiting and alone)
            patience = since + (config.total_s if busy else config.first_token_s)
        else:
            patience = self.last_piece + config.stall_s
        return min(patience, self._total_from(config) + config.total_s)

    def _total_from(self, config: PolicyConfig) -> float:
        """A prompt that is read is no answer yet: the time for one begins when it has been."""
        read_at = min(self.read_at, self.begun + _READS * config.total_s)
        return max(self.begun, read_at)

    def overdue(self, t: float, config: PolicyConfig) -> str:
        """Why it is to be stopped at `t`; empty if it may go on."""
        if t < self.due(config):
            return ''
        if self.first_word is None and not self.acted:
            return NO_WORD
        return (
            TOO_LONG
            if t >= self._total_from(config) + config.total_s
            else 'fell silent in mid-stream'
        )
