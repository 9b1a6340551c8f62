"""KAME's language model written out plainly, to be compared with the product's bit for bit.

Nothing of moshi's streaming machinery or of ours is used: every stream is a list that grows, the
attention looks its keys up by position, and a reset empties the lists. Only the arithmetic is that
of Moshi, operation by operation, so that on one machine float32 and bfloat16 round alike.
Architecture: Moshi paper, section 3.4; the oracle stream: KAME paper.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

NOTHING = -2  # what is given while the delays still hold a token back


class PlainKame:
    """One step at a time for a batch of slots, each with its own past."""

    def __init__(self, config: dict[str, Any], weights: dict[str, Tensor], batch: int) -> None:
        self._config, self._weights = config, weights
        self._own = config['dep_q'] + 1  # streams that the model makes: its text and its sound
        self._delays = config['delays']
        self._slots = [_Slot(config) for _ in range(batch)]

    def reset(self, which: list[bool]) -> None:
        """Begins the dialogue of these slots anew."""
        for number, anew in enumerate(which):
            if anew:
                self._slots[number] = _Slot(self._config)

    def step(
        self, user: Tensor, oracle: list[int], runs: list[bool], sampling: bool
    ) -> tuple[Tensor, Tensor]:
        """Hears `user` [B, user streams]; gives tokens [B, dep_q + 1] and text logits [B, card].

        Slots that do not run keep their past and give nothing.
        """
        for slot, codes, active in zip(self._slots, user.tolist(), runs, strict=True):
            if active:
                slot.heard.append(codes)
        inputs = torch.tensor(
            [self._inputs(slot, run) for slot, run in zip(self._slots, runs, strict=True)]
        )
        hidden, text_logits = self._think(inputs, oracle, runs)
        text = _choose(text_logits, sampling, 0.7, 25)
        made = torch.stack([text, *self._speak(hidden, text, sampling)], dim=1)
        for slot, tokens, active in zip(self._slots, made.tolist(), runs, strict=True):
            if active:
                slot.made.append(tokens)
        given = [self._given(slot, run) for slot, run in zip(self._slots, runs, strict=True)]
        return torch.tensor(given), text_logits

    def _inputs(self, slot: _Slot, runs: bool) -> list[int]:
        """What the model reads in this step: each stream as late as its delay says."""
        now = len(slot.made)
        start = [self._config['text_card']] + [self._config['card']] * self._config['n_q']
        if not runs:
            return start
        tokens = []
        for stream, delay in enumerate(self._delays):
            if now <= delay:
                tokens.append(start[stream])
            elif stream < self._own:
                tokens.append(slot.made[now - 1][stream])
            else:
                tokens.append(slot.heard[now - delay][stream - self._own])
        return tokens

    def _given(self, slot: _Slot, runs: bool) -> list[int]:
        last = max(self._delays)
        if not runs or len(slot.made) <= last:
            return [NOTHING] * self._own
        return [
            slot.made[len(slot.made) - 1 - last + delay][stream]
            for stream, delay in enumerate(self._delays[: self._own])
        ]

    def _think(self, inputs: Tensor, oracle: list[int], runs: list[bool]) -> tuple[Tensor, Tensor]:
        """The temporal transformer: [B, 1, dim] and text logits [B, text_card]."""
        w, config = self._weights, self._config
        x = w['emb.0.weight'][inputs[:, 1:2]]
        for stream in range(1, config['n_q']):
            x = x + w[f'emb.{stream}.weight'][inputs[:, stream + 1, None]]
        text = w['text_emb.weight'][inputs[:, :1]]
        x = x + (text + w['oracle_emb.weight'][torch.tensor(oracle)[:, None]])
        for layer in range(config['num_layers']):
            name = f'transformer.layers.{layer}'
            y = _norm(x, w[f'{name}.norm1.alpha'])
            x = x + self._attend(name, layer, y, runs)
            y = _norm(x, w[f'{name}.norm2.alpha'])
            x = x + _gate(y, w, f'{name}.gating')
        x = _norm(x, w['out_norm.alpha'])
        return x, F.linear(x, w['text_linear.weight'])[:, 0]

    def _attend(self, name: str, layer: int, x: Tensor, runs: list[bool]) -> Tensor:
        heads, context = self._config['num_heads'], self._config['context']
        q, k, v = _heads(F.linear(x, self._weights[f'{name}.self_attn.in_projs.0.weight']), heads)
        now = torch.tensor([len(slot.made) for slot in self._slots])
        q, k = (_rotate(part, now, self._config['max_period']) for part in (q, k))
        keys = k.new_zeros(len(x), heads, context, k.shape[-1])
        values, seen = keys.clone(), torch.zeros(len(x), 1, 1, context, dtype=torch.bool)
        for number, slot in enumerate(self._slots):
            past = slot.past[layer] + [(k[number, :, 0], v[number, :, 0])]
            if runs[number]:
                slot.past[layer] = past
            for position in range(max(0, len(past) - context), len(past)):
                place = position % context
                keys[number, :, place], values[number, :, place] = past[position]
                seen[number, 0, 0, place] = True
        y = F.scaled_dot_product_attention(q, keys, values, seen)
        return F.linear(_together(y), self._weights[f'{name}.self_attn.out_projs.0.weight'])

    def _speak(self, hidden: Tensor, text: Tensor, sampling: bool) -> list[Tensor]:
        """The depth transformer: the tokens of one frame of sound, one codebook after another."""
        w, config = self._weights, self._config
        heads, room = config['depformer_num_heads'], config['depformer_context']
        past: list[list[tuple[Tensor, Tensor]]] = [
            [] for _ in range(config['depformer_num_layers'])
        ]
        tokens: list[Tensor] = []
        for book in range(config['dep_q']):
            table = 'depformer_text_emb' if book == 0 else f'depformer_emb.{book - 1}'
            before = text if book == 0 else tokens[-1]
            x = F.linear(hidden, w[f'depformer_in.{book}.weight'])
            x = x + w[f'{table}.weight'][before[:, None]]
            for layer, seen in enumerate(past):
                name = f'depformer.layers.{layer}'
                y = _norm(x, w[f'{name}.norm1.alpha'])
                q, k, v = _heads(F.linear(y, w[f'{name}.self_attn.in_projs.{book}.weight']), heads)
                seen.append((k, v))
                shape = (len(x), heads, room, k.shape[-1])
                keys, values = x.new_zeros(shape), x.new_zeros(shape)
                for place, (key, value) in enumerate(seen):
                    keys[:, :, place], values[:, :, place] = key[:, :, 0], value[:, :, 0]
                mask = (torch.arange(room) <= book).view(1, 1, 1, -1)
                y = _together(F.scaled_dot_product_attention(q, keys, values, mask))
                x = x + F.linear(y, w[f'{name}.self_attn.out_projs.{book}.weight'])
                y = _norm(x, w[f'{name}.norm2.alpha'])
                x = x + _gate(y, w, f'{name}.gating.{book}')
            logits = F.linear(x, w[f'linears.{book}.weight'])[:, 0]
            tokens.append(_choose(logits, sampling, 0.8, 250))
        return tokens


class _Slot:
    """The past of one dialogue: what it heard and made, and the keys and values of each layer."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.heard: list[list[int]] = []
        self.made: list[list[int]] = []
        self.past: list[list[tuple[Tensor, Tensor]]] = [[] for _ in range(config['num_layers'])]


