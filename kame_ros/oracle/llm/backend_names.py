"""Who is asked, as people write it: a back-end, and those that take over."""

from __future__ import annotations

from dataclasses import dataclass

from kame_ros.oracle.llm import kinds
from kame_ros.settings.param import setting


@dataclass(frozen=True)
class BackendNames:
    """The back-ends by name, each one that `parse_backend` reads."""

    backend: str = setting(
        'embedded:smollm2-135m-instruct',
        f'Who answers, as kind:model or kind:model@url; kinds: {", ".join(kinds.DOOR.ours)}, and '
        'those of other packages. Keys come from the environment only.',
    )
    fallback: str = setting(
        '',
        'Who answers when the first one does not, and who is routed to: like backend, several '
        'with commas between; empty: nobody.',
    )

    @property
    def names(self) -> list[str]:
        """All of them, in the order in which they are asked."""
        return list(filter(None, map(str.strip, (self.backend, *self.fallback.split(',')))))
