"""From the chunks of all sources to the one oracle that the robot should say now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from kame_ros.s2s.mux import room as mux_room
from kame_ros.s2s.mux.source import MuxSource, SourceGeneration
from kame_ros.s2s.mux.turns import Turns
from kame_ros.settings.param import check_settings, setting
from kame_ros.text import reader
from kame_ros.wire.oracle import LLM, ChunkKind, Oracle, OracleChunk

MAX_NAME = 200  # characters of the name of a source
_HASTE_S = 1.0  # nobody starts to count anew twice in so short a time


@dataclass(frozen=True)
class MuxConfig:
    """How long a text may be, how many may speak, and for how long each is believed.

    A text longer than `max_chars` is cut at a word, one of which no word was said for `patience_s`
    in its turn is given up. Raises ValueError for what cannot be.
    """

    max_chars: int = 4_000  # about five minutes of speech
    max_sources: int = 64
    silence_s: float = setting(
        5.0,
        'A text on the topic oracle that has not grown for so many seconds counts as ended, so '
        'that the next source has its turn; and a source that was silent for so long may number '
        'as it likes.',
        low=0.5,
        high=600.0,
    )
    patience_s: float = 60.0

    def __post_init__(self) -> None:
        check_settings(self)
        if self.max_chars < 1 or self.max_sources < 1:
            raise ValueError('max_chars and max_sources are at least 1')
        if self.patience_s <= 0.0:
            raise ValueError('patience_s is above 0')


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
        config: MuxConfig | None = None,
        on_unsaid: Callable[[str, str], None] = lambda source, why: None,
    ) -> None:
        self.config = config or MuxConfig()
        self._on_unsaid = on_unsaid
        self._sources: dict[str, MuxSource] = {}
        self._tick = 0
        self._now_s = 0.0
        self._lives = 0  # of all sources: a forgotten one that comes again has a life of its own
        self._count: Counter[str] = Counter()
        self._now: Oracle | None = None
        self._turns = Turns()

    def on_chunk(self, chunk: OracleChunk, now: float = 0.0, own: bool = False) -> None:
        """Takes a chunk; what cannot be used is counted. `own`: of the node, and of nobody else."""
        self._count['chunks'] += 1
        self._tick += 1
        self._now_s = max(self._now_s, now)
        if not 0 < len(chunk.source) <= MAX_NAME or chunk.kind not in tuple(ChunkKind):
            self._count['ignored_unknown'] += 1
            if chunk.source in self._sources:
                self._sources[chunk.source].err(self._now_s)
            return
        source = self._source(chunk.source, own)
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
        self._make_room()
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
            if not said.ended and self._now_s - said.grew >= self.config.silence_s:
                self._age(source, said)
            waits = said.waits_since
            if said.ended and waits is not None and self._now_s - waits >= self.config.patience_s:
                said.spoken = True
                self._count['unsaid'] += 1
        self._clear_the_way()
        self._choose()

    def _age_unbegun(self, source: MuxSource) -> None:
        """Of a generation that was begun, no text came, or none that could be read to its end."""
        number, held = source.open, source.held
        assert number is not None
        rest = source.reader.end(number)
        if held is not None and held.generation == number and rest.strip():
            self._begin_text(source, rest, held)
            if source.said is not None:
                source.said.grew = source.seen  # it came then
        source.open = source.held = None

    def _age(self, source: MuxSource, said: SourceGeneration) -> None:
        if said.life == source.life and source.open != said.number:
            rest = self._taken_back(source, said.number, source.reader.end(said.number))
            said.text = (said.text + rest)[: self.config.max_chars]
        said.ended = said.aged = True
        self._count['aged'] += 1

    def current(self) -> Oracle | None:
        """The oracle to speak now, as far as it is written, or None."""
        return self._now

    def waits(self, source: str) -> bool:
        """Whether this source still has something to be said."""
        entry = self._sources.get(source)
        return entry is not None and not entry.idle

    def progress(self, source: str, piece: str = '') -> None:
        """A piece of the text of this source was said."""
        entry = self._sources.get(source)
        said = entry.said if entry else None
        if said is None:
            return
        said.heard += len(piece)
        said.between = piece.rstrip('"\')”’»] ').endswith(('.', '!', '?', '…'))
        if said.waits_since is not None:
            said.waits_since = self._now_s

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
            'tool_calls_unsaid unended_dropped crowded_dropped displaced'
        )
        totals = {name: float(self._count[name]) for name in names.split()}
        totals['paused'] = float(self._turns.paused)
        totals['sources'] = len(self._sources)
        return totals

    def _source(self, name: str, own: bool) -> MuxSource | None:
        """The source's entry; where there are too many, one makes room that is missed least."""
        if name not in self._sources:
            others = sum(not source.own for source in self._sources.values())
            if others >= self.config.max_sources and not own and not self._displace(name):
                return None
            if own:
                self._forget_goals()
            self._sources[name] = MuxSource(name, self._now_s, life=self._lives)
        source = self._sources[name]
        source.own, source.kept = own, own or name == LLM
        return source

    def _forget_goals(self) -> None:
        """Those of which nothing is left to say."""
        for name in [name for name, other in self._sources.items() if other.own and other.idle]:
            del self._sources[name]
            self._lives += 1

    def _displace(self, newcomer: str) -> bool:
        name = self._least()
        if name is None:
            holder = self._turns.holder
            worst = mux_room.to_displace(self._sources.values(), self._now_s, holder)
            if worst is None and newcomer == LLM:
                worst = min(self._sources.values(), key=lambda s: (s.own, s.proved, s.seen, s.name))
            if worst is None:
                return False
            name = worst.name
            self._count['displaced'] += 1
            self._on_unsaid(name, 'too many sources want to say something')
        del self._sources[name]
        self._lives += 1
        return True

    def _least(self) -> str | None:
        """The idle source that is missed least; half of the places are kept for proved ones."""
        proved = sum(source.proved for source in self._sources.values())
        keep = proved <= self.config.max_sources // 2
        idle = [
            (source.proved, source.seen, name)
            for name, source in self._sources.items()
            if source.idle and not source.kept and not (source.proved and keep)
        ]
        return min(idle)[2] if idle else None

    def _on_begin(self, source: MuxSource, number: int) -> None:
        if number <= source.newest:
            if self._now_s - source.began < _HASTE_S:
                source.err(self._now_s)
            self._begin_anew(source)
        source.began = self._now_s
        source.newest = source.open = number
        source.reader.begin(number)

    def _begin_anew(self, source: MuxSource) -> None:
        """What is said of an earlier life goes on until there is text of this one."""
        self._count['renumbered'] += 1
        self._lives += 1
        source.life, source.newest, source.open = self._lives, -1, None
        source.known.clear()

    def _on_text(self, source: MuxSource, chunk: OracleChunk) -> None:
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

    def _open_text(self, source: MuxSource, chunk: OracleChunk) -> None:
        """The first text of a generation; it may be held back until more of it can be read."""
        if chunk.text.strip():
            source.newest, source.open, source.held = chunk.generation, chunk.generation, chunk
        self._begin_text(source, self._read(source, chunk), chunk)

    def _read(self, source: MuxSource, chunk: OracleChunk) -> str:
        """What a chunk adds to the text of its generation, as plain text."""
        self._count['truncated_chars'] += max(0, len(chunk.text) - reader.MOST)
        calls = source.reader.calls
        text = source.reader.read(chunk.generation, chunk.text)
        self._count['tool_calls_unsaid'] += source.reader.calls - calls
        return self._taken_back(source, chunk.generation, text)

    def _taken_back(self, source: MuxSource, number: int, text: str) -> str:
        said = source.said
        if source.reader.restarted and said and (said.number, said.life) == (number, source.life):
            said.text, said.full = '', False  # all of it was reasoning
            return text.lstrip()
        return text

    def _was_silent(self, source: MuxSource) -> bool:
        return self._now_s - source.seen >= self.config.silence_s

    def _begin_text(self, source: MuxSource, text: str, chunk: OracleChunk) -> None:
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
        new = SourceGeneration(
            chunk.generation, source.life, '', since, self._now_s, queued=self._now_s,
            turn=self._now_s,
        )  # fmt: skip
        if said is not None and talking:
            new.queued, new.turn, new.overdue = said.queued, said.turn, said.overdue
        source.said = new
        self._append(new, text, chunk)

    def _append(self, said: SourceGeneration, text: str, chunk: OracleChunk) -> None:
        said.priority = chunk.priority
        said.utterance, said.revision = chunk.utterance, chunk.revision
        if not text:
            return
        said.grew = self._now_s
        room = 0 if said.full else self.config.max_chars - len(said.text)
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

    def _on_end(self, source: MuxSource, chunk: OracleChunk) -> None:
        number = chunk.generation
        self._complete(source, chunk)
        said = source.said
        if source.open == number:
            source.open = None
            self._count['empty'] += 1
        elif said is not None and (said.number, said.life) == (number, source.life):
            source.proved = said.closed = said.ended = True
            said.aged = False
        elif number > source.newest:
            self._count['empty'] += 1
        else:
            self._ignore(source, number)

    def _complete(self, source: MuxSource, end: OracleChunk) -> None:
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

    def _on_clear(self, source: MuxSource, chunk: OracleChunk) -> None:
        self._count['cleared'] += 1
        source.said = source.open = source.held = None
        if chunk.generation < 0:
            self._begin_anew(source)

    def _ignore(self, source: MuxSource, number: int) -> None:
        """A chunk of a generation that was replaced or dropped is late; others are mistakes."""
        ended = source.said is not None and source.said.number == number
        late = number in source.known and not ended
        self._count['late' if late else 'ignored_old'] += 1
        if not late:
            source.err(self._now_s)

    def _make_room(self) -> None:
        holder = self._turns.holder
        while source := mux_room.too_much(self._sources.values(), self._now_s, holder):
            self._give_up(source, 'crowded_dropped', 'too much waits to be said')

    def _clear_the_way(self) -> None:
        """While there is an answer to the user, what nobody ended is dropped."""
        now = self._now_s
        waiting = [s for s in self._sources.values() if s.said and not s.said.spoken]
        answers = [s for s in waiting if s.said and s.said.utterance >= 0 and s.reliable(now)]
        for source in waiting if answers else ():
            if source.said and source.said.stale and self._turns.over(source, now):
                self._give_up(source, 'unended_dropped', 'its text has no END')

    def _give_up(self, source: MuxSource, counter: str, why: str) -> None:
        source.said = source.held = None
        source.proved = False
        self._count[counter] += 1
        self._on_unsaid(source.name, why)

    def _choose(self) -> None:
        waiting = [s for s in self._sources.values() if s.said and not s.said.spoken]
        source = self._turns.choose(waiting, self._now_s)
        for other in waiting:
            if other is not source and other.said:
                other.said.waits_since = None
        if source is None or source.said is None:
            self._now = None
            return
        now = source.said
        if now.waits_since is None:
            now.waits_since = self._now_s
        self._now = Oracle(
            source.name, now.number, now.text, now.ended,
            priority=now.priority, utterance=now.utterance, revision=now.revision, life=now.life,
        )  # fmt: skip


def _is_newer(name: str, said: SourceGeneration, over: tuple[str, int, int]) -> bool:
    source, number, life = over
    same = name == source and said.life == life
    return same and said.number > number and said.utterance >= 0
