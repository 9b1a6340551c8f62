"""Words and oracle events to tokens, one for each frame of 80 ms.

All streams lie on the axis of a live session: frame p is what is heard, fed and decided in step p.
`for_training` then moves what the model hears by one frame, because `LMGen` hears frame p while it
makes frame p, but `LMModel.forward` shows it frame p only for frame p + 1 (moshi/models/lm.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

FRAME_HZ = 12.5
Encode = Callable[[str], list[int]]


@dataclass(frozen=True)
class Marks:
    """The text tokens that stand for no text, as the model's config.json has them."""

    start: int  # begins an oracle; `text_card`
    padding: int = 3
    end_of_padding: int = 0  # just before a word


@dataclass(frozen=True)
class OracleEvent:
    """An oracle that reaches the front-end at `start` s and arrives at `pace` tokens a second.

    `pace` 0 means all at once: then one token is fed in each frame, as the front-end does.
    """

    start: float
    text: str
    pace: float = 0.0


def monologue(
    words: Sequence[tuple[float, float, str]], encode: Encode, frames: int, marks: Marks
) -> np.ndarray:
    """The text stream of a speaker's words (start, end in s, text); int64[frames].

    The first token of a word is on the frame where the word begins, the others share its time by
    their letters. A frame that is taken moves a token on to the next free one, so that none is
    lost but at the end of the recording. EPAD stands before a word that follows padding.
    """
    out = np.full(frames, marks.padding, np.int64)
    free = 0
    for start, end, text in words:
        tokens = encode(text)
        for number, token in enumerate(tokens):
            at = max(free, int((start + (end - start) * number / len(tokens)) * FRAME_HZ))
            if at >= frames:
                return out
            out[at] = token
            free = at + 1
            if number == 0 and at > 0 and out[at - 1] == marks.padding:
                out[at - 1] = marks.end_of_padding
    return out


def oracle_axis(
    events: Iterable[OracleEvent],
    encode: Encode,
    frames: int,
    marks: Marks,
    first: int = 0,
) -> np.ndarray:
    """The oracle stream as the front-end feeds it; int64[frames], from frame `first` on.

    An oracle begins with the start token and truncates the one before: from its first frame on,
    nothing of the old one is left (the published collator overlays, kame_finetune's utils/data.py).
    """
    out = np.full(frames, marks.padding, np.int64)
    starts = [(int(event.start * FRAME_HZ) - first, event) for event in _in_order(events)]
    running = sum(at <= 0 for at, _ in starts) - 1  # what came before it is truncated
    for at, event in starts[max(0, running) :]:
        if at >= frames:
            break
        out[max(0, at) :] = marks.padding
        if at >= 0:
            out[at] = marks.start
        for number, token in enumerate(encode(event.text)):
            arrived = event.start + (number / event.pace if event.pace else 0.0)
            at = max(at + 1, int(arrived * FRAME_HZ) - first)
            if at >= frames:
                break
            if at >= 0:
                out[at] = token
    return out


def _in_order(events: Iterable[OracleEvent]) -> list[OracleEvent]:
    return sorted(events, key=lambda event: event.start)


@dataclass(frozen=True)
class Example:
    """The streams of a dialogue, live: text[T], robot[8, T], user[8, T], oracle[T]."""

    text: np.ndarray
    robot: np.ndarray
    user: np.ndarray
    oracle: np.ndarray

    def __post_init__(self) -> None:
        frames = len(self.text)
        if len(self.oracle) != frames or any(
            codes.ndim != 2 or codes.shape[1] != frames for codes in (self.robot, self.user)
        ):
            raise ValueError('the streams of an example are of different lengths')


def for_training(example: Example) -> tuple[np.ndarray, np.ndarray]:
    """The arguments of `OracleLMModel.forward`: codes int64[17, T - 1], oracle int64[1, T - 1]."""
    codes = np.concatenate(
        [example.text[None, :-1], example.robot[:, :-1], example.user[:, 1:]], axis=0
    )
    return codes, example.oracle[None, 1:]
