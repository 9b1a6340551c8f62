"""Everything about the oracle that may change while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from kame_ros.oracle.actions import ActionBook
from kame_ros.oracle.backend import Backend
from kame_ros.oracle.policy_config import PolicyConfig
from kame_ros.oracle.prompt import PromptConfig
from kame_ros.oracle.router import Route
from kame_ros.oracle.stop_words import StopWords


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
    def policy_config(self) -> PolicyConfig:
        """The policy's share, bounded by what the slowest back-end can write at once."""
        streams = min(self.policy.max_streams, *(b.parallel for b in self.backends))
        return replace(self.policy, backends=len(self.backends), max_streams=streams)
