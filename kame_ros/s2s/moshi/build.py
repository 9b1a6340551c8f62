"""Builds the moshi front-end from its parameters. Imports torch only when it is called."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kame_ros.runtime.owner import OutOfMemory
from kame_ros.s2s.moshi import memory
from kame_ros.s2s.moshi.config import RANDOM, MoshiConfig
from kame_ros.turns import profiles
from kame_ros.wire.frame import FRAME_S

if TYPE_CHECKING:
    import torch

    from kame_ros.s2s.moshi.fast.lean import Parts
    from kame_ros.s2s.moshi.front_end import MoshiFrontEnd
    from kame_ros.s2s.moshi.slots import MoshiSlots
    from kame_ros.s2s.moshi.weights.checkpoint import Checkpoint
    from kame_ros.s2s.moshi.weights.pending import Pending
    from kame_ros.s2s.moshi.weights.upstream import LMGen
    from kame_ros.turns.vad import Vad

log = logging.getLogger(__name__)
HOW_TO_INSTALL = (
    'the moshi front-end needs torch and moshi, which are not installed: run '
    '"pip install torch" and then "pip install --no-deps moshi==0.2.13", or choose the tts '
    'front-end'
)


def build(config: MoshiConfig, vad: Vad | None = None) -> MoshiFrontEnd:
    """Loads the model and gives the front-end of one robot; call `warm_up` next.

    With a `vad`, such as `SileroVad()`, it gives way to a user who speaks over the robot.
    Raises CheckpointError for weights that are missing or do not fit, ValueError or ImportError for
    a barge-in profile that is none, OutOfMemory where memory is short, RuntimeError without torch,
    moshi or the GPU that was asked for.
    """
    profile = profiles.load(config.barge_in_profile)  # before the long load
    strategy = config.strategy(hears=vad is not None)
    slots = build_slots(config)
    from kame_ros.s2s.moshi.front_end import MoshiFrontEnd

    return MoshiFrontEnd(slots, vad, profile, strategy, config.speak)


def build_slots(config: MoshiConfig) -> MoshiSlots:
    """Loads the model for `config.slots` robots; see `build` for what it raises."""
    try:
        from kame_ros.s2s.moshi.weights import runtime
    except ImportError as error:
        raise RuntimeError(f'{HOW_TO_INSTALL} ({error})') from error
    runtime.use_threads(config.threads)
    device = runtime.choose_device(config.device)
    runtime.collect()  # what an attempt before this one has left
    with runtime.on(device):
        return _build(config, device)


def _build(config: MoshiConfig, device: str) -> MoshiSlots:
    import torch

    from kame_ros.s2s.moshi.fast import lean
    from kame_ros.s2s.moshi.weights import runtime
    from kame_ros.s2s.moshi.weights.checkpoint import find

    name = config.dtype_on(device)
    dtype: torch.dtype = getattr(torch, name)
    if device == 'cpu':  # before anything is looked for
        lean.parts_for(device, config.quantise, config.fused)
    if config.seed >= 0:
        torch.manual_seed(config.seed)
    with tempfile.TemporaryDirectory() as scratch:
        where = config.weights
        if where == RANDOM:
            from kame_ros.s2s.moshi.weights.random_checkpoint import write

            where = str(write(Path(scratch) / 'random', max(0, config.seed)))
        checkpoint = find(where, config.revision or None, config.lora)
        free = runtime.free_bytes(device) if device != 'cpu' or config.fit == 'auto' else 0
        if config.fit == 'auto':
            config = fitted(config, checkpoint.lm_kwargs, free, device, name)
            log.info('fit: %s', config.memory_setting())

        def advice() -> str:
            return _advice(config, checkpoint.lm_kwargs, free, name)

        try:
            # Tried before the long load.
            parts = lean.parts_for(device, config.quantise, config.fused, dtype, config.slots)
            return _load(config, checkpoint, device, dtype, parts, advice)
        except torch.OutOfMemoryError as error:
            what = f'{config.weights} does not fit into the memory of {device}'
            raise OutOfMemory(': '.join(filter(None, (what, advice())))) from error


def fitted(
    config: MoshiConfig, model: Mapping[str, Any], free: int, device: str, dtype: str
) -> MoshiConfig:
    """The same with settings that fit into `free` bytes; `model` is what config.json says.

    With a tenth less for each time that memory ran out before. Raises ValueError: nothing fits.
    """
    kinds = ('none', 'int8') if device == 'cpu' else ('none', 'int8', 'int4')
    room = int(free * 0.9**config.shortfalls)
    try:
        found = memory.fit(model, room, config.memory_setting(), kinds=kinds, dtype=dtype)
    except KeyError as error:
        raise ValueError(f'fit=auto needs {error} in config.json: set fit to off') from error
    if found is None:
        least = memory.needs(model, memory.Setting(kinds[-1], memory.CONTEXTS[-1], 1), dtype).total
        raise ValueError(
            f'{config.weights} does not fit: the least of it, {kinds[-1]} with a context of 30 s, '
            f'takes {least / 1e9:.1f} GB, and {room / 1e9:.1f} GB are free on {device}'
        )
    return config.with_memory(found)


def _advice(config: MoshiConfig, model: Mapping[str, Any], free: int, dtype: str) -> str:
    try:
        return memory.advice(model, config.memory_setting(), free, dtype)
    except KeyError:  # a config.json that leaves sizes to moshi
        return 'set s2s.moshi.context to 750 (60 s), quantise to int8, or fewer slots'


def _load(
    config: MoshiConfig,
    checkpoint: Checkpoint,
    device: str,
    dtype: torch.dtype,
    parts: Parts,
    advice: Callable[[], str],
) -> MoshiSlots:
    from kame_ros.s2s.moshi.fast import fast_cpu
    from kame_ros.s2s.moshi.slots import MoshiSlots
    from kame_ros.s2s.moshi.weights import load
    from kame_ros.s2s.moshi.weights.pending import Pending

    sampling = config.completed(checkpoint.lm_gen_config)
    tokenizer = load.load_tokenizer(checkpoint)
    # Smaller weights are made of each layer as it is read: the whole is never there in full.
    pending = Pending(device, dtype) if config.quantise != 'none' else None
    try:
        lm = load.load_lm(checkpoint, device, dtype, config.context or None, pending=pending)
        mimi = load.load_mimi(checkpoint, device)
        if device == 'cpu' and config.lean:
            fast_cpu.speed_up(mimi, int8_decoder=config.quantise == 'int8')
        return MoshiSlots(
            lm,
            mimi,
            tokenizer,
            slots=config.slots,
            mode='positional' if config.mode == 'positional' else 'fifo',
            sampling=sampling,
            hush_frames=round(config.hush_s / FRAME_S),
            priming_frames=config.priming_frames,
            retries=config.oracle_retries if config.mode == 'fifo' else 0,
            advice=advice,
            prepare=lambda gen: _make_lean(gen, config, parts, pending),
        )
    finally:
        if pending is not None:
            pending.close()


def _make_lean(
    gen: LMGen, config: MoshiConfig, parts: Parts, pending: Pending | None = None
) -> None:
    """Puts in the lean step, or says why this model has to do without."""
    if not config.lean:
        return
    from kame_ros.s2s.moshi.fast import lean
    from kame_ros.s2s.moshi.fast.lean_parts import NotLeanError

    try:
        small = config.quantise != 'none'
        read = pending.read if pending is not None else None
        lean.install(gen, parts, config.compile, free=small, read=read)
    except NotLeanError as error:
        if config.quantise != 'none':
            raise
        log.warning('this model has %s: it runs without the lean step, slower', error)
