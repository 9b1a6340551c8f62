"""Everything about the oracle that may change while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from kame_ros.oracle.actions.book import ActionBook
from kame_ros.oracle.conversation.history import estimate_tokens
from kame_ros.oracle.conversation.prompt import PromptConfig
from kame_ros.oracle.llm.backend import Backend
from kame_ros.oracle.policy.config import PolicyConfig
from kame_ros.oracle.routing.router import Route
from kame_ros.oracle.text.stop_words import StopWords
from kame_ros.settings.param import BadParameter, check_settings, setting
from kame_ros.settings.values import shown

_QUESTION_TOKENS = 150  # of the user, and for the marks of a chat template


@dataclass(frozen=True)
class OracleConfig:
    """The oracle's settings.

    The first back-end is asked first, or the one that `routes` choose; the others take over, in
    their order, when it fails.
    """

    backends: tuple[Backend, ...]
    policy: PolicyConfig = field(default_factory=PolicyConfig)
    prompt: PromptConfig = field(default_factory=PromptConfig)
    max_words: int = setting(
        30, 'An answer is cut at a sentence before it gets longer.', low=1, high=500
    )
    hidden_marks: str = setting(  # see kame_ros.text.markup
        '',
        'Marks of the LLM that are not to be read, beside those that are known; blanks between '
        'them. A mark like <pad> is left out; with <note>...</note> all between the two is.',
    )
    history_tokens: int = setting(
        600,
        'How much of the conversation the LLM is shown: about so many tokens.',
        low=0,
        high=100_000,
    )
    apology: str = setting(
        'Sorry, I cannot think right now.',
        'What is said when nobody answers, or an answer breaks off; empty: nothing.',
    )
    facts_age_s: float = setting(
        0.0,
        'How long what comes on the topic facts is believed; 0: until it is replaced.',
        low=0.0,
        high=86_400.0,
    )
    routes: tuple[Route, ...] = ()
    actions: ActionBook = field(default_factory=ActionBook)
    stop_words: StopWords = field(default_factory=StopWords)

    def __post_init__(self) -> None:
        if not self.backends:
            raise ValueError('the oracle needs a back-end')
        check_settings(self)
        for mark in self.marks:
            _check_mark(mark)
        for route in self.routes:
            if not 0 <= route.backend < len(self.backends):
                raise ValueError(f"route '{route.name}': there is no back-end {route.backend}")

    @property
    def marks(self) -> tuple[str, ...]:
        """`hidden_marks`, one by one."""
        return tuple(self.hidden_marks.split())

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
            b.about.context_tokens - min(b.max_tokens, b.about.context_tokens // 4)
            for b in self.backends
            if b.about.context_tokens
        ]
        system = estimate_tokens(f'{self.prompt.system}\n{self.actions.prompt}')
        return max(min(sizes) - system - _QUESTION_TOKENS, 100) if sizes else None

    @property
    def policy_config(self) -> PolicyConfig:
        """The policy's share, bounded by what the slowest back-end can write at once."""
        streams = min(self.policy.max_streams, *(b.parallel for b in self.backends))
        return replace(self.policy, backends=len(self.backends), max_streams=streams)


def _check_mark(mark: str) -> None:
    """Raises BadParameter for what would hide more of an answer than a mark."""
    opens, between, closes = mark.partition('...')
    for part in (opens, closes) if between else (opens,):
        if not part or (len(part) == 1 and (part.isascii() or part.isalnum())):
            raise BadParameter(
                f'hidden_marks are such as <pad> or <note>...</note>, not {shown(mark)}: '
                'that would hide what is to be said'
            )
