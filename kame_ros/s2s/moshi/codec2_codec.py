"""Codec2 in the place of Mimi: the same methods on tensors, one voice for each slot."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack

import numpy as np
import torch
from torch import Tensor

from kame_ros.audio.frame import FRAME_SAMPLES, SAMPLE_RATE
from kame_ros.s2s.moshi.codec2 import CODEBOOKS, Codec2Voice


class Codec2Codec:
    """What `MoshiSlots` needs of a codec, from Codec2 700C, which always runs on a CPU.

    Raises Codec2MissingError without the library.
    """

    frame_size = FRAME_SAMPLES
    sample_rate = SAMPLE_RATE
    num_codebooks = CODEBOOKS

    def __init__(self) -> None:
        self._voices = [Codec2Voice()]
        self._mask = [True]

    def streaming(self, slots: int) -> AbstractContextManager[object]:
        """Makes a voice for each slot; there is nothing to free at the end."""
        self._voices = [Codec2Voice() for _ in range(slots)]
        self._mask = [True] * slots
        return ExitStack()

    def set_exec_mask(self, mask: Tensor) -> None:
        """Only the voices of slots in `mask`, bool[B], hear and speak; the others stand still."""
        self._mask = mask.tolist()

    def reset_streaming(self, rows: Tensor) -> None:
        """Lets the voices of slots in `rows`, bool[B], begin anew, and run."""
        for slot, chosen in enumerate(rows.tolist()):
            if chosen:
                self._voices[slot].reset()
                self._mask[slot] = True

    def encode(self, sound: Tensor) -> Tensor:
        """Takes float[B, 1, 1920] in -1 to 1, gives codes int64[B, 8, 1]."""
        heard = sound[:, 0].float().cpu().numpy()
        codes = np.zeros((len(heard), CODEBOOKS, 1), np.int64)
        for slot, voice in enumerate(self._voices):
            if self._mask[slot]:
                codes[slot, :, 0] = voice.encode(heard[slot])
        return torch.from_numpy(codes).to(sound.device)

    def decode(self, codes: Tensor) -> Tensor:
        """Takes codes int64[B, 8, 1], gives float32[B, 1, 1920]."""
        wanted = codes[:, :, 0].cpu().numpy()
        sound = np.zeros((len(wanted), 1, FRAME_SAMPLES), np.float32)
        for slot, voice in enumerate(self._voices):
            if self._mask[slot]:
                sound[slot, 0] = voice.decode(wanted[slot])
        return torch.from_numpy(sound).to(codes.device)
