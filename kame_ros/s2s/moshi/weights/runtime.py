"""How torch and moshi are set up in this process, once, before the first import of moshi."""

from __future__ import annotations

import gc
import os
import re
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch

from kame_ros.s2s.moshi.compiler import cannot_compile

if not torch.cuda.is_available() or cannot_compile():
    # moshi compiles its rotation and its norms, which we replace where it matters; on a CPU that is
    # 5 s and a C++ compiler for no gain, and without a compiler it is an error at the first step.
    os.environ.setdefault('NO_TORCH_COMPILE', '1')


def use_threads(count: int) -> None:
    """Sets the number of threads of a torch operation; at batch 1 a second one gains nothing."""
    torch.set_num_threads(count)


def choose_device(wanted: str) -> str:
    """Gives a torch device for `auto`, `cpu`, `cuda` or `cuda:N`.

    Raises RuntimeError if that GPU is not there, or for what is no device.
    """
    if wanted == 'auto':
        return 'cuda' if torch.cuda.is_available() else 'cpu'
    if wanted == 'cpu':
        return wanted
    number = re.fullmatch(r'cuda(?::(\d+))?', wanted)
    if number is None:
        raise RuntimeError(f'{wanted!r} is no device: auto, cpu, cuda or cuda:N')
    index = int(number[1] or 0)
    if index >= torch.cuda.device_count():
        raise RuntimeError(
            f'device is {wanted}, but torch sees {torch.cuda.device_count()} GPUs: '
            'install the CUDA build of torch and the driver, or set device to cpu'
        )
    return wanted


def on(device: torch.device | str) -> AbstractContextManager[object]:
    """Makes a GPU the current one of this thread for a while; does nothing for a CPU.

    Graphs are captured and Triton's kernels launched on the current GPU, wherever the tensors are,
    and each thread has its own.
    """
    where = torch.device(device)
    return torch.cuda.device(where) if where.type == 'cuda' else nullcontext()


def collect() -> None:
    """Gives back the memory of models that nobody uses: their parts know each other in circles."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def free_bytes(device: str) -> int:
    """The memory that is free on a device."""
    if device != 'cpu':
        return torch.cuda.mem_get_info(device)[0]
    for line in Path('/proc/meminfo').read_text().splitlines():
        if line.startswith('MemAvailable:'):
            return int(line.split()[1]) * 1024
    raise RuntimeError('this system does not tell how much memory is free: set fit to off')
