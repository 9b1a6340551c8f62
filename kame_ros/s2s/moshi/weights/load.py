"""Loads what a checkpoint names: the language model, the codec, the tokeniser."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from kame_ros.runtime import progress
from kame_ros.s2s.moshi.model import ORACLE_PREFIX, OracleLMModel
from kame_ros.s2s.moshi.weights.checkpoint import Checkpoint
from kame_ros.s2s.moshi.weights.errors import CheckpointError
from kame_ros.s2s.moshi.weights.pending import Pending, as_now, merge
from kame_ros.s2s.moshi.weights.safetensors_file import SafetensorsFile
from kame_ros.s2s.moshi.weights.tensors import sources
from kame_ros.s2s.moshi.weights.upstream import LMModel, MimiModel, loaders
from kame_ros.text.misfit import misfit

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor

# What moshi raises for sizes of which no model can be made.
_NO_MODEL = (
    *(TypeError, AssertionError, ValueError, KeyError, AttributeError),
    *(ArithmeticError, RuntimeError),
)
TEXT_PREFIX = 'text_emb.'
CLEAN = ': run clean_moshi of kame_finetune on it, and give the folder that it writes'
KEPT_IN_F32 = ('condition_provider.', 'fuser.')  # as moshi/models/loaders.py does


def load_lm(
    checkpoint: Checkpoint,
    device: str = 'cpu',
    dtype: torch.dtype = torch.bfloat16,
    context: int | None = None,
    oracle: bool = False,
    pending: Pending | None = None,
) -> LMModel:
    """Loads the language model, cast to `dtype` tensor by tensor.

    Gives an `OracleLMModel` if the checkpoint, or its LoRA file, has an oracle embedding, and true
    Moshi if it has none; with `oracle` always the former, and a missing embedding is a copy of that
    of the text (as kame_finetune's `separate` does it, for training). `context` shortens the
    attention, in frames. With `pending` the weights of linear layers are left to it. Keys and
    shapes are checked before any weight is read. Raises CheckpointError with the key or shape that
    does not fit.
    """
    with ExitStack() as files:
        shards = [files.enter_context(SafetensorsFile(path)) for path in checkpoint.lm_files]
        dep_q = checkpoint.lm_kwargs['dep_q']
        places = sources(shards, dep_q, checkpoint.trained_dep_q or dep_q)
        lora = None
        if checkpoint.lora_file is not None:
            lora = files.enter_context(SafetensorsFile(checkpoint.lora_file))
        if not _has_oracle(places) and (oracle or _has_oracle(lora.entries if lora else ())):
            places |= {
                ORACLE_PREFIX + key.removeprefix(TEXT_PREFIX): place
                for key, place in places.items()
                if key.startswith(TEXT_PREFIX)
            }
        model = empty_lm(checkpoint, _has_oracle(places), context)
        plan = {
            key: torch.empty(place.shape, dtype=dtype, device='meta')
            for key, place in places.items()
        }
        _assign(model, plan, checkpoint.where, checkpoint.finetuned)
        left = pending.leave(model, places) if pending is not None else set()
        state: dict[str, Tensor] = {}
        size, done = sum(place.size for place in places.values()), 0
        for key, place in places.items():
            if key in left:
                continue
            progress.tell(f'loading weights: {done / 1e9:.1f} of {size / 1e9:.1f} GB')
            kept = key.startswith(KEPT_IN_F32)
            state[key] = place.read(torch.float32 if kept else dtype, device)
            done += place.size
        model.load_state_dict(state, strict=False, assign=True)  # all of it fits: see the plan
        if lora is not None:
            add_lora(model, lora, checkpoint.lora_scaling, pending)
        if pending is not None:
            pending.hold(files.pop_all())
    for weight in model.parameters():
        weight.requires_grad_(False)
    return model.eval()


def _has_oracle(keys: Iterable[str]) -> bool:
    return any(key.startswith(ORACLE_PREFIX) for key in keys)


def empty_lm(checkpoint: Checkpoint, oracle: bool, context: int | None = None) -> LMModel:
    """The language model that config.json describes, without weights. Raises CheckpointError."""
    kwargs = dict(checkpoint.lm_kwargs)
    if 'demux_second_stream' in kwargs:
        kwargs['demux_second_text_stream'] = kwargs.pop('demux_second_stream')
    fuser = kwargs.pop('fuser', None) or {}
    if not isinstance(fuser, dict):
        raise CheckpointError(f'fuser of {checkpoint.where} should be a JSON object')
    if kwargs.pop('conditioners', None) or any(isinstance(v, list) and v for v in fuser.values()):
        raise CheckpointError(f'{checkpoint.where} is a conditioned model, which is not supported')
    if context is not None:
        kwargs['context'] = min(context, kwargs.get('context') or context)
    kind = OracleLMModel if oracle else LMModel
    try:
        return kind(device='meta', dtype=torch.bfloat16, **kwargs)
    except _NO_MODEL as error:
        raise CheckpointError(
            f'config.json of {checkpoint.where} describes no Moshi model: {misfit(error)}'
        ) from error


def _assign(
    model: nn.Module, state: dict[str, Tensor], where: str, finetuned: bool = False
) -> None:
    """Lets `model` take the tensors of `state`, which is emptied of older names on the way."""
    try:
        missing, unexpected = model.load_state_dict(state, strict=False, assign=True)
    except RuntimeError as error:
        first = str(error).strip().splitlines()
        text = first[1].strip() if len(first) > 1 else first[0]
        raise CheckpointError(f'{where} does not fit its config.json: {text}') from error
    for kind, keys in (('no weight', missing), ('an unknown weight', unexpected)):
        if keys:
            more = f' and {len(keys) - 1} more' if len(keys) > 1 else ''
            how = CLEAN if finetuned else ''
            raise CheckpointError(f'{where} has {kind} {keys[0]}{more}{how}')


@torch.no_grad()
def add_lora(
    model: LMModel, file: SafetensorsFile, scaling: float, pending: Pending | None = None
) -> None:
    """Adds LoRA weights to the linear layers they are for: W + scaling * B A.

    Whole tensors in the file (fine-tuned embeddings) take the place of the model's. Raises
    CheckpointError for a key that the model has no place for.
    """
    for key in file.entries:
        if key.endswith('.lora_B.weight'):
            a_key = f'{key.removesuffix(".lora_B.weight")}.lora_A.weight'
            if a_key not in file.entries:
                raise CheckpointError(f'{file.path} has {key}, but no {a_key}')
            continue
        if key.endswith('.lora_A.weight'):
            _add_pair(model, file, key.removesuffix('.lora_A.weight'), scaling, pending)
            continue
        name = key.removesuffix('.weight')
        weight = _weight(model, name, file)
        left = pending.shape(name) if pending is not None else None
        _check_shape(key, file.entries[key].shape, left or weight.shape, file)
        if not (pending is not None and pending.replace(name, file, key)):
            weight.copy_(file.read(key, weight.dtype, weight.device))


def _add_pair(
    model: LMModel, file: SafetensorsFile, name: str, scaling: float, pending: Pending | None
) -> None:
    a_key, b_key = f'{name}.lora_A.weight', f'{name}.lora_B.weight'
    if b_key not in file.entries:
        raise CheckpointError(f'{file.path} has {a_key}, but no {b_key}')
    weight = _weight(model, name, file)
    for key in (a_key, b_key):
        if len(shape := file.entries[key].shape) != 2:
            raise CheckpointError(f'{file.path}: {key} is of shape {list(shape)}, no matrix')
    (rank, wide), (rows, other) = file.entries[a_key].shape, file.entries[b_key].shape
    if other != rank:
        raise CheckpointError(f'{file.path}: the ranks of {a_key} and {b_key} differ')
    left = pending.shape(name) if pending is not None else None
    _check_shape(name, (rows, wide), left or weight.shape, file)
    if pending is not None and pending.add_lora(name, file, scaling):
        return
    merge(weight, file, name, scaling)


def _weight(model: LMModel, name: str, file: SafetensorsFile) -> Tensor:
    name = as_now(name)
    try:
        return model.get_parameter(f'{name}.weight')
    except AttributeError as error:
        raise CheckpointError(f'{file.path} is for another model: no layer {name}') from error


def _check_shape(
    key: str, new: Sequence[int], weight: Sequence[int], file: SafetensorsFile
) -> None:
    if tuple(new) != tuple(weight):
        raise CheckpointError(
            f'{file.path}: {key} is of shape {list(new)}, the model has {list(weight)}'
        )


def load_mimi(checkpoint: Checkpoint, device: str = 'cpu') -> MimiModel:
    """Loads the codec, in float32. Raises CheckpointError if its file is damaged or another's."""
    if checkpoint.mimi_file is None:
        raise CheckpointError(f'{checkpoint.where} was looked for without its Mimi')
    try:
        mimi = loaders.get_mimi(
            None, checkpoint.mimi_config, device=device, num_codebooks=checkpoint.codebooks
        )
    except torch.OutOfMemoryError:
        raise
    except _NO_MODEL as error:
        raise CheckpointError(
            f'the checkpoint {checkpoint.where} describes no Mimi: {misfit(error)}'
        ) from error
    with SafetensorsFile(checkpoint.mimi_file) as file:
        state = {key: file.read(key, None, device) for key in file.entries}
    _assign(mimi, state, str(checkpoint.mimi_file))
    for weight in mimi.parameters():
        weight.requires_grad_(False)
    return mimi.eval()


def load_tokenizer(checkpoint: Checkpoint) -> SentencePieceProcessor:
    """Loads the text tokeniser. Raises CheckpointError if it is not one."""
    from sentencepiece import SentencePieceProcessor

    try:
        tokenizer: Any = SentencePieceProcessor(model_file=str(checkpoint.tokenizer_file))
    except (OSError, RuntimeError) as error:
        raise CheckpointError(
            f'{checkpoint.tokenizer_file} is no SentencePiece model: download it again'
        ) from error
    words, card = tokenizer.vocab_size(), checkpoint.lm_kwargs.get('text_card', 0)
    if words > card:
        raise CheckpointError(
            f'{checkpoint.tokenizer_file} has {words} pieces, the model only {card} text tokens'
        )
    return tokenizer
