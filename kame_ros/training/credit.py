"""The oracle axis for a model that is fed on credit: no more tokens than it can say soon."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kame_ros.s2s.moshi.token_feed import CreditFeed
from kame_ros.training.layout import FRAME_HZ, Encode, Marks, OracleEvent


def begin(events: Sequence[OracleEvent], first: int) -> int:
    """The frame in which the oracle begins that is being fed in frame `first`, or `first`."""
    before = [at for at in (int(event.start * FRAME_HZ) for event in events) if at <= first]
    return max(before, default=first)


def credit_axis(
    events: Sequence[OracleEvent],
    encode: Encode,
    text: np.ndarray,
    marks: Marks,
    ahead: int,
    first: int = 0,
    before: int | None = None,
) -> np.ndarray:
    """The oracle stream as the front-end's `CreditFeed` gives it; int64[T], from frame `first` on.

    `text` is the monologue [T], `before` its token in the frame before `first`. Each token of it
    makes room for another one of the oracle two frames later: the front-end learns of it in the
    frame after the one in which the model chose it.
    """
    feed = CreditFeed(marks.start, marks.padding, ahead)
    waiting = sorted(events, key=lambda event: event.start)
    coming: list[tuple[int, int]] = []  # (frame in which a token arrives, token)
    out = np.full(len(text), marks.padding, np.int64)
    silent = (marks.padding, marks.end_of_padding)
    earlier = marks.padding if before is None else before
    for number, said in enumerate([earlier, *text[:-1].tolist()]):
        frame = first + number
        while waiting and int(waiting[0].start * FRAME_HZ) <= frame:
            event = waiting.pop(0)
            tokens = encode(event.text)
            pace = [n / event.pace if event.pace else 0.0 for n in range(len(tokens))]
            times = [int((event.start + late) * FRAME_HZ) for late in pace]
            coming = list(zip(times, tokens, strict=True))
            feed.restart([])
        while coming and coming[0][0] <= frame:
            feed.append([coming.pop(0)[1]])
        out[number] = feed.next()
        if said not in silent:
            feed.said(said)
    return out
