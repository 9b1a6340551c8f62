"""Makes moshi's modules fit for torch's FSDP 2, which gives modules another class in place."""

from __future__ import annotations

from typing import TypeVar, cast

from torch import nn

from kame_ros.s2s.moshi.weights.upstream import StreamingTransformerLayer

Kind = TypeVar('Kind', bound=nn.Module)


class _Plain:
    """A class with a dictionary, to come first among the bases."""


def shardable(model: Kind) -> Kind:
    """`model`, with all its weights, in classes that `fully_shard` can exchange.

    moshi's streaming modules begin with abc.ABC. Python then says that their "object layout
    differs" from that of the class which FSDP makes of them; with an ordinary class first it does
    not. The old objects share their attributes with the new ones, so that hooks see the same.
    """
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, StreamingTransformerLayer):
                setattr(parent, name, _again(child))
    return _again(model)


def _again(module: Kind) -> Kind:
    kind = type(type(module).__name__, (_Plain, type(module)), {})
    new = cast(Kind, object.__new__(kind))
    new.__dict__ = module.__dict__
    return new
