"""Encodes recordings into files of codes, in this process or in several, in order."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from multiprocessing import connection, get_context, parent_process
from pathlib import Path

import numpy as np

from kame_ros.training.data import encode, recording
from kame_ros.training.data.data_file import write_whole
from kame_ros.training.data.dialogue import DataError
from kame_ros.training.data.inputs import Input
from kame_ros.wire.frame import FRAME_S

_encoder: encode.Encoder  # of a worker process


@dataclass(frozen=True)
class Encoded:
    """The file of a recording's codes, or what is wrong with the recording."""

    source: Input
    frames: int = 0
    problem: str = ''


def part(folder: Path, source: Input) -> Path:
    """Where the codes of a recording are kept until its shard is written."""
    return folder / 'parts' / f'{source.fingerprint}.safetensors'


def load_part(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Codes int16[2, 8, T] and loudness float32[2, T]. Raises DataError."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        found = load_file(path)
        return found['codes'], found['levels']
    except (SafetensorError, OSError, KeyError) as error:
        raise DataError(f'{path} is damaged ({error}): remove it and run it again') from error


def encode_all(
    sources: Sequence[Input],
    folder: Path,
    load: Callable[[], encode.Encoder],
    workers: int = 1,
    tick: Callable[[float], None] | None = None,
) -> Iterator[Encoded]:
    """Encodes into parts of `folder` what is not there yet, and gives all in order.

    `load` makes an encoder in each process; `tick` is told of seconds that are done. Raises OSError
    if a part cannot be written, DataError if a worker was killed.
    """
    tick = tick or (lambda seconds: None)
    missing = sum(not part(folder, source).exists() for source in sources)
    if min(workers, missing) <= 1:
        yield from _here(sources, folder, load, tick)
        return
    pool = ProcessPoolExecutor(
        min(workers, missing), get_context('spawn'), initializer=_begin, initargs=(load,)
    )
    try:
        for done in pool.map(partial(_work, folder), sources):
            tick(done.source.seconds)
            yield done
    except BrokenProcessPool as error:
        raise DataError(
            'a process that encodes was killed, perhaps for want of memory: run it again with '
            'fewer --workers; what was encoded is kept'
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _here(
    sources: Sequence[Input],
    folder: Path,
    load: Callable[[], encode.Encoder],
    tick: Callable[[float], None],
) -> Iterator[Encoded]:
    encoder: encode.Encoder | None = None
    for source in sources:
        if part(folder, source).exists():
            tick(source.seconds)
        elif encoder is None:
            encoder = load()
        yield _one(source, folder, encoder, lambda frames: tick(frames * FRAME_S))


def _begin(load: Callable[[], encode.Encoder]) -> None:
    """The beginning of a worker: it ends with its parent, and without a word at Ctrl-C."""
    global _encoder
    os.environ['OMP_NUM_THREADS'] = '1'
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_follow_parent, daemon=True).start()
    _encoder = load()


def _follow_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _work(folder: Path, source: Input) -> Encoded:
    return _one(source, folder, _encoder, None)


def _one(
    source: Input,
    folder: Path,
    encoder: encode.Encoder | None,
    tick: Callable[[int], None] | None,
) -> Encoded:
    from safetensors.numpy import save

    path = part(folder, source)
    try:
        if path.exists() or encoder is None:
            return Encoded(source, load_part(path)[0].shape[2])
        windows = recording.frames(source.audio, source.swap, encode.WINDOW)
        codes, levels = encode.whole(encoder, windows, tick)
    except DataError as error:
        return Encoded(source, problem=str(error))
    length = codes.shape[2] * FRAME_S
    if length < max(FRAME_S, source.seconds - FRAME_S):
        problem = (
            f'{source.audio} ends after {length:.2f} s of {source.seconds:.2f} s: it was cut off'
        )
        return Encoded(source, problem=problem)
    write_whole(path, save({'codes': codes, 'levels': levels}))
    return Encoded(source, codes.shape[2])
