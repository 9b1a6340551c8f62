"""What the fused kernels cannot do on a GPU is told before anything is loaded."""

from __future__ import annotations

import re

import pytest

from kame_ros.s2s.moshi.fast import gpu_limits
from kame_ros.s2s.moshi.fast.gpu_limits import problem

AMPERE, ORIN, ADA, BLACKWELL = (8, 6), (8, 7), (8, 9), (12, 0)


@pytest.mark.parametrize(
    ('capability', 'quantise', 'dtype', 'slots', 'told'),
    [
        (AMPERE, 'int8', 'bfloat16', 1, ''),
        (ORIN, 'int4', 'bfloat16', 1, ''),
        (ADA, 'none', 'bfloat16', 64, ''),
        (BLACKWELL, 'fp8', 'bfloat16', 32, ''),
        (ADA, 'none', 'float32', 64, ''),
        (AMPERE, 'fp8', 'bfloat16', 1, 'begins with sm_89 .* set s2s.moshi.quantise to int8'),
        (ORIN, 'fp8', 'bfloat16', 1, 'sm_87'),
        ((7, 5), 'int8', 'float16', 1, 'sm_75. is older'),
        (ADA, 'int8', 'bfloat16', 65, '64 slots at most, not 65'),
    ],
)
def test_what_a_gpu_can_do(capability, quantise, dtype, slots, told):
    why = problem(capability, quantise, dtype, slots)
    if told:
        assert re.search(told, why), why
    else:
        assert why == ''


def test_each_launch_fits_the_least_shared_memory():
    for quantise, bits in gpu_limits.BITS.items():
        for itemsize in (2, 4):
            for slots in range(1, gpu_limits.MOST_SLOTS + 1):
                launch = gpu_limits.launch(slots, quantise, itemsize)
                assert launch.batch >= slots
                taken = gpu_limits.shared_bytes(
                    launch.batch, launch.depth, launch.stages, bits, itemsize
                )
                assert taken <= gpu_limits.SHARED == 101_376


def test_shared_memory_as_the_compiler_gave_it():
    """Triton 3.7.1 for sm_89; the launch of before passed 99 KB at 64 slots, and in float32."""
    for batch, depth, stages, bits, itemsize, got in (
        (16, 256, 4, 16, 2, 75_264),
        (64, 256, 4, 16, 2, 148_992),
        (16, 256, 4, 16, 4, 166_912),
        (64, 256, 4, 8, 2, 124_416),
        (16, 256, 4, 8, 4, 109_568),
    ):
        assert gpu_limits.shared_bytes(batch, depth, stages, bits, itemsize) == got
