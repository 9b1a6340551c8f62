"""The temporal transformer for one frame, with far fewer operations than moshi's.

The same mathematics as `LMModel.forward_text` for one step: one look-up for all embeddings; the
attention mask and the rotation once instead of in every layer; norms, residuals and feed-forward
in fused operations. It keeps moshi's streaming state (the key-value ring of each layer, the offsets
and the mask of the transformer), so that its resets and masks hold. No Python value depends on a
tensor: it can be captured as a CUDA graph.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from kame_ros.s2s.moshi.fast.lean_attention import RingAttention, TorchRingAttention
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
from kame_ros.s2s.moshi.model import OracleLMModel
from kame_ros.s2s.moshi.weights.upstream import LMModel


class LeanMain:
    """Replaces `lm.forward_text` in a generator whose streaming has begun.

    `dry` only looks whether it can. Raises NotLeanError for a model with parts beyond Moshi's.
    """

    def __init__(
        self,
        lm: LMModel,
        maker: Maker,
        attention: Callable[..., RingAttention] = TorchRingAttention,
        dry: bool = False,
    ) -> None:
        transformer: Any = lm.transformer  # torch types every child as a plain Module
        if transformer.positional_embedding != 'rope' or not transformer.rope.interleave:
            raise NotLeanError(f'positions of the kind {transformer.positional_embedding}')
        self._lm = lm
        # Weights are taken layer by layer, so that smaller ones can replace them as it goes.
        self._layers: list[tuple[Attention, Gate]] = [
            layer_of(layer, 0, maker) for layer in transformer.layers
        ]
        self._out_norm = norm_of(lm.out_norm)
        self._text = linear_of(lm.text_linear, maker)
        self._state: Any = transformer._streaming_state
        self._rings = [layer.self_attn._streaming_state.kv_cache for layer in transformer.layers]
        if any(layer.self_attn.context != ring.capacity for layer, ring in self._pairs()):
            raise NotLeanError('a context that differs from the memory')
        heads = transformer.layers[0].self_attn.num_heads
        self._attend = attention(
            heads, lm.dim // heads, self._rings[0].capacity, transformer.max_period, lm.device
        )
        tables = self._tables(lm)
        if not dry:
            self._join(lm, tables)

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

    def __call__(
        self, codes: Tensor, condition_sum: Any, condition_cross: Any, oracle: Any = None
    ) -> tuple[Tensor, Tensor]:
        """Takes codes [B, K, 1] and oracle tokens [B, 1, 1]; see `LMModel.forward_text`."""
        if condition_sum is not None or condition_cross is not None:
            raise NotLeanError('conditions')
        offsets = self._state.offsets
        x = self._look_up(codes, oracle)
        self._attend.begin(offsets, x.dtype)
        for (attention, gate), ring in zip(self._layers, self._rings, strict=True):
            heard = self._attend(attention.into(x, norm=attention.norm), ring.cache)
            x = gate(attention.out(heard, x))
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
        return (F.embedding(rows, self._table) * there[:, :, None]).sum(dim=1)
