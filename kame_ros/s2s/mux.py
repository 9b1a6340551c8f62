"""From the chunks of all sources to the one oracle that the robot should say now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from kame_ros.oracle.chunk import ChunkKind, Oracle, OracleChunk
from kame_ros.text import reader

MAX_CHARS = 4_000  # about five minutes of speech; what is longer is cut at a word and counted
MAX_SOURCES = 16


@dataclass
class _Generation:
    number: int
    text: str
    since: int  # grows with every chunk taken; says who spoke first
    ended: bool = False
    spoken: bool = False
    full: bool = False  # MAX_CHARS reached
    priority: int = 0
    utterance: int = -1
    revision: int = -1


@dataclass
class _Source:
    seen: int  # of the last chunk, to tell who has been quiet for longest
    floor: int = -1  # generations up to this one are over
    said: _Generation | None = None
    reader: reader.Reader = field(default_factory=reader.Reader)


class OracleMux:
    """Keeps the newest text of each source and gives that of the highest priority.

    A new generation replaces the old one at its first text that is not blank, so that the old one
    goes on until then. Chunks of generations that were replaced, cleared or ended are counted and
    ignored. Equal priorities keep the order in which they began to speak. A source that was
    spoken to its end (`spoken`) gives way to the next. After a CLEAR of generation g, the source's
    next generation must be greater than g: a node that starts anew sends CLEAR with -1 or 0 first.
    Whoever wrote a text, it is plain text here: see text.markup. `on_unsaid` is told which source
    has ended a text of which nothing can be said, and why.

    Not thread-safe: one owner.
    """

    def __init__(
        self,
        max_chars: int = MAX_CHARS,
        max_sources: int = MAX_SOURCES,
        on_unsaid: Callable[[str, str], None] = lambda source, why: None,
    ) -> None:
        if max_chars < 1 or max_sources < 1:
            raise ValueError('max_chars and max_sources are at least 1')
        self._max_chars = max_chars
        self._max_sources = max_sources
        self._on_unsaid = on_unsaid
        self._sources: dict[str, _Source] = {}
        self._tick = 0
        self._count: Counter[str] = Counter()
        self._now: Oracle | None = None

    def on_chunk(self, chunk: OracleChunk) -> None:
        """Takes a chunk; what cannot be used is counted."""
        self._count['chunks'] += 1
        self._tick += 1
        kind = chunk.kind
        if not chunk.source or kind not in tuple(ChunkKind):
            self._count['ignored_unknown'] += 1
            return
        source = self._source(chunk.source)
        if source is None:
            self._count['ignored_sources'] += 1
            return
        source.seen = self._tick
        if kind in (ChunkKind.BEGIN, ChunkKind.CLEAR):
            source.reader.begin(chunk.generation)
        if kind == ChunkKind.CLEAR:
            self._on_clear(source, chunk)
        elif self._is_old(source, chunk):
            self._count['ignored_old'] += 1
        elif kind == ChunkKind.TEXT:
            self._on_text(source, chunk)
        elif kind == ChunkKind.END:
            self._on_end(source, chunk)
        self._now = self._choose()

    def current(self) -> Oracle | None:
        """The oracle to speak now, as far as it is written, or None."""
        return self._now

    def spoken(self, source: str, generation: int) -> None:
        """All of this generation was spoken; the next source has its turn."""
        entry = self._sources.get(source)
        if entry and entry.said and entry.said.number == generation and entry.said.ended:
            entry.said.spoken = True
            self._now = self._choose()
        else:
            self._count['spoken_unknown'] += 1

    def drop(self) -> None:
        """Forgets all text, as on a barge-in; what still comes of these generations is old."""
        for source in self._sources.values():
            if source.said is not None:
                source.floor = max(source.floor, source.said.number)
                source.said = None
        self._now = None

    def clear(self) -> None:
        """Forgets all sources, their generations too: a new session."""
        self._sources.clear()
        self._now = None

    def counters(self) -> dict[str, float]:
        """Running totals, and how many sources are known."""
        names = (
            'chunks generations replaced cleared empty ignored_old ignored_unknown '
            'ignored_sources truncated_chars spoken_unknown unspeakable tool_calls_unsaid'
        )
        totals = {name: float(self._count[name]) for name in names.split()}
        totals['sources'] = len(self._sources)
        return totals

    def _source(self, name: str) -> _Source | None:
        """The source's entry; where there are too many, one that has nothing to say makes room."""
        if name not in self._sources:
            if len(self._sources) >= self._max_sources:
                idle = [
                    (source.seen, other)
                    for other, source in self._sources.items()
                    if source.said is None or source.said.spoken
                ]
                if not idle:
                    return None
                del self._sources[min(idle)[1]]
            self._sources[name] = _Source(self._tick)
        return self._sources[name]

    def _is_old(self, source: _Source, chunk: OracleChunk) -> bool:
        said = source.said
        if said is not None and chunk.generation == said.number:
            return said.ended and chunk.kind != ChunkKind.BEGIN
        newest = source.floor if said is None else max(source.floor, said.number)
        return chunk.generation <= newest

    def _on_text(self, source: _Source, chunk: OracleChunk) -> None:
        self._count['truncated_chars'] += max(0, len(chunk.text) - reader.MOST)
        calls = source.reader.calls
        self._grow(source, chunk, source.reader.read(chunk.generation, chunk.text))
        self._count['tool_calls_unsaid'] += source.reader.calls - calls

    def _grow(self, source: _Source, chunk: OracleChunk, text: str) -> None:
        said = source.said
        if source.reader.restarted and said is not None and said.number == chunk.generation:
            said.text, said.full = '', False  # all of it was reasoning
            text = text.lstrip()
        if said is None or said.number != chunk.generation:
            text = text.lstrip()
            if not text:
                return  # blank: the old generation goes on
            # A source that corrects itself keeps its place; one that starts anew queues up.
            talking = said is not None and not said.spoken
            self._count['replaced'] += talking
            self._count['generations'] += 1
            since = said.since if said is not None and talking else self._tick
            said = source.said = _Generation(chunk.generation, '', since)
        said.priority = chunk.priority
        said.utterance, said.revision = chunk.utterance, chunk.revision
        self._append(said, text)

    def _append(self, said: _Generation, text: str) -> None:
        room = 0 if said.full else self._max_chars - len(said.text)
        if len(text) <= room:
            said.text += text
            return
        whole = said.text + text[:room]
        if not said.full and not text[room].isspace():  # the cut is inside a word
            cut = max(whole.rfind(' ') + 1, len(said.text))  # what was given out stays
            whole = whole[:cut] or whole
        self._count['truncated_chars'] += len(said.text) + len(text) - len(whole)
        said.text, said.full = whole, True

    def _on_end(self, source: _Source, chunk: OracleChunk) -> None:
        rest = source.reader.end(chunk.generation)
        said = source.said
        if rest.strip() or source.reader.restarted:
            known = said is not None and said.number == chunk.generation
            self._grow(source, _like(said, chunk) if said and known else chunk, rest)
        said = source.said
        this = said is not None and said.number == chunk.generation
        why = source.reader.why_unsaid(chunk.generation, said.text if said and this else '')
        if why:
            self._count['unspeakable'] += 1
            self._on_unsaid(chunk.source, why)
        if said is not None and this:
            said.ended = True
        else:
            self._count['empty'] += 1
            source.floor = max(source.floor, chunk.generation)

    def _on_clear(self, source: _Source, chunk: OracleChunk) -> None:
        self._count['cleared'] += 1
        source.said = None
        source.floor = chunk.generation

    def _choose(self) -> Oracle | None:
        talking = [
            (-source.said.priority, source.said.since, name, source.said)
            for name, source in self._sources.items()
            if source.said is not None and not source.said.spoken
        ]
        if not talking:
            return None
        _, _, name, said = min(talking, key=lambda entry: entry[:3])
        return Oracle(
            name, said.number, said.text, said.ended, said.priority, said.utterance, said.revision
        )


def _like(said: _Generation, end: OracleChunk) -> OracleChunk:
    """An END, with what it does not change."""
    ids = said.priority, said.utterance, said.revision
    return replace(end, priority=ids[0], utterance=ids[1], revision=ids[2])
