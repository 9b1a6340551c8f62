"""A crop of prepared data as a picture: what a training step sees of a dialogue."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from kame_ros.training.data import same_codec
from kame_ros.training.data.layout import FRAME_HZ
from kame_ros.training.data.shards import Crop, ShardSource
from kame_ros.training.pictures import look


def draw(
    folder: Path,
    number: int,
    picture: Path,
    seconds: float = 12.8,
    checkpoint: str = '',
    held_out: bool = False,
) -> Crop:
    """Draws crop `number`; the sound is what the codec makes of the tokens.

    Mimi is that of `checkpoint`, by default the one that the data were prepared for. Raises
    DataError for the data and for another Mimi, CheckpointError if it is not there any more.
    """
    frames = max(2, round(seconds * FRAME_HZ))
    source = ShardSource(folder, batch=1, frames=frames)
    crop = source.crop(number, held_out)
    voice = _decoder(checkpoint or source.info.checkpoint, source.info.codec_file)
    tokenizer: Any = source.tokenizer
    start = crop.first / FRAME_HZ
    user = [
        (word.start - start, word.text)
        for word in crop.words
        if word.speaker != crop.robot and 0 <= word.start - start < frames / FRAME_HZ
    ]
    look.draw(
        crop.example,
        voice(crop.example.user),
        voice(crop.example.robot),
        lambda token: tokenizer.id_to_piece(token).replace('\u2581', ' ').strip(),
        source.info.marks,
        picture,
        f'{crop.name}, {crop.robot} is the robot, from {start:.1f} s',
        user,
    )
    return crop


def _decoder(checkpoint: str, codec_file: str) -> Callable[[np.ndarray], np.ndarray]:
    import torch

    from kame_ros.s2s.moshi.weights.checkpoint import find
    from kame_ros.s2s.moshi.weights.load import load_mimi

    found = find(checkpoint, weights=False, codec=True)
    same_codec.check(codec_file, found)
    mimi = load_mimi(found)

    def decode(codes: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            sound: np.ndarray = mimi.decode(torch.from_numpy(codes)[None])[0, 0].numpy()
        return sound

    return decode
