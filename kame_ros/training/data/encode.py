"""The codec of a checkpoint on whole recordings: in order and with memory, as it hears live."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

import numpy as np

from kame_ros.wire.frame import FRAME_SAMPLES

# Frames in a call of Mimi. Its attention reaches back 250 steps of 40 ms; those of a window share
# a ring of that size, so the first of 12 frames sees 226. Frame by frame takes 3.5 times as long.
WINDOW = 12
HUSH_FRAMES = 50  # of silence, after which its codes are those of a silent frame


class Encoder(Protocol):
    """Two voices at once, from the beginning of a recording to its end."""

    codebooks: int

    def encode(self, windows: Iterable[np.ndarray]) -> Iterable[np.ndarray]:
        """Takes float32[2, n * 1920] at 24 kHz, at most `WINDOW` frames each; gives [2, 8, n]."""


class MimiEncoder:
    """Mimi, on a CPU or a GPU. Raises CheckpointError if its weights do not fit."""

    def __init__(self, mimi: Any, device: str) -> None:
        self._mimi, self._device = mimi, device
        self.codebooks = int(mimi.num_codebooks)

    def encode(self, windows: Iterable[np.ndarray]) -> Iterable[np.ndarray]:
        """Takes float32[2, n * 1920] at 24 kHz; gives codes int16[2, 8, n]."""
        import torch

        with torch.inference_mode(), self._mimi.streaming(2):
            for window in windows:
                frames = window.shape[1] // FRAME_SAMPLES
                # Always the same shape: a GPU runs a recorded graph.
                full = np.zeros((2, 1, WINDOW * FRAME_SAMPLES), np.float32)
                full[:, 0, : window.shape[1]] = window
                codes = self._mimi.encode(torch.from_numpy(full).to(self._device))
                yield codes[:, :, :frames].cpu().numpy().astype(np.int16)


def load(where: str, device: str = 'cpu') -> Encoder:
    """The encoder of a checkpoint; raises what `checkpoint.find` and `load.load_mimi` do."""
    from kame_ros.s2s.moshi.weights import load as loading
    from kame_ros.s2s.moshi.weights import runtime
    from kame_ros.s2s.moshi.weights.checkpoint import find

    runtime.use_threads(1)
    device = runtime.choose_device(device)
    return MimiEncoder(loading.load_mimi(find(where, weights=False, codec=True), device), device)


def silence(encoder: Encoder) -> list[int]:
    """The codes of a silent frame: those that come most often once the codec has settled."""
    hush = np.zeros((2, WINDOW * FRAME_SAMPLES), np.float32)
    windows = [hush] * -(-HUSH_FRAMES // WINDOW)
    codes = np.concatenate(list(encoder.encode(windows)), axis=2)[0]
    late = codes[:, codes.shape[1] // 2 :].T
    kinds, counts = np.unique(late, axis=0, return_counts=True)
    return [int(code) for code in kinds[int(np.argmax(counts))]]


def whole(
    encoder: Encoder, windows: Iterable[np.ndarray], tick: Callable[[int], None] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Codes int16[2, 8, T] of a recording, and how loud its frames are, RMS float32[2, T].

    `tick` is called with the number of frames after each window.
    """
    levels: list[np.ndarray] = []

    def listen() -> Iterable[np.ndarray]:
        for window in windows:
            parts = window.reshape(2, -1, FRAME_SAMPLES)
            levels.append(np.sqrt(np.mean(parts**2, axis=2)))
            yield window

    codes = []
    for part in encoder.encode(listen()):
        codes.append(part)
        if tick is not None:
            tick(part.shape[2])
    if not codes:
        return np.zeros((2, encoder.codebooks, 0), np.int16), np.zeros((2, 0), np.float32)
    return np.concatenate(codes, axis=2), np.concatenate(levels, axis=1).astype(np.float32)
