"""Puts the lean step into a generator, with weights as they are or smaller ones."""

from __future__ import annotations

from typing import Any

import torch

from kame_ros.s2s.moshi.lean_depth import LeanDepth
from kame_ros.s2s.moshi.lean_main import LeanMain
from kame_ros.s2s.moshi.lean_parts import NotLeanError
from kame_ros.s2s.moshi.linear import DenseLinear, Int8CpuLinear, MakeLinear
from kame_ros.s2s.moshi.model import OracleLMGen
from kame_ros.s2s.moshi.upstream import CUDAGraphed, LMGen


def install(gen: LMGen, quantise: str = 'none', compile: bool = False) -> None:
    """Lets `gen`, whose streaming has begun, take its steps with far fewer operations.

    The tokens are those of moshi but for float rounding, and for what `quantise` takes away.
    Raises NotLeanError, and changes nothing, for a model with parts beyond Moshi's.
    """
    state: Any = gen._streaming_state
    if gen.cfg_coef != 1.0:
        raise NotLeanError('classifier-free guidance')
    check(gen)
    make = linear_for(quantise, gen.lm_model.device.type)
    main: Any = LeanMain(gen.lm_model, make)
    depth: Any = LeanDepth(gen, make)
    if compile:
        main, depth = torch.compile(main.__call__), torch.compile(depth.__call__)
    disable = gen.lm_model.device.type != 'cuda'
    if isinstance(gen, OracleLMGen):
        gen.capture(main)
    else:
        state.graphed_main = CUDAGraphed(main, disable=disable)
    state.graphed_depth = CUDAGraphed(depth, disable=disable)


def check(gen: LMGen) -> None:
    """Raises NotLeanError if `install` would; nothing is made and no weight is moved."""

    def nothing(_weight: torch.Tensor) -> Any:
        return None

    LeanMain(gen.lm_model, nothing, dry=True)
    LeanDepth(gen, nothing, dry=True)


def linear_for(quantise: str, device: str) -> MakeLinear:
    """The kind of linear layer for a device. Raises ValueError if it has none of that kind."""
    if quantise == 'none':
        return DenseLinear
    if device == 'cpu' and quantise == 'int8':
        return Int8CpuLinear
    raise ValueError(f'quantise {quantise} is not there for the device {device}')
