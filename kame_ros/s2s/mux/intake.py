"""Reads waiting chunks of oracles, so few for each frame that the frame is done in time."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import replace

from kame_ros.text import reader
from kame_ros.wire.oracle import ChunkKind, OracleChunk

A_FRAME = 1_000  # characters, read in a few milliseconds; nobody speaks a tenth as fast
MAX_WAITING = 40_000  # characters: what came last is taken 3 s later
_CHUNK = 10  # characters that any chunk counts for, beside its text


class Intake:
    """A queue of chunks for one reader and any number of writers, who may be hasty.

    A text longer than a frame's share is read on in the next frames; its order stays. When there
    are `bound` chunks, or as many characters as are read in a few seconds, the new one is refused.
    What a chunk has beyond the longest text that is read, it loses. Both are counted.
    """

    def __init__(self, bound: int, a_frame: int = A_FRAME, max_waiting: int = MAX_WAITING) -> None:
        if bound < 1 or a_frame <= _CHUNK or max_waiting < reader.MOST:
            raise ValueError('an intake has room for a chunk, and reads some of it in each frame')
        self.received = self.dropped = self.deepest = 0
        self.cut_chars = 0
        self._bound, self._a_frame, self._max_waiting = bound, a_frame, max_waiting
        self._chunks: deque[OracleChunk] = deque()
        self._waiting = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._chunks)

    def put(self, chunk: OracleChunk) -> bool:
        """Adds a chunk; False if there was no room."""
        text = chunk.text if chunk.kind == ChunkKind.TEXT else ''  # others have none to be read
        with self._lock:
            self.received += 1
            size = _CHUNK + min(len(text), reader.MOST)
            if len(self._chunks) >= self._bound or self._waiting + size > self._max_waiting:
                self.dropped += 1
                return False
            self.cut_chars += max(0, len(text) - reader.MOST)
            self._chunks.append(replace(chunk, text=text[: reader.MOST]))
            self._waiting += size
            self.deepest = max(self.deepest, len(self._chunks))
            return True

    def take(self) -> list[OracleChunk]:
        """Takes what is to be read in one frame, oldest first; of the last one perhaps a part."""
        taken: list[OracleChunk] = []
        left = self._a_frame
        with self._lock:
            while self._chunks and left > _CHUNK:
                chunk = self._chunks.popleft()
                left -= _CHUNK
                rest = chunk.text[left:]
                if rest:
                    self._chunks.appendleft(replace(chunk, text=rest))
                    chunk = replace(chunk, text=chunk.text[:left])
                else:
                    self._waiting -= _CHUNK
                left -= len(chunk.text)
                self._waiting -= len(chunk.text)
                taken.append(chunk)
        return taken

    def forget(self) -> int:
        """Forgets all that waits, and tells how many chunks it was."""
        with self._lock:
            many = len(self._chunks)
            self._chunks.clear()
            self._waiting = 0
            return many

    def counters(self, prefix: str) -> dict[str, float]:
        """Depth and losses for diagnostics, each name with the given prefix."""
        return {
            f'{prefix}_queue': len(self._chunks),
            f'{prefix}_queue_deepest': self.deepest,
            f'{prefix}_dropped': self.dropped,
        }
