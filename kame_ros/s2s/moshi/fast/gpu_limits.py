"""What the fused kernels can do on which GPU: told before anything is loaded. No torch, no Triton.

The numbers of `shared_bytes` are those that Triton's compiler gives; a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass

from kame_ros.s2s.moshi.memory import ITEMSIZE

ROWS = 16  # outputs of one program: enough programs for every multiprocessor
LEAST_BATCH = 16  # of a tensor-core product
MOST_SLOTS = 64
SHARED = 99 << 10  # bytes for a program: on sm_86, 89 and 120, the least of all that are known
OLDEST = (8, 0)  # Ampere: before it there is no bfloat16
FP8 = (8, 9)  # Ada: the first that converts float8
BITS = {'none': 16, 'int8': 8, 'fp8': 8, 'int4': 4}
_TRIED = ((256, 4), (256, 3), (128, 4), (128, 3), (128, 2), (64, 3), (64, 2))


@dataclass(frozen=True)
class Launch:
    """How the kernel of a linear layer is started: inputs at a time, and loads under way."""

    batch: int  # a power of two
    depth: int
    stages: int


def shared_bytes(batch: int, depth: int, stages: int, bits: int, itemsize: int) -> int:
    """Shared memory of a gated layer behind a norm, the largest there is; `itemsize` of an input.

    A weight of `bits` 16 is of the dtype of the inputs. For 4 bits it is an upper bound.
    """
    tile = ROWS * depth
    weights = 2 * (tile * itemsize if bits == 16 else tile if bits == 8 else tile // 2)
    loads = batch * depth * itemsize + weights + depth * itemsize
    beside = 0
    if bits == 4:
        loads += 2 * 4 * tile // 32
        beside = 2 * tile * itemsize
    if itemsize == 4:  # no tensor core takes float32: tiles are put in order first
        beside += batch * depth * 4 + (tile * 4 if bits == 8 else 0)
    return loads * (stages - 1) + beside


def launch(slots: int, quantise: str, itemsize: int) -> Launch:
    """The deepest launch whose shared memory every GPU has. Raises ValueError: there is none."""
    bits = BITS[quantise]
    batch = max(LEAST_BATCH, 1 << (slots - 1).bit_length())
    for depth, stages in _TRIED:
        fits = shared_bytes(batch, depth, stages, bits, itemsize) <= SHARED
        if fits and (bits != 4 or depth == 128):
            return Launch(batch, depth, stages)
    raise ValueError(f'{slots} slots are too many for the fused kernels: {MOST_SLOTS} at most')


def problem(capability: tuple[int, int], quantise: str, dtype: str, slots: int) -> str:
    """Why a GPU of this compute capability cannot run the fused kernels so; empty: it can."""
    name = f'sm_{capability[0]}{capability[1]}'
    if capability < OLDEST:
        return (
            f'this GPU ({name}) is older than the fused kernels know (sm_80, Ampere): set '
            's2s.moshi.quantise to none and fused to false'
        )
    if quantise == 'fp8' and capability < FP8:
        return (
            f'this GPU ({name}) has no 8-bit floating point, which begins with sm_89 (Ada): set '
            's2s.moshi.quantise to int8, which takes as little memory'
        )
    if slots > MOST_SLOTS:
        return f'the fused kernels step {MOST_SLOTS} slots at most, not {slots}: set fewer slots'
    try:
        launch(slots, quantise, ITEMSIZE[dtype])
    except ValueError as error:
        return f'{error}, with dtype {dtype}: set dtype to bfloat16, or fewer slots'
    return ''
