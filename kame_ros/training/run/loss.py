"""The loss: text and audio, each a weighted mean over what is rare and what is common.

SakanaAI/kame_finetune (finetune.py): text = CE(words) + 0.5 CE(padding); audio = weighted mean with
the first codebook 100 times the others; total = text + audio. All weights are in the configuration.

What a mean is taken over is counted before (`count`), over all batches and processes of a step: so
parts of a batch add up to what the whole of it gives, however unevenly words are spread over them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from kame_ros.text.misfit import misfit
from kame_ros.training.config import ConfigError, RunConfig, check_kinds

NOTHING = -1  # a token that is no input and has no loss; moshi/models/lm.py, zero_token_id


@dataclass(frozen=True, kw_only=True)
class LossWeights:
    """`first` weighs the first codebook against the others; `quiet` frames without own speech."""

    padding: float = 0.5
    first: float = 100.0
    quiet: float = 1.0
    audio: float = 1.0

    def __post_init__(self) -> None:
        check_kinds(self)
        for name in ('padding', 'first', 'quiet', 'audio'):
            if getattr(self, name) < 0:
                raise ValueError(f'the loss weight {name} is negative')


def weights_of(config: RunConfig) -> LossWeights:
    """The weights that a configuration names. Raises ConfigError."""
    try:
        return LossWeights(**config.losses)
    except (TypeError, ValueError) as error:
        raise ConfigError(f'losses: {misfit(error)}') from error


@dataclass(frozen=True)
class Loss:
    """What is minimised, and what is shown of it: shares of a whole, which add up."""

    total: Tensor
    text: float
    audio: float
    words_right: float  # share of the word tokens that are the most likely ones
    codes_right: float  # share of the codes of own speech that are


@dataclass(frozen=True)
class Masks:
    """What counts as what: text bool[B, T], own codes bool[B, spoken, T]."""

    words: Tensor
    padded: Tensor
    loud: Tensor
    still: Tensor


def masks(codes: Tensor, quiet: Tensor, padding: int, delays: Sequence[int], spoken: int) -> Masks:
    """Sorts the tokens of `codes` [B, K, T]; a delayed book has no prediction at the end."""
    frames = torch.arange(codes.shape[2], device=codes.device)
    late = torch.tensor(delays[: 1 + spoken], device=codes.device)
    heard = codes[:, : 1 + spoken]
    valid = (heard != NOTHING) & (frames < codes.shape[2] - late[:, None])
    padded = codes[:, 0] == padding
    still = quiet[:, None].expand(-1, spoken, -1)
    return Masks(
        words=valid[:, 0] & ~padded,
        padded=valid[:, 0] & padded,
        loud=valid[:, 1:] & ~still,
        still=valid[:, 1:] & still,
    )


def count(found: Masks, weights: LossWeights) -> Tensor:
    """float64[5]: words, padding, weighted codes of speech and of silence, codes of speech."""
    share = _shares(found, weights)
    sums = (found.words, found.padded, found.loud * share, found.still * share, found.loud)
    return torch.stack([each.sum(dtype=torch.float64) for each in sums])


def _shares(found: Masks, weights: LossWeights) -> Tensor:
    books = found.loud.shape[1]
    return torch.tensor([weights.first, *[1.0] * (books - 1)], device=found.loud.device)[:, None]


def loss(
    output: object,
    codes: Tensor,
    found: Masks,
    weights: LossWeights,
    counts: Tensor | None = None,
) -> Loss:
    """`output` is what `LMModel.forward` gave for `codes` [B, K, T], sorted as `found`.

    `counts` are those of the whole that this is a part of; without them it is the whole.
    """
    counts = count(found, weights) if counts is None else counts
    total, *numbers = tensors(output, codes, found, weights, counts)
    return Loss(total, *(float(x.detach()) for x in numbers))


def tensors(
    output: object, codes: Tensor, found: Masks, weights: LossWeights, counts: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """The fields of `Loss`, as tensors."""
    per_word, per_padding, per_loud, per_still, per_code = counts.float().clamp(min=1e-6)
    text_logits = torch.nan_to_num(output.text_logits[:, 0].float())  # type: ignore[attr-defined]
    target = codes[:, 0].clamp(min=0)
    text = F.cross_entropy(text_logits.flatten(0, 1), target.flatten(), reduction='none')
    text = text.view(target.shape)
    text_loss = (text * found.words).sum() / per_word
    text_loss = text_loss + weights.padding * (text * found.padded).sum() / per_padding

    logits = torch.nan_to_num(output.logits.float())  # type: ignore[attr-defined]
    own = codes[:, 1 : 1 + found.loud.shape[1]].clamp(min=0)
    audio = F.cross_entropy(logits.flatten(0, 2), own.flatten(), reduction='none').view(own.shape)
    audio = audio * _shares(found, weights)
    audio_loss = (audio * found.loud).sum() / per_loud
    audio_loss = audio_loss + weights.quiet * (audio * found.still).sum() / per_still
    with torch.no_grad():
        words_right = ((text_logits.argmax(-1) == target) & found.words).sum() / per_word
        codes_right = ((logits.argmax(-1) == own) & found.loud).sum() / per_code
    total = text_loss + weights.audio * audio_loss
    return total, text_loss, audio_loss, words_right, codes_right
