"""Prepared dialogues as batches: random crops, with the latency of the oracles drawn anew."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kame_ros.training.layout import Marks
from kame_ros.training.source import Batch


@dataclass(frozen=True, kw_only=True)
class DataInfo:
    """What a folder of `kame train prepare` says of itself.

    `codec` is `mimi` or `codec2-700c`; `silence` are the codes [codebooks] of a silent frame.
    `dialogues` counts what is trained on, `held_out` what is not; `hours` is of both.
    """

    codec: str
    codebooks: int
    card: int
    text_card: int
    marks: Marks
    tokenizer: bytes
    tokenizer_sha256: str
    silence: tuple[int, ...]
    oracle_every: int
    checkpoint: str
    dialogues: int
    held_out: int
    hours: float


class ShardSource:
    """A `Source` of crops of `frames` frames; `rank` of `world` processes gets its own.

    Raises DataError for a folder that is not whole, or a shard that is damaged.
    """

    info: DataInfo

    def __init__(
        self,
        folder: Path,
        *,
        batch: int,
        frames: int,
        seed: int = 0,
        rank: int = 0,
        world: int = 1,
        blank: float = 0.1,
    ) -> None:
        raise NotImplementedError

    def batch(self, step: int) -> Batch:
        """The batch of a training step."""
        raise NotImplementedError

    def held_out(self, number: int) -> Batch:
        """A batch of dialogues that are never trained on; DataError if there are none."""
        raise NotImplementedError
