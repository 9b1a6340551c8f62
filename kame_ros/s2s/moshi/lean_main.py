"""The temporal transformer for one frame, with far fewer operations than moshi's.

The same mathematics as `LMModel.forward_text` for one step: one look-up for all embeddings; the
attention mask and the rotation once instead of in every layer; norms, residuals and feed-forward
in fused operations. It keeps moshi's streaming state (the key-value ring of each layer, the offsets
and the mask of the transformer), so that its resets and masks hold. No Python value depends on a
tensor: it can be captured as a CUDA graph.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from kame_ros.s2s.moshi.lean_parts import (
    Attention,
    Gate,
    NotLeanError,
    join_rows,
    layer_of,
    linear_of,
    norm_of,
    table_of,
)
from kame_ros.s2s.moshi.linear import MakeLinear
from kame_ros.s2s.moshi.model import OracleLMModel
from kame_ros.s2s.moshi.upstream import LMModel

NEVER = float('-inf')


class LeanMain:
    """Replaces `lm.forward_text` in a generator whose streaming has begun.

    `dry` only looks whether it can. Raises NotLeanError for a model with parts beyond Moshi's.
    """

    def __init__(self, lm: LMModel, make: MakeLinear, dry: bool = False) -> None:
        transformer: Any = lm.transformer  # torch types every child as a plain Module
        if transformer.positional_embedding != 'rope' or not transformer.rope.interleave:
            raise NotLeanError(f'positions of the kind {transformer.positional_embedding}')
        self._lm = lm
        # Weights are taken layer by layer, so that smaller ones can replace them as it goes.
        self._layers: list[tuple[Attention, Gate]] = [
            layer_of(layer, 0, make) for layer in transformer.layers
        ]
        self._out_norm = norm_of(lm.out_norm)
        self._text = linear_of(lm.text_linear, make)
        self._state: Any = transformer._streaming_state
        self._rings = [layer.self_attn._streaming_state.kv_cache for layer in transformer.layers]
        if any(layer.self_attn.context != ring.capacity for layer, ring in self._pairs()):
            raise NotLeanError('a context that differs from the memory')
        self._heads: int = transformer.layers[0].self_attn.num_heads
        tables = self._tables(lm)
        if not dry:
            self._join(lm, tables)
            self._constants(lm)

    def _pairs(self) -> Any:
        return zip(self._lm.transformer.layers, self._rings, strict=True)

    def _tables(self, lm: LMModel) -> list[Tensor]:
        modules = [lm.text_emb, *lm.emb]
        if isinstance(lm, OracleLMModel):
            modules.append(lm.oracle_emb)
        return [table_of(module).weight for module in modules]

    def _join(self, lm: LMModel, tables: list[Tensor]) -> None:
        sizes = [0, *(len(table) for table in tables[:-1])]
        self._table = join_rows(tables)
        self._first_row = torch.tensor(sizes, device=lm.device).cumsum(0)

    def _constants(self, lm: LMModel) -> None:
        head = lm.dim // self._heads
        pairs = torch.arange(head // 2, device=lm.device, dtype=torch.float32)
        self._frequency = torch.exp(pairs * (-math.log(lm.transformer.max_period) * 2 / head))
        self._places = torch.arange(self._rings[0].capacity, device=lm.device)
        self._rows = torch.arange(self._state.batch_size, device=lm.device)

    def __call__(
        self, codes: Tensor, condition_sum: Any, condition_cross: Any, oracle: Any = None
    ) -> tuple[Tensor, Tensor]:
        """Takes codes [B, K, 1] and oracle tokens [B, 1, 1]; see `LMModel.forward_text`."""
        if condition_sum is not None or condition_cross is not None:
            raise NotLeanError('conditions')
        offsets = self._state.offsets
        x = self._look_up(codes, oracle)
        capacity = len(self._places)
        place = offsets % capacity
        # The ring is full of valid frames once it has gone round; before, up to this frame.
        heard = self._places <= offsets[:, None]
        bias = torch.zeros_like(heard, dtype=x.dtype).masked_fill_(~heard, NEVER)[:, None, None]
        angle = offsets[:, None] * self._frequency
        turn = torch.polar(torch.ones_like(angle), angle)[:, None, None]
        for (attention, gate), ring in zip(self._layers, self._rings, strict=True):
            heard_of = self._attend(
                attention.into(attention.norm(x)), ring.cache, place, turn, bias
            )
            x = gate(attention.out(heard_of, x))
        offsets.add_(self._state.exec_mask)
        x = self._out_norm(x)
        return x[:, None], self._text(x)[:, None, None]

    def _look_up(self, codes: Tensor, oracle: Tensor | None) -> Tensor:
        """The sum of all embeddings, [B, dim]; a token of -1 adds nothing."""
        ids = codes[:, :, 0]
        if oracle is not None:
            ids = torch.cat([ids, oracle[:, 0]], dim=1)
        count = ids.shape[1]
        there = (ids >= 0).to(self._table.dtype)
        rows = ids.clamp(min=0) + self._first_row[:count]
        return F.embedding_bag(rows, self._table, mode='sum', per_sample_weights=there)

    def _attend(
        self, projected: Tensor, memory: Tensor, place: Tensor, turn: Tensor, bias: Tensor
    ) -> Tensor:
        """Attention of one frame to all that are remembered; `memory` is [2, B, H, C, D]."""
        batch = len(projected)
        parts = projected.view(batch, 3, self._heads, -1)
        pairs = parts[:, :2].float().view(batch, 2, self._heads, -1, 2)
        turned = torch.view_as_real(torch.view_as_complex(pairs) * turn)
        query, key = turned.view(batch, 2, self._heads, -1).to(projected.dtype).unbind(1)
        memory[0][self._rows, :, place] = key
        memory[1][self._rows, :, place] = parts[:, 2]
        out = F.scaled_dot_product_attention(query[:, :, None], memory[0], memory[1], bias)
        return out.reshape(batch, -1)
