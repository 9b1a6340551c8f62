"""A model for tests of the `small` front-end: it says what is in its window, at a steady pace."""

from collections.abc import Sequence

import numpy as np

SILENT = np.zeros(8, np.int64)
LOUD = np.ones(8, np.int64)


class ObedientStepper:
    """Says the next piece of its window every `pace` frames, `lead_in` before the first one.

    Each piece sounds for `pace` frames. `deaf`: it says nothing unless it has to. `opener`: it
    begins its lead-in where it may open, though nothing is due. Notes what it was told.
    """

    def __init__(self, pace: int = 2, lead_in: Sequence[int] = (), end: int = 9_999) -> None:
        self.pace, self.lead_in, self.end = pace, list(lead_in), end
        self.deaf = self.opener = False
        self.windows: list[np.ndarray] = []
        self.marks: list[int] = []
        self.silent: list[bool] = []
        self.eager: list[bool] = []
        self.opens: list[bool] = []
        self.shunned: list[tuple[int, ...]] = []
        self.reset()

    def reset(self) -> None:
        self._sounds = 0  # frames for which the last piece still sounds
        self._before = list(self.lead_in)
        self._all = len(self._before)

    def hear(self, ear: np.ndarray, window: np.ndarray, mark: int) -> np.ndarray:
        assert ear.shape == (84,)
        self.windows.append(window)
        self.marks.append(mark)
        return ear[4:5]  # what it makes of that: a band

    def say(
        self,
        *,
        silent: bool = False,
        eager: bool = False,
        opens: bool = False,
        answers: int = 0,
        shunned: Sequence[int] = (),
        allowed: Sequence[int] | None = None,
        mute: bool = False,
    ) -> tuple[int, np.ndarray]:
        window = self.windows[-1]
        self.silent.append(silent)
        self._sounds = max(0, self._sounds - 1)
        due = int(window[0])
        piece = 0
        self.eager.append(eager)
        self.opens.append(opens)
        self.shunned.append(tuple(shunned))
        deaf = self.deaf and not eager
        opener = self.opener and bool(self._before) and (opens or len(self._before) < self._all)
        if not (silent or deaf or self._sounds) and (opener or due not in (0, self.end)):
            if answers:
                self._before = []
            piece = self._before.pop(0) if self._before else due
            self._sounds = self.pace
        assert allowed is None or piece == 0 or piece in allowed
        return piece, LOUD if self._sounds and not mute else SILENT


class BuzzingVoice:
    """Buzzes a frame late for codes that are not silent."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._last = SILENT

    def step(self, codes: np.ndarray) -> np.ndarray:
        loud, self._last = self._last.any(), codes
        return np.tile(np.array([8000, -8000], np.int16), 960) * np.int16(loud)
