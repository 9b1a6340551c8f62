"""The depformer for one frame, with far fewer operations than moshi's.

The depformer is 9 % of Moshi's bytes but half of its operations: eight small steps one after
another, each of which builds and masks a ring memory. Here keys and values lie in one small buffer,
attention sees exactly the steps before, and the first step, which sees only itself, has none.
The same tokens as `LMGen.depformer_step`, with the same random numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from kame_ros.s2s.moshi.fast.lean_attention import attend_steps
from kame_ros.s2s.moshi.fast.lean_parts import (
    Attention,
    Gate,
    Maker,
    NotLeanError,
    join_rows,
    layer_of,
    linear_of,
    norm_of,
    table_of,
)
from kame_ros.s2s.moshi.fast.linear import Linear
from kame_ros.s2s.moshi.weights.upstream import LMGen


def draw(logits: Tensor, temperature: float, top_k: int) -> Tensor:
    """Draws one token for each row of [B, card] from its `top_k` best; greedy at temperature 0.

    As `moshi.utils.sampling.sample_token` and with the same random numbers: the largest p / q,
    with q exponential, is the largest log p - log q, so that no softmax is needed.
    """
    if temperature <= 0:
        return logits.argmax(dim=-1)
    best, tokens = logits.float().topk(min(top_k, logits.shape[-1]), dim=-1)
    noise = torch.empty_like(best).exponential_(1).log_()
    chosen = torch.sub(best, noise, alpha=temperature).argmax(dim=-1, keepdim=True)
    return tokens.gather(-1, chosen)[:, 0]


class LeanDepth:
    """Replaces `gen.depformer_step`.

    `dry` only looks whether it can. Raises NotLeanError for a model with parts beyond Moshi's.
    """

    def __init__(
        self,
        gen: LMGen,
        maker: Maker,
        attend: Callable[[Tensor, Tensor, int], Tensor] = attend_steps,
        dry: bool = False,
    ) -> None:
        lm: Any = gen.lm_model  # torch types every child as a plain Module
        if lm.depformer is None or lm.depformer.positional_embedding != 'none':
            raise NotLeanError('a depformer with positions, or none')
        if not lm.depformer.layers[0].weights_per_step:
            raise NotLeanError('a depformer with the same weights in every step')
        self._attend = attend
        self._temperature = gen.temp if gen.use_sampling else 0.0
        self._top_k = gen.top_k
        self._steps = lm.dep_q
        self._heads: int = lm.depformer.layers[0].self_attn.num_heads
        made: dict[int, list[tuple[Attention, Gate]]] = {}
        self._layers: list[list[tuple[Attention, Gate]]] = []
        schedule = lm.depformer_weights_per_step_schedule or range(lm.dep_q)
        for step in schedule:
            if step not in made:
                made[step] = [layer_of(layer, step, maker) for layer in lm.depformer.layers]
            self._layers.append(made[step])
        if any(layer.bias is not None for layer in lm.depformer_in):
            raise NotLeanError('a linear layer with a bias')
        if not dry:
            self._into = maker(self._joined(lm, maker), lm.depformer_in)
        self._which = [step if len(lm.depformer_in) > 1 else 0 for step in schedule]
        self._tables = [table_of(t).weight for t in (lm.depformer_text_emb, *lm.depformer_emb)]
        self._heads_out: list[Linear] = [linear_of(linear, maker) for linear in lm.linears]
        self._norms = [
            None if isinstance(norm, torch.nn.Identity) else norm_of(norm)
            for norm in lm.depformer_norms
        ]

    @staticmethod
    def _joined(lm: Any, maker: Maker) -> Tensor:
        if maker.read is None:
            return join_rows([layer.weight for layer in lm.depformer_in])
        return torch.cat([maker.weight(layer) for layer in lm.depformer_in])

    def __call__(self, text_token: Tensor, transformer_out: Tensor) -> Tensor:
        """Takes text tokens [B] and the transformer's output [B, 1, dim]; gives [B, steps]."""
        batch = len(text_token)
        told = self._into(transformer_out[:, 0]).view(batch, -1, self._tables[0].shape[1])
        width = told.shape[2] // self._heads
        # For each layer: keys and values of each step so far.
        memory = told.new_empty(len(self._layers[0]), 2, batch, self._heads, self._steps, width)
        token, tokens = text_token, []
        for step in range(self._steps):
            x = told[:, self._which[step]] + F.embedding(token, self._tables[step])
            for (attention, gate), layer_memory in zip(self._layers[step], memory, strict=True):
                projected = attention.into(x, norm=attention.norm)
                x = gate(attention.out(self._attend(projected, layer_memory, step), x))
            norm = self._norms[step]
            logits = self._heads_out[step](x, norm=norm)
            token = draw(logits, self._temperature, self._top_k)
            tokens.append(token)
        return torch.stack(tokens, dim=1)
