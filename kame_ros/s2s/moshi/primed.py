"""The state of a streaming model after some frames, kept to begin sessions with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

from kame_ros.s2s.moshi.weights.upstream import RingKVCache

_NOT_OF_THE_PAST = ('exec_mask', 'initial', 'condition_sum', 'condition_cross')
_PLACES_OF_A_FRAME = 2  # Mimi's transformers see 25 steps in a second, 2 for each frame


class Primed:
    """What row `row` of all states knows after `frames` frames since its reset.

    `give` puts it into another row: that goes on as if it had heard them. Of the rings only the
    places are kept that can be filled by then.
    """

    def __init__(self, roots: Iterable[nn.Module], rows: int, row: int, frames: int) -> None:
        self._roots, self._rows = tuple(roots), rows
        self._places = _PLACES_OF_A_FRAME * frames + 1
        self._kept = [part.clone() for part in self._parts(row)]

    @torch.no_grad()
    def give(self, row: int) -> None:
        """Lets a row go on from there; in place, so that captured graphs see it."""
        for part, kept in zip(self._parts(row), self._kept, strict=True):
            part.copy_(kept)

    def _parts(self, row: int) -> Iterator[Tensor]:
        """Views of all that a row remembers, always in the same order."""
        for root in self._roots:
            for module in root.modules():
                state = getattr(module, '_streaming_state', None)
                for name, value in sorted(vars(state).items()) if state is not None else ():
                    if isinstance(value, RingKVCache):
                        yield value.cache[:, row, :, : self._places]
                        if value.respect_exec_mask:
                            yield value.end_offset[row : row + 1]
                    elif self._is_of_rows(name, value):
                        yield value[row : row + 1]

    def _is_of_rows(self, name: str, value: object) -> bool:
        if not isinstance(value, Tensor) or name in _NOT_OF_THE_PAST:
            return False
        return len(value) == self._rows
