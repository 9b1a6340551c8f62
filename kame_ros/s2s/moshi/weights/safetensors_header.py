"""The header of a safetensors file: a length, and JSON that tells of the tensors. No torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, BinaryIO

from kame_ros.s2s.moshi.weights.errors import NO_SAFETENSORS, CheckpointError

MAX_HEADER_BYTES = 100 << 20  # the limit of the library


def read_header(file: BinaryIO, path: Path) -> tuple[Any, int]:
    """What the header says, and the byte that the tensors begin at; `file` is at its beginning.

    Raises CheckpointError for a file that has no room for one; ValueError or RecursionError for
    one that is not JSON.
    """
    size = path.stat().st_size
    length = int.from_bytes(file.read(8), 'little')
    if not 2 <= length <= min(MAX_HEADER_BYTES, size - 8):
        raise CheckpointError(f'{path} {NO_SAFETENSORS}')
    return json.loads(file.read(length)), 8 + length