def _norm(x: Tensor, alpha: Tensor) -> Tensor:
    wide = x.float()
    variance = 1e-8 + torch.mean(wide**2, dim=2, keepdim=True)
    return (wide * (alpha * torch.rsqrt(variance))).to(x.dtype)


def _gate(x: Tensor, weights: dict[str, Tensor], name: str) -> Tensor:
    first, second = F.linear(x, weights[f'{name}.linear_in.weight']).chunk(2, dim=-1)
    return F.linear(F.silu(first) * second, weights[f'{name}.linear_out.weight'])


def _heads(x: Tensor, heads: int) -> Tensor:
    """Splits [B, 1, 3 D] into queries, keys and values [3, B, heads, 1, D / heads]."""
    return x.view(len(x), 1, 3, heads, -1).permute(2, 0, 3, 1, 4)


def _together(x: Tensor) -> Tensor:
    return x.transpose(1, 2).flatten(2)


def _rotate(x: Tensor, now: Tensor, max_period: float) -> Tensor:
    """Turns each pair of numbers of a head by an angle that grows with the position."""
    size = x.shape[-1]
    steps = torch.arange(size // 2, dtype=torch.float32)
    angle = torch.exp(steps * (-math.log(max_period) * 2 / size)) * now.float().view(-1, 1, 1, 1)
    cos, sin = torch.cos(angle), torch.sin(angle)
    one, two = x[..., 0::2].float(), x[..., 1::2].float()
    turned = torch.stack([one * cos - two * sin, one * sin + two * cos], dim=-1)
    return turned.to(x.dtype).flatten(-2)


def _choose(logits: Tensor, sampling: bool, temperature: float, top_k: int) -> Tensor:
    """The most likely token, or one drawn among the likeliest [B]."""
    logits = logits.float()
    if not sampling:
        return logits.argmax(dim=-1)
    likely, tokens = torch.softmax(logits / temperature, dim=-1).topk(
        min(top_k, logits.shape[-1]), dim=-1
    )
    noise = torch.empty_like(likely).exponential_(1)
    return tokens.gather(-1, (likely / noise).argmax(dim=-1, keepdim=True))[:, 0]
