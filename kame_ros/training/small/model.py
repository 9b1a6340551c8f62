"""kame-small in torch, to train it: four streams in, a piece of pronunciation and eight codes out.

A main transformer reads the frames, and in each frame a small depth transformer writes the codes
one after another, as in Moshi (arXiv 2410.00037, section 3.4). The weights are kept as matrices for
`x @ W`, as `kame_ros.s2s.small.step` reads them, which runs the same model without torch.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kame_ros.s2s.small.sizes import CARD, CODES, EPSILON, FEATURES, ROPE_BASE, ModelSize


def matrix(*shape: int, gain: float = 1.0) -> nn.Parameter:
    """A weight for `x @ W`, of variance gain² / inputs."""
    return nn.Parameter(torch.randn(*shape) * gain / math.sqrt(shape[-2]))


def table(*shape: int, size: float = 0.02) -> nn.Parameter:
    """Embeddings: rows of small random numbers."""
    return nn.Parameter(torch.randn(*shape) * size)


def rows(table: Tensor, index: Tensor) -> Tensor:
    """Rows [..., dim] of a table [count, dim].

    On a GPU as a product: where most rows are the same one (silence), the gradient of a look-up
    takes several times as long there.
    """
    return table[index] if table.device.type == 'cpu' else as_product(table, index)


def as_product(table: Tensor, index: Tensor) -> Tensor:
    """The same rows, as ones and zeros times the table."""
    half = torch.is_autocast_enabled(table.device.type)
    kind = torch.get_autocast_dtype(table.device.type) if half else table.dtype
    chosen = torch.zeros(*index.shape, len(table), dtype=kind, device=table.device)
    return chosen.scatter_(-1, index[..., None], 1.0) @ table


def normalised(x: Tensor, weight: Tensor) -> Tensor:
    """RMSNorm."""
    return F.rms_norm(x, weight.shape, weight, EPSILON)


class Layer(nn.Module):
    """Attention and a gated feed-forward network, each behind a normalisation, each added."""

    def __init__(self, dim: int, heads: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = (nn.Parameter(torch.ones(dim)) for _ in range(2))
        self.q, self.k, self.v = (matrix(dim, dim) for _ in range(3))
        small = 1 / math.sqrt(2 * layers)  # what is added up begins small
        self.o = matrix(dim, dim, gain=small)
        self.gate, self.up = matrix(dim, hidden), matrix(dim, hidden)
        self.down = matrix(hidden, dim, gain=small)

    def forward(self, x: Tensor, turn: tuple[Tensor, Tensor] | None, mask: Tensor | None) -> Tensor:
        """[B, T, dim] to the same; `turn` are cosines and sines of RoPE, without `mask` causal."""
        y = normalised(x, self.norm1)
        q, k, v = (
            (y @ w).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for w in (self.q, self.k, self.v)
        )
        if turn is not None:
            q, k = rotated(q, *turn), rotated(k, *turn)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None)
        x = x + y.transpose(1, 2).flatten(2) @ self.o
        y = normalised(x, self.norm2)
        return x + (F.silu(y @ self.gate) * (y @ self.up)) @ self.down


def rotated(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """RoPE with the two halves of a head as the pairs (as in Llama)."""
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1)


def turns(frames: int, head_dim: int, device: torch.device | str) -> tuple[Tensor, Tensor]:
    """Cosines and sines [frames, head_dim / 2]."""
    rates = ROPE_BASE ** (
        -torch.arange(0, head_dim, 2, device=device, dtype=torch.float32) / head_dim
    )
    angles = torch.arange(frames, device=device, dtype=torch.float32)[:, None] * rates
    return angles.cos(), angles.sin()


class Depth(nn.Module):
    """Writes the codes of a frame, one after another."""

    def __init__(self, size: ModelSize) -> None:
        super().__init__()
        depth = size.depth
        self.layers = nn.ModuleList(
            Layer(depth.dim, depth.heads, depth.hidden, depth.layers) for _ in range(depth.layers)
        )
        self.register_parameter('in', matrix(size.dim, depth.dim))
        self.position = table(CODES, depth.dim)
        self.text = table(size.pieces, depth.dim)
        self.code = table(CODES - 1, CARD, depth.dim)
        self.norm = nn.Parameter(torch.ones(depth.dim))
        self.head = matrix(CODES, depth.dim, CARD)

    def forward(self, hidden: Tensor, text: Tensor, codes: Tensor) -> Tensor:
        """[N, dim], pieces [N] and codes [N, 8], of which the last is not read; logits [N, 8, 512].

        `codes` may have fewer columns: then the logits of one more are given.
        """
        steps = min(codes.shape[1] + 1, CODES)
        parts = [rows(self.text, text)[:, None]]
        parts += [rows(self.code[q], codes[:, q])[:, None] for q in range(steps - 1)]
        x = (hidden @ self.get_parameter('in'))[:, None] + self.position[:steps]
        x = x + torch.cat(parts, dim=1)
        for layer in self.layers:
            x = layer(x, None, None)
        x = normalised(x, self.norm)
        return torch.einsum('nqd,qdc->nqc', x, self.head[:steps])


class KameSmall(nn.Module):
    """The whole model; see `forward`."""

    def __init__(self, size: ModelSize) -> None:
        super().__init__()
        self.size = size
        dim = size.dim
        self.ear = nn.ParameterDict({'weight': matrix(FEATURES, dim), 'bias': torch.zeros(dim)})
        self.code_emb = table(CODES, CARD, dim)
        self.text_emb = table(size.pieces, dim, size=0.1)
        self.window_emb = table(size.pieces + 1, size.window, size=0.5)
        self.window = nn.ParameterDict({'weight': matrix(size.ahead * size.window, dim)})
        self.mark_emb = table(2, dim, size=0.1)
        self.layers = nn.ModuleList(
            Layer(dim, size.heads, size.hidden, size.layers) for _ in range(size.layers)
        )
        self.norm = nn.Parameter(torch.ones(dim))
        self.text_head = matrix(dim, size.pieces)
        self.copy_gate = nn.Parameter(torch.zeros(dim))
        self.copy_bias = nn.Parameter(torch.ones(1))
        self.depth = Depth(size)

    def inputs(
        self, ear: Tensor, codes: Tensor, text: Tensor, window: Tensor, mark: Tensor
    ) -> Tensor:
        """What the first layer reads: `codes` and `text` are those of the frame before."""
        x = ear @ self.ear['weight'] + self.ear['bias'] + rows(self.text_emb, text)
        for q in range(CODES):
            x = x + rows(self.code_emb[q], codes[..., q])
        due = rows(self.window_emb, window).flatten(-2)
        return x + due @ self.window['weight'] + rows(self.mark_emb, mark)

    def hidden(
        self, ear: Tensor, codes: Tensor, text: Tensor, window: Tensor, mark: Tensor
    ) -> Tensor:
        """[B, T, dim] of features [B, T, 84], codes [B, T, 8], pieces [B, T], [B, T, K], [B, T]."""
        x = self.inputs(ear, codes, text, window, mark)
        frames = x.shape[1]
        turn = turns(frames, self.size.dim // self.size.heads, x.device)
        age = torch.arange(frames, device=x.device)
        age = age[:, None] - age
        mask = (age >= 0) & (age < self.size.context)
        for layer in self.layers:
            x = layer(x, turn, mask)
        return normalised(x, self.norm)

    def text_logits(self, hidden: Tensor, window: Tensor) -> Tensor:
        """[..., pieces]; the next piece of the oracle is made likelier by what a gate says."""
        logits = hidden @ self.text_head
        due = window[..., :1]
        gate = (hidden @ self.copy_gate + self.copy_bias)[..., None]
        known = (due > 0) & (due < self.size.pieces)
        due = due.clamp(max=self.size.pieces - 1)
        return logits.scatter_add(-1, due, torch.where(known, gate, 0.0).to(logits.dtype))

    def forward(
        self,
        ear: Tensor,
        codes: Tensor,
        text: Tensor,
        window: Tensor,
        mark: Tensor,
        said: Tensor,
        written: Tensor,
        spoken: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Logits of the pieces [B, T, pieces], and of the codes [M, 8, 512] of frames `spoken`.

        `codes` and `text` are of the frame before (those that the model reads), `said` [B, T] and
        `written` [B, T, 8] those of the frame itself; `spoken` are M flat indices of frames whose
        codes are learnt.
        """
        hidden = self.hidden(ear, codes, text, window, mark)
        flat = hidden.flatten(0, 1).index_select(0, spoken)
        depth = self.depth(flat, said.flatten()[spoken], written.flatten(0, 1)[spoken])
        return self.text_logits(hidden, window), depth
