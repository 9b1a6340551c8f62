"""From the chunks of all sources to the one oracle that the robot should say now."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from kame_ros.oracle.chunk import ChunkKind, Oracle, OracleChunk
from kame_ros.text import reader

MAX_CHARS = 4_000  # about five minutes of speech; what is longer is cut at a word and counted
MAX_SOURCES = 64
MAX_NAME = 200  # characters of the name of a source
SILENCE_S = 5.0
PATIENCE_S = 60.0
_REMEMBERED = 8  # numbers of a source whose late chunks are nobody's mistake


@dataclass
class _Generation:
    number: int
    life: int
    text: str
    since: int  # grows with every chunk taken; says who spoke first
    grew: float  # s, when its last text came
    ended: bool = False
    aged: bool = False  # it ended by silence, not by an END
    spoken: bool = False
    full: bool = False  # MAX_CHARS reached
    priority: int = 0
    utterance: int = -1
    revision: int = -1
    waits_since: float | None = None  # s: it is the current one, and no word of it was said since


@dataclass
class _Source:
    seen: float  # s, when its last chunk came
    newest: int = -1  # the highest number of this life; it, and all below, were begun before
    open: int | None = None  # the number that was begun and has no text yet
    held: OracleChunk | None = None  # its last chunk, where that could not be read yet
    life: int = 0  # how often its numbers have begun anew
    said: _Generation | None = None
    proved: bool = False  # it has ended a generation with an END
    known: deque[int] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    reader: reader.Reader = field(default_factory=reader.Reader)

    @property
    def idle(self) -> bool:
        return self.open is None and (self.said is None or self.said.spoken)


class OracleMux:
    """Keeps the newest text of each source and gives that of the highest priority.

    A new generation replaces the old one at its first text that is not blank, so that the old one
    goes on until then. Equal priorities keep the order in which they began to speak. A source that
    was spoken to its end (`spoken`) gives way to the next. Whoever wrote a text, it is plain text
    here: see text.markup. `on_unsaid` is told which source has ended a text of which nothing can be
    said, and why.

    Who publishes is not known, so that nobody is believed for long. A BEGIN always begins: where
    its number is not above all others of its source, the numbers start anew (a node that was
    started again, or that never counts). Other chunks of earlier numbers are late, and ignored,
    unless the source was silent for `silence_s` before. A generation whose text has not grown for
    `silence_s` counts as ended, and one of which no word was said for `patience_s`, although it
    has its turn, is given up. When there are too many sources, those that have ended what they
    said before are not displaced by others.

    Times `now` are seconds on a clock that never runs back. Not thread-safe: one owner.
    """

    def __init__(
        self,
        max_chars: int = MAX_CHARS,
        max_sources: int = MAX_SOURCES,
        silence_s: float = SILENCE_S,
        patience_s: float = PATIENCE_S,
        on_unsaid: Callable[[str, str], None] = lambda source, why: None,
    ) -> None:
        if max_chars < 1 or max_sources < 1:
            raise ValueError('max_chars and max_sources are at least 1')
        if silence_s <= 0.0 or patience_s <= 0.0:
            raise ValueError('silence_s and patience_s are above 0')
        self._max_chars = max_chars
        self._max_sources = max_sources
        self._on_unsaid = on_unsaid
        self._silence_s, self._patience_s = silence_s, patience_s
        self._sources: dict[str, _Source] = {}
        self._tick = 0
        self._now_s = 0.0
        self._lives = 0  # of all sources: a forgotten one that comes again has a life of its own
        self._count: Counter[str] = Counter()
        self._now: Oracle | None = None

    def on_chunk(self, chunk: OracleChunk, now: float = 0.0) -> None:
        """Takes a chunk; what cannot be used is counted."""
        self._count['chunks'] += 1
        self._tick += 1
        self._now_s = max(self._now_s, now)
        if not 0 < len(chunk.source) <= MAX_NAME or chunk.kind not in tuple(ChunkKind):
            self._count['ignored_unknown'] += 1
            return
        source = self._source(chunk.source)
        if source is None:
            self._count['ignored_sources'] += 1
            return
        if chunk.kind == ChunkKind.BEGIN:
            self._on_begin(source, chunk.generation)
        elif chunk.kind == ChunkKind.TEXT:
            self._on_text(source, chunk)
        elif chunk.kind == ChunkKind.END:
            self._on_end(source, chunk)
        else:
            self._on_clear(source, chunk)
        source.seen = self._now_s
        self._choose()

    def update(self, now: float) -> None:
        """Time has passed: what grows no more has ended, what nobody says is given up."""
        self._now_s = max(self._now_s, now)
        for source in self._sources.values():
            if source.open is not None and self._was_silent(source):
                self._age_unbegun(source)
            said = source.said
            if said is None or said.spoken:
                continue
            if not said.ended and self._now_s - said.grew >= self._silence_s:
                self._age(source, said)
            waits = said.waits_since
            if said.ended and waits is not None and self._now_s - waits >= self._patience_s:
                said.spoken = True
                self._count['unsaid'] += 1
        self._choose()

    def _age_unbegun(self, source: _Source) -> None:
        """Of a generation that was begun, no text came, or none that could be read to its end."""
        number, held = source.open, source.held
        assert number is not None
        rest = source.reader.end(number)
        if held is not None and held.generation == number and rest.strip():
            self._begin_text(source, rest, held)
            if source.said is not None:
                source.said.grew = source.seen  # it came then
        source.open = source.held = None

    def _age(self, source: _Source, said: _Generation) -> None:
        if said.life == source.life and source.open != said.number:
            rest = self._taken_back(source, said.number, source.reader.end(said.number))
            said.text = (said.text + rest)[: self._max_chars]
        said.ended = said.aged = True
        self._count['aged'] += 1

    def current(self) -> Oracle | None:
        """The oracle to speak now, as far as it is written, or None."""
        return self._now

    def waits(self, source: str) -> bool:
        """Whether this source still has something to be said."""
        entry = self._sources.get(source)
        return entry is not None and not entry.idle

    def progress(self, source: str) -> None:
        """A word of this source was said."""
        entry = self._sources.get(source)
        if entry and entry.said and entry.said.waits_since is not None:
            entry.said.waits_since = self._now_s

    def spoken(self, source: str, generation: int, life: int | None = None) -> None:
        """All of this generation was spoken (None: in any life); the next source has its turn."""
        entry = self._sources.get(source)
        said = entry.said if entry else None
        this = said is not None and said.number == generation and life in (None, said.life)
        if said and this and said.ended:
            said.spoken = True
            self._choose()
        else:
            self._count['spoken_unknown'] += 1

    def drop(self, over: tuple[str, int, int] | None = None) -> None:
        """Forgets all text, as on a barge-in; what still comes of these generations is old.

        `over` is the key of what was spoken over: a newer generation of its source that answers a
        later utterance answers just what the user said over it, and stays.
        """
        for name, source in self._sources.items():
            said = source.said
            if said is None or (over and _is_newer(name, said, over)):
                continue
            source.said = None
        self._choose()

    def clear(self) -> None:
        """Forgets all sources, their generations too: a new session."""
        self._sources.clear()
        self._choose()

    def counters(self) -> dict[str, float]:
        """Running totals, and how many sources are known."""
        names = (
            'chunks generations replaced cleared empty renumbered aged unsaid late ignored_old '
            'ignored_unknown ignored_sources truncated_chars spoken_unknown unspeakable '
            'tool_calls_unsaid'
        )
        totals = {name: float(self._count[name]) for name in names.split()}
        totals['sources'] = len(self._sources)
        return totals

    def _source(self, name: str) -> _Source | None:
        """The source's entry; where there are too many, one that has nothing to say makes room."""
        if name not in self._sources:
            if len(self._sources) >= self._max_sources:
                other = self._least()
                if other is None:
                    return None
                del self._sources[other]
                self._lives += 1
            self._sources[name] = _Source(self._now_s, life=self._lives)
        return self._sources[name]

    def _least(self) -> str | None:
        """The idle source that is missed least; half of the places are kept for proved ones."""
        proved = sum(source.proved for source in self._sources.values())
        keep = proved <= self._max_sources // 2
        idle = [
            (source.proved, source.seen, name)
            for name, source in self._sources.items()
            if source.idle and not (source.proved and keep)
        ]
        return min(idle)[2] if idle else None

    def _on_begin(self, source: _Source, number: int) -> None:
        if number <= source.newest:
            self._begin_anew(source)
        source.newest = source.open = number
        source.reader.begin(number)

    def _begin_anew(self, source: _Source) -> None:
        """What is said of an earlier life goes on until there is text of this one."""
        self._count['renumbered'] += 1
        self._lives += 1
        source.life, source.newest, source.open = self._lives, -1, None
        source.known.clear()

    def _on_text(self, source: _Source, chunk: OracleChunk) -> None:
        said, number = source.said, chunk.generation
        same = said is not None and said.number == number and source.open != number
        if said is not None and same and said.life == source.life:
            if not said.ended or (not said.spoken and (said.aged or said.full)):
                self._append(said, self._read(source, chunk), chunk)
                return
            anew = said.aged or said.full or self._was_silent(source)
        elif source.open == number or (number > source.newest and not same):
            self._open_text(source, chunk)
            return
        else:
            anew = self._was_silent(source)
        if anew and chunk.text.strip():
            self._begin_anew(source)
            source.reader.begin(number)
            self._open_text(source, chunk)
        elif chunk.text.strip():
            self._ignore(source, number)

    def _open_text(self, source: _Source, chunk: OracleChunk) -> None:
        """The first text of a generation; it may be held back until more of it can be read."""
        if chunk.text.strip():
            source.newest, source.open, source.held = chunk.generation, chunk.generation, chunk
        self._begin_text(source, self._read(source, chunk), chunk)

    def _read(self, source: _Source, chunk: OracleChunk) -> str:
        """What a chunk adds to the text of its generation, as plain text."""
        self._count['truncated_chars'] += max(0, len(chunk.text) - reader.MOST)
        calls = source.reader.calls
        text = source.reader.read(chunk.generation, chunk.text)
        self._count['tool_calls_unsaid'] += source.reader.calls - calls
        return self._taken_back(source, chunk.generation, text)

    def _taken_back(self, source: _Source, number: int, text: str) -> str:
        said = source.said
        if source.reader.restarted and said and (said.number, said.life) == (number, source.life):
            said.text, said.full = '', False  # all of it was reasoning
            return text.lstrip()
        return text

    def _was_silent(self, source: _Source) -> bool:
        return self._now_s - source.seen >= self._silence_s

    def _begin_text(self, source: _Source, text: str, chunk: OracleChunk) -> None:
        text = text.lstrip()
        if not text:
            return  # blank: the old generation goes on
        # A source that corrects itself keeps its place; one that starts anew queues up.
        said = source.said
        talking = said is not None and not said.spoken
        self._count['replaced'] += talking
        self._count['generations'] += 1
        since = said.since if said is not None and talking else self._tick
        source.open = source.held = None
        if chunk.generation not in source.known:
            source.known.append(chunk.generation)
        source.said = _Generation(chunk.generation, source.life, '', since, self._now_s)
        self._append(source.said, text, chunk)

    def _append(self, said: _Generation, text: str, chunk: OracleChunk) -> None:
        said.priority = chunk.priority
        said.utterance, said.revision = chunk.utterance, chunk.revision
        if not text:
            return
        said.grew = self._now_s
        room = 0 if said.full else self._max_chars - len(said.text)
        if len(text) <= room:
            said.text += text
            said.ended = said.aged = False
            return
        whole = said.text + text[:room]
        if not said.full and not text[room].isspace():  # the cut is inside a word
            cut = max(whole.rfind(' ') + 1, len(said.text))  # what was given out stays
            whole = whole[:cut] or whole
        self._count['truncated_chars'] += len(said.text) + len(text) - len(whole)
        said.text, said.full, said.ended = whole, True, True

    def _on_end(self, source: _Source, chunk: OracleChunk) -> None:
        number = chunk.generation
        self._complete(source, chunk)
        said = source.said
        if source.open == number:
            source.open = None
            self._count['empty'] += 1
        elif said is not None and (said.number, said.life) == (number, source.life):
            source.proved = True
            said.ended, said.aged = True, False
        elif number > source.newest:
            self._count['empty'] += 1
        else:
            self._ignore(source, number)

    def _complete(self, source: _Source, end: OracleChunk) -> None:
        """Takes what was held back of a text that is over, and tells if nothing can be said."""
        number, said = end.generation, source.said
        same = said is not None and (said.number, said.life) == (number, source.life)
        rest = self._taken_back(source, number, source.reader.end(number))
        if source.open == number:
            self._begin_text(source, rest, source.held or end)
        elif said and same and rest.strip() and not said.ended:
            ids = said.priority, said.utterance, said.revision
            self._append(
                said, rest, replace(end, priority=ids[0], utterance=ids[1], revision=ids[2])
            )
        said = source.said
        same = said is not None and (said.number, said.life) == (number, source.life)
        if why := source.reader.why_unsaid(number, said.text if said and same else ''):
            self._count['unspeakable'] += 1
            self._on_unsaid(end.source, why)
        source.reader.begin(number)

    def _on_clear(self, source: _Source, chunk: OracleChunk) -> None:
        self._count['cleared'] += 1
        source.said = source.open = source.held = None
        if chunk.generation < 0:
            self._begin_anew(source)

    def _ignore(self, source: _Source, number: int) -> None:
        """A chunk of a generation that was replaced or dropped is late; others are mistakes."""
        ended = source.said is not None and source.said.number == number
        self._count['late' if number in source.known and not ended else 'ignored_old'] += 1

    def _choose(self) -> None:
        talking = [
            (-source.said.priority, source.said.since, name, source.said)
            for name, source in self._sources.items()
            if source.said is not None and not source.said.spoken
        ]
        self._now = None
        if not talking:
            return
        _, _, name, now = min(talking, key=lambda entry: entry[:3])
        for *_, other in talking:
            if other is not now:
                other.waits_since = None
        if now.waits_since is None:
            now.waits_since = self._now_s
        self._now = Oracle(
            name, now.number, now.text, now.ended, now.priority, now.utterance, now.revision,
            now.life,
        )  # fmt: skip


def _is_newer(name: str, said: _Generation, over: tuple[str, int, int]) -> bool:
    source, number, life = over
    same = name == source and said.life == life
    return same and said.number > number and said.utterance >= 0
