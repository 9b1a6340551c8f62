"""The loss: text and audio, each a weighted mean over what is rare and what is common.

SakanaAI/kame_finetune (finetune.py): text = CE(words) + 0.5 CE(padding); audio = weighted mean with
the first codebook 100 times the others; total = text + audio. All weights are in the configuration.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True, kw_only=True)
class LossWeights:
    """`first` weighs the first codebook against the others; `quiet` frames without own speech."""

    padding: float = 0.5
    first: float = 100.0
    quiet: float = 1.0
    audio: float = 1.0

    def __post_init__(self) -> None:
        for name in ('padding', 'first', 'quiet', 'audio'):
            if getattr(self, name) < 0:
                raise ValueError(f'the loss weight {name} is negative')


@dataclass(frozen=True)
class Loss:
    """What is minimised, and what is shown of it."""

    total: Tensor
    text: float
    audio: float
    words_right: float  # share of the word tokens that are the most likely ones
    codes_right: float  # share of the codes of own speech that are


def loss(output: object, codes: Tensor, quiet: Tensor, padding: int, weights: LossWeights) -> Loss:
    """`output` is what `LMModel.forward` gave for `codes` [B, 17, T]; `quiet` is bool[B, T]."""
    text_logits = torch.nan_to_num(output.text_logits[:, 0].float())  # type: ignore[attr-defined]
    target = codes[:, 0]
    text = F.cross_entropy(text_logits.flatten(0, 1), target.flatten(), reduction='none')
    valid = output.text_mask[:, 0].flatten()  # type: ignore[attr-defined]
    padded = (target == padding).flatten()
    text_loss = _mean(text, valid & ~padded) + weights.padding * _mean(text, valid & padded)

    spoken = output.logits.shape[1]  # type: ignore[attr-defined]
    logits = torch.nan_to_num(output.logits.float())  # type: ignore[attr-defined]
    own = codes[:, 1 : 1 + spoken]
    mask = output.mask  # type: ignore[attr-defined]
    audio = F.cross_entropy(logits.flatten(0, 2), own.clamp(min=0).flatten(), reduction='none')
    audio = audio.view(own.shape)
    still = quiet[:, None].expand_as(own)
    per_book = torch.tensor([weights.first, *[1.0] * (spoken - 1)], device=codes.device)
    share = per_book.view(1, -1, 1).expand_as(audio)
    loud_loss = _mean(audio, mask & ~still, share)
    audio_loss = loud_loss + weights.quiet * _mean(audio, mask & still, share)
    with torch.no_grad():
        words = valid & ~padded
        words_right = _mean((text_logits.argmax(-1) == target).flatten().float(), words)
        codes_right = _mean((logits.argmax(-1) == own).float(), mask & ~still)
    total = text_loss + weights.audio * audio_loss
    return Loss(
        total, *(float(x.detach()) for x in (text_loss, audio_loss, words_right, codes_right))
    )


def _mean(values: Tensor, where: Tensor, share: Tensor | None = None) -> Tensor:
    """The mean of `values` where they count, 0 if none does."""
    weight = where.float() if share is None else where.float() * share
    return (values * weight).sum() / weight.sum().clamp(min=1e-6)
