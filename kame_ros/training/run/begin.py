"""What a run begins with: a model from nothing, from a KAME or from a Moshi; whole or as LoRA."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from kame_ros.runtime.weights import file_sha256
from kame_ros.s2s.moshi.model import OracleLMModel
from kame_ros.s2s.moshi.weights import load
from kame_ros.s2s.moshi.weights.checkpoint import Checkpoint, find
from kame_ros.s2s.moshi.weights.upstream import LoRALinear, loaders
from kame_ros.text.misfit import misfit
from kame_ros.training.config import ConfigError, LoraConfig, RunConfig
from kame_ros.training.data.same_codec import codec_file
from kame_ros.training.data.shards import DataInfo
from kame_ros.training.data.source import BatchSource


class InformedSource(BatchSource, Protocol):
    """Batches that know what they were made for."""

    info: DataInfo


@dataclass(frozen=True)
class Begun:
    """A model to be trained. `base` is the checkpoint that it was loaded from, if any."""

    model: OracleLMModel
    lm_kwargs: dict[str, Any]
    base: Checkpoint | None


def locate(config: RunConfig, weights: bool = True) -> Checkpoint | None:
    """The checkpoint of the configuration, or None. Raises CheckpointError."""
    if not config.checkpoint:
        return None
    return find(config.checkpoint, config.revision or None, weights=weights)


def begin(config: RunConfig, info: DataInfo, base: Checkpoint | None, device: str = 'cpu') -> Begun:
    """Loads or makes the model, and marks what of it is trained.

    A Moshi without an oracle embedding gets one that is a copy of its text embedding. Raises
    ConfigError for data or a configuration that does not fit, CheckpointError for bad weights.
    """
    torch.manual_seed(config.seed)
    kwargs = describe(config, info, base)
    if base is None:
        try:
            model = OracleLMModel(device=device, dtype=torch.float32, **kwargs)
        except (TypeError, AssertionError, ValueError, RuntimeError) as error:
            raise ConfigError(
                f'the model of the configuration cannot be built: {misfit(error)}'
            ) from error
    else:
        dtype = resting_dtype(config)
        loaded = load.load_lm(base, device, dtype, oracle=True)
        assert isinstance(loaded, OracleLMModel)
        model = loaded
    choose_trained(model, config.lora)
    recompute(model, config.checkpointing)
    return Begun(model, kwargs, base)


def describe(config: RunConfig, info: DataInfo, base: Checkpoint | None) -> dict[str, Any]:
    """The arguments of the model, checked against the data. Raises ConfigError."""
    if base is None:
        return _from_nothing(config, info)
    if config.lora is not None and base.lora_file is not None:
        raise ConfigError(
            f'{base.where} has LoRA weights of its own ({base.lora_file.name}): start from a '
            'checkpoint that was written with --merge'
        )
    kwargs = base.lm_kwargs
    _compare(base.where, {
        **_codec(info, base),
        'tokenizer (sha256)': (info.tokenizer_sha256, file_sha256(base.tokenizer_file)),
        **_shape(info, kwargs),
    })  # fmt: skip
    return kwargs


def _codec(info: DataInfo, base: Checkpoint) -> dict[str, tuple[Any, Any]]:
    """A plan looks at no codec: from the hub it would be 385 MB."""
    if base.mimi_file is None:
        return {}
    return {'codec_file': (info.codec_file, codec_file(base))}


def _from_nothing(config: RunConfig, info: DataInfo) -> dict[str, Any]:
    books = info.codebooks
    kwargs = {
        **loaders._lm_kwargs,
        'n_q': 2 * books,
        'dep_q': books,
        'card': info.card,
        'text_card': info.text_card,
        'existing_text_padding_id': info.marks.padding,
        'existing_text_end_padding_id': info.marks.end_of_padding,
        'delays': [0] + 2 * [0, *[1] * (books - 1)],
        **config.model,
    }
    _compare('the model of the configuration', _shape(info, kwargs))
    return kwargs


def _shape(info: DataInfo, kwargs: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """By name: what the data have, and what the model has."""
    return {
        'n_q': (2 * info.codebooks, kwargs.get('n_q')),
        'dep_q': (info.codebooks, kwargs.get('dep_q')),
        'card': (info.card, kwargs.get('card')),
        'text_card': (info.text_card, kwargs.get('text_card')),
        'start of an oracle': (info.marks.start, kwargs.get('text_card')),
        'existing_text_padding_id': (
            info.marks.padding,
            kwargs.get('existing_text_padding_id', 3),
        ),
        'existing_text_end_padding_id': (
            info.marks.end_of_padding,
            kwargs.get('existing_text_end_padding_id', 0),
        ),
    }


def _compare(where: str, pairs: dict[str, tuple[Any, Any]]) -> None:
    wrong = [
        f'{name}: {data} and {model}' for name, (data, model) in pairs.items() if data != model
    ]
    if wrong:
        raise ConfigError(
            f'the data do not fit {where} (data and model): {"; ".join(wrong)}. Prepare the data '
            'anew for this model, or take the model that they were prepared for'
        )


def resting_dtype(config: RunConfig) -> torch.dtype:
    """What a loaded model is kept in: what is trained needs float32, a frozen base does not."""
    half = config.lora is not None and config.precision == 'bfloat16'
    return torch.bfloat16 if half else torch.float32


def choose_trained(model: OracleLMModel, lora: LoraConfig | None) -> None:
    """Marks all weights, or adds LoRA and marks it and the embeddings; what is marked is float32.

    moshi draws B as it draws A; it has to be 0 at first, so that the model begins as it was.
    """
    if lora is None:
        model.requires_grad_(True)
        return
    own = {id(weight) for weight in model.parameters()}
    device = next(model.parameters()).device
    loaders.get_lora_moshi(
        model, None, lora.rank, lora.scaling, device=device, dtype=model.dtype, fuse_lora=False
    )
    model.requires_grad_(False)
    for name, module in model.named_modules():
        if isinstance(module, LoRALinear):
            module.register_forward_pre_hook(_in_one_piece)
        added = not any(id(weight) in own for weight in module.parameters())
        if isinstance(module, nn.Linear) and added:
            module.float().requires_grad_(True)
            if name.endswith('.lora_B'):
                nn.init.zeros_(module.weight)
    model.oracle_emb.float().requires_grad_(True)
    if lora.embeddings:
        model.text_emb.float().requires_grad_(True)


def _in_one_piece(_module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Before a frozen layer: a slice of a larger tensor would make torch copy W for each row of it.

    moshi's depformer takes its codebooks as slices. torch.matmul flattens those only if W learns
    (should_fold in ATen's LinearAlgebra.cpp); else it repeats W as often as the slice has rows.
    """
    return tuple(each.contiguous() for each in inputs)


def recompute(model: OracleLMModel, wanted: bool) -> None:
    """Lets the transformers keep only the input of each layer, and compute the rest again."""
    for transformer in (model.transformer, model.depformer):
        if transformer is not None:
            transformer.checkpointing = wanted
