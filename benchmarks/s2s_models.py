"""Random speech models for s2s_step.py, of the size of a test or of KAME."""

from __future__ import annotations

from typing import Any

import torch

from kame_ros.s2s.moshi.model import OracleLMModel
from kame_ros.s2s.moshi.weights import random_checkpoint, random_sizes
from kame_ros.s2s.moshi.weights.upstream import LMModel, MimiModel, loaders

EMBEDDINGS = ('emb.', 'text_emb.', 'oracle_emb.', 'depformer_emb.', 'depformer_text_emb.')


class NoTokenizer:
    """The benchmark's oracle is silent, so that nothing is tokenised or written."""

    def encode(self, _text: str) -> list[int]:
        return []

    def vocab_size(self) -> int:
        return 0


KWARGS = {
    '7b': dict(loaders._lm_kwargs),
    'tiny': {
        **loaders._lm_kwargs,
        **random_sizes.LM,
        'text_card': random_sizes.VOCABULARY,
    },
}


def make_lm(size: str, device: str, whole: bool = True) -> OracleLMModel:
    """A random language model, in the dtype it is used in.

    Not `whole`: without the weights of its linear layers, which `RandomWeights` makes one by one.
    """
    dtype = torch.float32 if size == 'tiny' else torch.bfloat16
    torch.manual_seed(0)
    lm = OracleLMModel(device=device if whole else 'meta', dtype=dtype, **KWARGS[size]).eval()
    if not whole:
        for module in lm.modules():
            for name, weight in module.named_parameters(recurse=False):
                linear = isinstance(module, torch.nn.Linear)
                made = torch.empty(0 if linear else weight.shape, dtype=dtype, device=device)
                fresh: Any = torch.nn.Parameter(made.normal_(std=0.02))
                setattr(module, name, fresh)
                if linear:
                    fresh.shape_it_had = tuple(weight.shape)
                elif name == 'alpha':
                    made.fill_(1.0)
    for weight in lm.parameters():
        weight.requires_grad_(False)
    return lm


class RandomWeights:
    """Makes the weight of a linear layer when it is asked for, as `Pending.read` reads it."""

    def __init__(self, lm: LMModel) -> None:
        self._device, self._dtype = lm.device, lm.dtype
        self._shapes = {
            id(module): getattr(module.weight, 'shape_it_had', tuple(module.weight.shape))
            for module in lm.modules()
            if isinstance(module, torch.nn.Linear)
        }

    def __call__(self, layer: torch.nn.Linear) -> torch.Tensor:
        shape = self._shapes[id(layer)]
        return torch.randn(shape, dtype=self._dtype, device=self._device) * shape[1] ** -0.5


def make_mimi(size: str, device: str) -> MimiModel:
    """A random codec with filled codebooks."""
    config = random_checkpoint._mimi_config() if size == 'tiny' else loaders._mimi_config
    mimi = loaders.get_mimi(None, config, device=device, num_codebooks=8)
    for name, buffer in mimi.named_buffers():
        if name.endswith('embedding_sum'):
            buffer.normal_()
    return mimi


def bytes_of_a_step(lm: LMModel) -> int:
    """The weights that one step reads; of an embedding it reads a row."""
    return sum(
        weight.numel() * weight.element_size()
        for name, weight in lm.named_parameters()
        if not name.startswith(EMBEDDINGS)
    )
