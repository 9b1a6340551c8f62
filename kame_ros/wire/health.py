"""What a node tells of itself once a second."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Health:
    """The last that a node told on /diagnostics; `level`: 0 all is well, 1 a warning, 2 an error.

    `state` is that of its life; `values` are its counters, as they were written; None: nothing was
    told yet.
    """

    state: str = 'starting'
    level: int = 0
    message: str = ''
    values: dict[str, str] | None = None
