"""The oracle on the wire: pieces of what the answer should be."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from enum import IntEnum

LLM = 'llm'  # the source of what the oracle node writes


class ChunkKind(IntEnum):
    """What a chunk does to the generation it belongs to; the values are those of the message."""

    BEGIN = 0  # a new generation of this source starts; it replaces the old one at its first text
    TEXT = 1  # more text, whole words, with the spaces between them
    END = 2  # the generation is complete
    CLEAR = 3  # forget all that this source has said and not yet spoken


@dataclass(frozen=True)
class OracleChunk:
    """A piece of an oracle from one source.

    The source with the highest `priority` speaks first (the LLM has 0). `utterance` and `revision`
    name the transcript that the text answers; -1 where it answers none. The texts of a
    generation are joined as they are: spaces belong to the text.
    """

    source: str
    generation: int
    kind: ChunkKind
    text: str = ''
    priority: int = 0
    utterance: int = -1
    revision: int = -1


def whole(source: str, generation: int, text: str, priority: int = 0) -> tuple[OracleChunk, ...]:
    """The chunks of a text that is complete already: it begins, is there, and ends."""
    pieces = ((ChunkKind.BEGIN, ''), (ChunkKind.TEXT, text), (ChunkKind.END, ''))
    return tuple(OracleChunk(source, generation, kind, piece, priority) for kind, piece in pieces)


@dataclass(frozen=True)
class Oracle:
    """What the front-end should say now: one generation of one source, as far as it is written.

    `life` grows when the source numbers its generations anew: number 1 of another life is another
    text, and no correction of what was said before. `asked` are the words of the user that it
    answers, where they are known.
    """

    source: str
    generation: int
    text: str
    ended: bool = False
    _: KW_ONLY
    priority: int = 0
    utterance: int = -1
    revision: int = -1
    life: int = field(default=0, compare=False)
    asked: str = field(default='', compare=False)

    @property
    def key(self) -> tuple[str, int, int]:
        """Tells this generation from every other."""
        return self.source, self.generation, self.life
