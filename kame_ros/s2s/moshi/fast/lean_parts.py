"""What the two lean transformers share: one layer's weights, its norm, its feed-forward."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from kame_ros.s2s.moshi.fast.linear import Linear, MakeLinear, Norm
from kame_ros.s2s.moshi.weights.upstream import (
    ActivationGating,
    RMSNorm,
    ScaledEmbedding,
    StreamingTransformerLayer,
)


class NotLeanError(ValueError):
    """A model with a part that the lean step does not have; the text names it."""


Read = Callable[[nn.Linear], Tensor]


@dataclass(frozen=True)
class Maker:
    """Makes the linear layers; with `free` the model's own weights are given up one by one.

    A weight that was left in its file is got by `read` when its layer is made, so that never more
    than one of them is there in full.
    """

    make: MakeLinear
    free: bool = False
    read: Read | None = None

    def weight(self, owner: nn.Linear) -> Tensor:
        """The weight of a layer of the model, [out, in]."""
        return owner.weight.detach() if self.read is None else self.read(owner)

    def __call__(self, weight: Tensor, owners: Iterable[nn.Linear]) -> Linear:
        """Makes a layer of `weight`, which `owners` hold."""
        made = self.make(weight)
        if self.free:
            for owner in owners:
                owner.weight.data = weight.new_empty(0)
        return made


@dataclass(frozen=True)
class Gate:
    """A gated feed-forward block."""

    norm: Norm
    into: Linear
    out: Linear
    activation: Any

    def __call__(self, x: Tensor) -> Tensor:
        """Gives x + the block of x, [B, dim]."""
        return self.out(self.into.gated(x, self.norm, self.activation), x)


@dataclass(frozen=True)
class Attention:
    """The projections of an attention block; the attention itself is the caller's."""

    norm: Norm
    into: Linear
    out: Linear


def norm_of(module: nn.Module) -> Norm:
    """Takes the weights of a norm. Raises NotLeanError if it is no RMSNorm."""
    if not isinstance(module, RMSNorm):
        raise NotLeanError(f'a norm of the kind {type(module).__name__}')
    return Norm(module.alpha.detach().view(-1), module.eps)


def layer_of(layer: StreamingTransformerLayer, step: int, maker: Maker) -> tuple[Attention, Gate]:
    """Takes the weights that a layer has for a step (0 where all steps share them).

    Raises NotLeanError for a layer with parts beyond Moshi's.
    """
    attention = layer.self_attn
    for wrong, name in (
        (layer.skip_self_attn, 'no attention'),
        (layer.cross_attention is not None, 'cross-attention'),
        (attention.kv_repeat != 1, 'repeated keys'),
        (not isinstance(layer.layer_scale_1, nn.Identity), 'layer scale'),
    ):
        if wrong:
            raise NotLeanError(name)
    gating: Any = layer.gating
    if isinstance(gating, nn.ModuleList):
        gating = gating[step if len(gating) > 1 else 0]
    if not isinstance(gating, ActivationGating):
        raise NotLeanError('a feed-forward block without gating')
    into: Any = attention.in_projs[step if len(attention.in_projs) > 1 else 0]
    out: Any = attention.out_projs[step if len(attention.out_projs) > 1 else 0]
    return (
        Attention(norm_of(layer.norm1), linear_of(into, maker), linear_of(out, maker)),
        Gate(
            norm_of(layer.norm2),
            linear_of(gating.linear_in, maker),
            linear_of(gating.linear_out, maker),
            gating.activation,
        ),
    )


def linear_of(module: nn.Module, maker: Maker) -> Linear:
    """Takes the weights of a linear layer. Raises NotLeanError if it is another layer."""
    if not isinstance(module, nn.Linear):
        raise NotLeanError(f'a linear layer of the kind {type(module).__name__}')
    if module.bias is not None:
        raise NotLeanError('a linear layer with a bias')
    return maker(maker.weight(module), [module])


def table_of(module: nn.Module) -> ScaledEmbedding:
    """Gives an embedding that is a plain table. Raises NotLeanError if it is more."""
    if not isinstance(module, ScaledEmbedding):
        raise NotLeanError(f'an embedding of the kind {type(module).__name__}')
    if module.norm is not None or module.low_rank is not None or module.demux_second_stream:
        raise NotLeanError('an embedding that is more than a table')
    return module


@torch.no_grad()
def join_rows(weights: list[Tensor]) -> Tensor:
    """Puts matrices of one width into one, and lets each be a view of it: no memory is added."""
    joined = torch.cat([weight.detach() for weight in weights])
    row = 0
    for weight in weights:
        weight.data = joined[row : row + len(weight)]
        row += len(weight)
    return joined
