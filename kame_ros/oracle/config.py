"""Everything about the oracle that may change while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from kame_ros.oracle.actions import ActionBook
from kame_ros.oracle.backend import Backend
from kame_ros.oracle.history import estimate_tokens
from kame_ros.oracle.policy_config import PolicyConfig
from kame_ros.oracle.prompt import PromptConfig
from kame_ros.oracle.router import Route
from kame_ros.oracle.stop_words import StopWords

CONTEXT_TOKENS = 2048  # of the embedded LLM
_QUESTION_TOKENS = 150  # of the user, and for the marks of a chat template


@dataclass(frozen=True)
class OracleConfig:
    """The oracle's settings.

    The first back-end is asked first, or the one that `routes` choose; the others take over, in
    their order, when it fails. `apology` is said when none answers; nothing, if it is empty.
    """

    backends: tuple[Backend, ...]
    policy: PolicyConfig = field(default_factory=PolicyConfig)
    prompt: PromptConfig = field(default_factory=PromptConfig)
    max_words: int = 30
    history_tokens: int = 600
    apology: str = 'Sorry, I cannot think right now.'
    source: str = 'llm'
    priority: int = 0
    routes: tuple[Route, ...] = ()
    actions: ActionBook = field(default_factory=ActionBook)
    stop_words: StopWords = field(default_factory=StopWords)
    facts_age_s: float = 0.0
    hidden_marks: tuple[str, ...] = ()  # of the LLM: see kame_ros.text.markup

    def __post_init__(self) -> None:
        if not self.backends:
            raise ValueError('the oracle needs a back-end')
        if self.max_words < 1:
            raise ValueError('max_words is at least 1')
        for route in self.routes:
            if not 0 <= route.backend < len(self.backends):
                raise ValueError(f"route '{route.name}': there is no back-end {route.backend}")

    @property
    def history_bound(self) -> int:
        """Tokens of the history: as many as are wished for and fit."""
        free = self._context
        return self.history_tokens if free is None else min(self.history_tokens, free * 3 // 4)

    @property
    def facts_bound(self) -> int:
        """Tokens of facts that fit beside the history; 0: any."""
        free = self._context
        return 0 if free is None else max(free - self.history_bound, 1)

    @property
    def _context(self) -> int | None:
        """Tokens for history and facts, where the context of a back-end is known."""
        sizes = [
            CONTEXT_TOKENS - min(b.max_tokens, CONTEXT_TOKENS // 4)
            for b in self.backends
            if b.kind == 'embedded'
        ]
        system = estimate_tokens(f'{self.prompt.system}\n{self.actions.prompt}')
        return max(min(sizes) - system - _QUESTION_TOKENS, 100) if sizes else None

    @property
    def policy_config(self) -> PolicyConfig:
        """The policy's share, bounded by what the slowest back-end can write at once."""
        streams = min(self.policy.max_streams, *(b.parallel for b in self.backends))
        return replace(self.policy, backends=len(self.backends), max_streams=streams)
