"""Chooses which text to drop where more waits to be said than anybody would listen to."""

from __future__ import annotations

from collections.abc import Iterable

from kame_ros.s2s.mux.source import MuxSource

MAX_WAITING = 12_000  # characters of all sources together, about a quarter of an hour
MAX_UNENDED = 4_000  # of these, of texts that nobody has ended


def too_much(
    sources: Iterable[MuxSource], now: float, holder: MuxSource | None
) -> MuxSource | None:
    """The source whose text is to be dropped next; None if there is room for all.

    What the node says for its own goals, and what the LLM says, is bounded by itself and counts
    for nobody. First to go are those who make mistakes, then texts that nobody ended. Among what
    still grows those of newcomers go first, and then, as in all of it together, the longest.
    """
    texts = [s for s in sources if s.said and not s.said.spoken and not s.kept]
    unended = [s for s in texts if s.said and not s.said.closed]
    if _characters(unended) > MAX_UNENDED:
        return max(unended, key=lambda source: _badness(source, now, holder))
    if _characters(texts) > MAX_WAITING:
        # Whoever is new has not ended what it says yet: among many it is size that counts.
        return max(texts, key=lambda source: _badness(source, now, holder, by_size=True))
    return None


def to_displace(
    sources: Iterable[MuxSource], now: float, holder: MuxSource | None
) -> MuxSource | None:
    """The source that makes way for a new one, where all have something to say; None: none does."""
    unended = [
        source
        for source in sources
        if not (source.kept or source.proved or source is holder)
        and not (source.said and source.said.closed and not source.said.spoken)
    ]
    return max(unended, key=lambda source: _badness(source, now, holder), default=None)


def _characters(sources: list[MuxSource]) -> int:
    return sum(source.said.waiting for source in sources if source.said)


def _badness(
    source: MuxSource, now: float, holder: MuxSource | None, by_size: bool = False
) -> tuple[bool, bool, int, bool, bool, bool, int, float, str]:
    said = source.said
    stale = said is not None and said.stale
    unended = said is not None and not said.closed
    size = said.waiting if said else 0
    return (
        source.unruly(now),
        stale,
        size if by_size else 0,
        unended,
        not source.proved,
        source is not holder,
        size,
        -source.seen,
        source.name,
    )
