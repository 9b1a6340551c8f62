"""Scenes made by several processes while the model trains, kept on the device, drawn at random."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kame_ros.training.run.state import TrainingError
from kame_ros.training.small.ingredients import CHUNK, Ingredients, send_scenes

FILLED = 4  # batches that are there before the first is drawn


class Pool:
    """At most `size` scenes, on `device`; new ones take the place of the oldest.

    Which scenes are there when a batch is drawn depends on how fast the processes are: two runs
    never draw the same ones.
    """

    def __init__(
        self, ingredients: Ingredients, size: int, workers: int, seed: int, device: str
    ) -> None:
        """Starts `workers` processes, each of which makes other scenes."""
        context = multiprocessing.get_context('spawn')
        self._ends: list[Any] = []
        self._processes = []
        for number in range(workers):
            mine, theirs = context.Pipe(duplex=False)
            args = (ingredients, seed * 1000 + number, theirs)
            process = context.Process(target=send_scenes, args=args, daemon=True)
            process.start()
            theirs.close()
            self._ends.append(mine)
            self._processes.append(process)
        self._size, self._device = max(1, size // CHUNK) * CHUNK, device
        self._streams: dict[str, Tensor] = {}
        self._at = self._turn = 0
        self.made = 0

    def batch(self, step: int, count: int) -> dict[str, Tensor]:
        """`count` scenes, each stream [count, T, ...]; waits until a few batches are there.

        Raises TrainingError if a process that makes scenes has ended.
        """
        while self.made < min(FILLED * count, self._size):
            self.refill(wait=True)
        # Until a quarter is full each step takes a chunk, and then every other one: taking them
        # costs a large GPU more time than drawing.
        if step % 2 == 0 or self.made < self._size // 4:
            self.refill()
        known = min(self.made, self._size)
        rows = torch.randint(known, (count,), device=self._device)
        return {name: value[rows] for name, value in self._streams.items()}

    def refill(self, wait: bool = False) -> None:
        """Takes a chunk that a process has made, if there is one; with `wait` it waits for it.

        The processes make more than the training step has time to take, and wait then.
        """
        waiting: list[Any] = multiprocessing.connection.wait(self._ends, None if wait else 0)
        if waiting:
            end = waiting[self._turn % len(waiting)]
            self._turn += 1
            try:
                self._put(end.recv())
            except EOFError:
                raise TrainingError(
                    'a process that makes scenes has ended (its error is above, if it had one; '
                    'else the memory was not enough): the same command goes on'
                ) from None

    def _put(self, chunk: dict[str, np.ndarray]) -> None:
        if not self._streams:
            for name, value in chunk.items():
                shape = (self._size, *value.shape[1:])
                kind = torch.from_numpy(value).dtype
                self._streams[name] = torch.zeros(shape, dtype=kind, device=self._device)
        for name, value in chunk.items():
            here = self._streams[name][self._at : self._at + CHUNK]
            here.copy_(torch.from_numpy(value), non_blocking=True)
        self._at = (self._at + CHUNK) % self._size
        self.made += CHUNK

    def close(self) -> None:
        """Ends the processes."""
        for process in self._processes:
            process.terminate()
        for end in self._ends:
            end.close()
