"""Builds the moshi front-end from its parameters. Imports torch only when it is called."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from kame_ros.audio.frame import FRAME_S
from kame_ros.s2s.moshi.config import RANDOM, MoshiConfig

if TYPE_CHECKING:
    from kame_ros.s2s.moshi.front_end import MoshiFrontEnd
    from kame_ros.s2s.moshi.slots import MoshiSlots
    from kame_ros.s2s.moshi.upstream import LMGen

log = logging.getLogger(__name__)
HOW_TO_INSTALL = (
    'the moshi front-end needs torch and moshi, which are not installed: run '
    '"pip install torch" and then "pip install --no-deps moshi==0.2.13", or choose the tts '
    'front-end'
)


def build(config: MoshiConfig) -> MoshiFrontEnd:
    """Loads the model and gives the front-end of one robot; call `warm_up` next.

    Raises CheckpointError for weights that are missing or do not fit, RuntimeError without torch,
    moshi or the GPU that was asked for.
    """
    slots = build_slots(config)
    from kame_ros.s2s.moshi.front_end import MoshiFrontEnd

    return MoshiFrontEnd(slots)


def build_slots(config: MoshiConfig) -> MoshiSlots:
    """Loads the model for `config.slots` robots; see `build` for what it raises."""
    try:
        import torch

        from kame_ros.s2s.moshi import fast_cpu, load, runtime
        from kame_ros.s2s.moshi.checkpoint import find
        from kame_ros.s2s.moshi.slots import MoshiSlots, Sampling
    except ImportError as error:
        raise RuntimeError(f'{HOW_TO_INSTALL} ({error})') from error
    runtime.use_threads(config.threads)
    device = runtime.choose_device(config.device)
    on_cpu = device == 'cpu'
    name = config.dtype if config.dtype != 'auto' else 'float32' if on_cpu else 'bfloat16'
    if config.seed >= 0:
        torch.manual_seed(config.seed)
    with tempfile.TemporaryDirectory() as scratch:
        where = config.weights
        if where == RANDOM:
            from kame_ros.s2s.moshi.random_checkpoint import write

            where = str(write(Path(scratch) / 'random', max(0, config.seed)))
        checkpoint = find(where, config.revision or None, config.lora)
        tokenizer = load.load_tokenizer(checkpoint)
        lm = load.load_lm(checkpoint, device, getattr(torch, name), config.context or None)
        mimi = load.load_mimi(checkpoint, device)
    if on_cpu and config.lean:
        fast_cpu.speed_up(mimi, int8_decoder=config.quantise == 'int8')
    return MoshiSlots(
        lm,
        mimi,
        tokenizer,
        slots=config.slots,
        mode='positional' if config.mode == 'positional' else 'fifo',
        sampling=Sampling(
            temperature=config.temperature,
            temperature_text=config.temperature_text,
            top_k=config.top_k,
            top_k_text=config.top_k_text,
        ),
        hush_frames=round(config.hush_s / FRAME_S),
        prepare=lambda gen: _make_lean(gen, config),
    )


def _make_lean(gen: LMGen, config: MoshiConfig) -> None:
    """Puts in the lean step, or says why this model has to do without."""
    if not config.lean:
        return
    from kame_ros.s2s.moshi import lean
    from kame_ros.s2s.moshi.lean_parts import NotLeanError

    try:
        device = gen.lm_model.device.type
        parts = lean.parts_for(device, config.quantise, config.fused)
        lean.install(gen, parts, config.compile, free=config.quantise != 'none')
    except NotLeanError as error:
        if config.quantise != 'none':
            raise
        log.warning('this model has %s: it runs without the lean step, slower', error)
