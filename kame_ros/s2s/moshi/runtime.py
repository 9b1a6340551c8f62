"""How torch and moshi are set up in this process, once, before the first import of moshi."""

from __future__ import annotations

import os

import torch

if not torch.cuda.is_available():
    # moshi compiles its output norm even on a CPU: 5 s and a C++ compiler, for no gain.
    os.environ.setdefault('NO_TORCH_COMPILE', '1')


def use_threads(count: int) -> None:
    """Sets the number of threads of a torch operation; at batch 1 a second one gains nothing."""
    torch.set_num_threads(count)


def choose_device(wanted: str) -> str:
    """Gives a torch device for `auto`, `cpu`, `cuda` or `cuda:N`.

    Raises RuntimeError if that GPU is not there.
    """
    if wanted == 'auto':
        return 'cuda' if torch.cuda.is_available() else 'cpu'
    if wanted == 'cpu':
        return wanted
    index = int(wanted.partition(':')[2] or 0)
    if index >= torch.cuda.device_count():
        raise RuntimeError(
            f'device is {wanted}, but torch sees {torch.cuda.device_count()} GPUs: '
            'install the CUDA build of torch and the driver, or set device to cpu'
        )
    return wanted
