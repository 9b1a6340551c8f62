"""Builds the moshi front-end from its parameters. Imports torch only when it is called."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from kame_ros.audio.frame import FRAME_S
from kame_ros.s2s.moshi.config import RANDOM, TINY, MoshiConfig

if TYPE_CHECKING:
    import torch

    from kame_ros.s2s.moshi.front_end import MoshiFrontEnd
    from kame_ros.s2s.moshi.lean import Parts
    from kame_ros.s2s.moshi.slots import MoshiSlots
    from kame_ros.s2s.moshi.upstream import LMGen
    from kame_ros.s2s.tts_ear import Vad

log = logging.getLogger(__name__)
TINY_FOLDER = Path(__file__).with_name('kame_tiny')
HOW_TO_INSTALL = (
    'the moshi front-end needs torch and moshi, which are not installed: run '
    '"pip install torch" and then "pip install --no-deps moshi==0.2.13", or choose the tts '
    'front-end'
)


def build(config: MoshiConfig, vad: Vad | None = None) -> MoshiFrontEnd:
    """Loads the model and gives the front-end of one robot; call `warm_up` next.

    With a `vad`, such as `SileroVad()`, it gives way to a user who speaks over the robot.
    Raises CheckpointError for weights that are missing or do not fit, RuntimeError without torch,
    moshi or the GPU that was asked for.
    """
    slots = build_slots(config)
    from kame_ros.s2s.moshi.front_end import MoshiFrontEnd

    return MoshiFrontEnd(slots, vad)


def build_slots(config: MoshiConfig) -> MoshiSlots:
    """Loads the model for `config.slots` robots; see `build` for what it raises."""
    try:
        import torch

        from kame_ros.s2s.moshi import lean, runtime
    except ImportError as error:
        raise RuntimeError(f'{HOW_TO_INSTALL} ({error})') from error
    runtime.use_threads(config.threads)
    device = runtime.choose_device(config.device)
    name = config.dtype if config.dtype != 'auto' else 'float32' if device == 'cpu' else 'bfloat16'
    # Asked for before the long load: a combination that is not there is refused at once.
    parts = lean.parts_for(device.split(':')[0], config.quantise, config.fused)
    if config.seed >= 0:
        torch.manual_seed(config.seed)
    try:
        return _load(config, device, getattr(torch, name), parts)
    except torch.OutOfMemoryError as error:
        raise RuntimeError(
            f'the GPU is too small for {config.weights} with {config.slots} slots: set context to '
            '750 (60 s) or fewer slots, or use another GPU; quantise makes the model half as '
            'large, but only once it is loaded'
        ) from error


def _load(config: MoshiConfig, device: str, dtype: torch.dtype, parts: Parts) -> MoshiSlots:
    from kame_ros.s2s.moshi import fast_cpu, load
    from kame_ros.s2s.moshi.checkpoint import find
    from kame_ros.s2s.moshi.slots import MoshiSlots, Sampling
    from kame_ros.s2s.moshi.upstream import MimiModel

    with tempfile.TemporaryDirectory() as scratch:
        where = config.weights
        if where == RANDOM:
            from kame_ros.s2s.moshi.random_checkpoint import write

            where = str(write(Path(scratch) / 'random', max(0, config.seed)))
        elif where == TINY:
            where = str(TINY_FOLDER)
        checkpoint = find(where, config.revision or None, config.lora)
        tokenizer = load.load_tokenizer(checkpoint)
        lm = load.load_lm(checkpoint, device, dtype, config.context or None)
        codec = load.load_codec(checkpoint, device)
    if device == 'cpu' and config.lean and isinstance(codec, MimiModel):
        fast_cpu.speed_up(codec, int8_decoder=config.quantise == 'int8')
    return MoshiSlots(
        lm,
        codec,
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
        oracle_ahead=checkpoint.oracle_ahead,
        prepare=lambda gen: _make_lean(gen, config, parts),
    )


def _make_lean(gen: LMGen, config: MoshiConfig, parts: Parts) -> None:
    """Puts in the lean step, or says why this model has to do without."""
    if not config.lean:
        return
    from kame_ros.s2s.moshi import lean
    from kame_ros.s2s.moshi.lean_parts import NotLeanError

    try:
        lean.install(gen, parts, config.compile, free=config.quantise != 'none')
    except NotLeanError as error:
        if config.quantise != 'none':
            raise
        log.warning('this model has %s: it runs without the lean step, slower', error)
