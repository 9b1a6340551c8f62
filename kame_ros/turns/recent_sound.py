"""Keeps the last seconds of the user's sound, for whoever wants to listen to them."""

from __future__ import annotations

from collections import deque

import numpy as np

RATE = 16_000  # Hz


class RecentSound:
    """Sound of any length in; what was heard last out. Keeps `most_s` seconds, and copies nothing
    before it is asked.
    """

    def __init__(self, most_s: float = 8.0) -> None:
        self._most = round(most_s * RATE)
        self.clear()

    def clear(self) -> None:
        """A new session: nothing was heard."""
        self._chunks: deque[np.ndarray] = deque()
        self._count = 0  # samples in them

    def push(self, sound: np.ndarray) -> None:
        """Takes float32[n] at 16 kHz, and keeps it as it is."""
        self._chunks.append(sound)
        self._count += len(sound)
        while self._count - len(self._chunks[0]) >= self._most:
            self._count -= len(self._chunks.popleft())

    def last(self, seconds: float) -> np.ndarray:
        """The newest float32[n] at 16 kHz: `seconds` of it, or less where less was heard."""
        wanted = max(0, min(round(seconds * RATE), self._most, self._count))
        chunks, count = [np.zeros(0, np.float32)], 0
        for chunk in reversed(self._chunks):
            if count >= wanted:
                break
            chunks.append(chunk)
            count += len(chunk)
        sound = np.concatenate(chunks[::-1])
        return sound[len(sound) - wanted :]
