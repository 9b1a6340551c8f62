"""Reads one tensor after another from a safetensors file, with a small buffer.

The safetensors library maps the file: an F32 checkpoint that is cast while it is read would hold
both copies in memory. Here at most `CHUNK_BYTES` of the file are held at a time.
Format: https://github.com/huggingface/safetensors (a length, a JSON header, raw little-endian data)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import torch
from torch import Tensor

from kame_ros.s2s.moshi.weights.errors import CheckpointError
from kame_ros.s2s.moshi.weights.safetensors_header import read_header

# What reading an entry of a header raises that is none.
_BROKEN = (ValueError, KeyError, TypeError, AttributeError, OverflowError)
CHUNK_BYTES = 8 << 20
DTYPES = {
    'F64': torch.float64,
    'F32': torch.float32,
    'F16': torch.float16,
    'BF16': torch.bfloat16,
    'F8_E4M3': torch.float8_e4m3fn,
    'F8_E5M2': torch.float8_e5m2,
    'I64': torch.int64,
    'I32': torch.int32,
    'I16': torch.int16,
    'I8': torch.int8,
    'U8': torch.uint8,
    'BOOL': torch.bool,
}


@dataclass(frozen=True)
class TensorEntry:
    """Where a tensor lies in its file."""

    dtype: torch.dtype
    shape: tuple[int, ...]
    start: int
    end: int


class SafetensorsFile:
    """An open safetensors file. `entries` tells what is in it; `read` gives one tensor.

    Raises CheckpointError if the file is not a whole safetensors file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = path.open('rb')
        except OSError as error:
            raise CheckpointError(f'cannot read {path}: {error.strerror}') from error
        try:
            self.entries = self._read_header()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> SafetensorsFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def _read_header(self) -> dict[str, TensorEntry]:
        size = self.path.stat().st_size
        try:
            header, base = read_header(self._file, self.path)
            header.pop('__metadata__', None)
            entries = {key: self._entry(key, item, base) for key, item in header.items()}
        except (*_BROKEN, RecursionError) as error:
            raise CheckpointError(f'{self.path} has a broken safetensors header') from error
        for key, entry in entries.items():
            if entry.end > size:
                raise CheckpointError(
                    f'{self.path} was cut off: {key} ends at byte {entry.end}, the file at {size}; '
                    'download it again'
                )
        return entries

    def _entry(self, key: str, item: dict, base: int) -> TensorEntry:
        name = item['dtype']
        if name not in DTYPES:
            raise CheckpointError(f'{self.path}: {key} has the unknown dtype {name}')
        dtype, shape = DTYPES[name], tuple(int(n) for n in item['shape'])
        start, end = (base + int(n) for n in item['data_offsets'])
        count = math.prod(shape)
        if min(shape, default=0) < 0 or start < base or end - start != count * dtype.itemsize:
            raise CheckpointError(
                f'{self.path}: {key} of shape {list(shape)} cannot be {end - start} bytes long'
            )
        return TensorEntry(dtype, shape, start, end)

    def read(
        self, key: str, dtype: torch.dtype | None = None, device: str | torch.device = 'cpu'
    ) -> Tensor:
        """Gives a tensor; a floating-point one is cast to `dtype` while it is read."""
        entry = self.entries[key]
        if dtype is None or not entry.dtype.is_floating_point:
            dtype = entry.dtype
        out = torch.empty(entry.shape, dtype=dtype, device=device)
        flat = out.view(-1)
        buffer = bytearray(min(CHUNK_BYTES, entry.end - entry.start))
        self._file.seek(entry.start)
        done = 0
        while done < flat.numel():
            count = min(flat.numel() - done, len(buffer) // entry.dtype.itemsize)
            part = memoryview(buffer)[: count * entry.dtype.itemsize]
            if self._file.readinto(part) != len(part):
                raise CheckpointError(f'{self.path} was cut off in {key}: download it again')
            flat[done : done + count].copy_(torch.frombuffer(part, dtype=entry.dtype))
            done += count
        return out
