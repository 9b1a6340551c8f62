"""What kame-small learns from a batch of scenes: what it reads, the loss, how the weights move."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from kame_ros.s2s.small.ear import BANDS, LEVELS
from kame_ros.training.small.model import CODES, KameSmall

WEIGHTS = (1.0,) * 3 + (0.5,) * 3 + (0.5, 0.5)  # of the codes: the second level and melody less
WITHIN = 0.3  # weight of a frame of speech in which no piece begins
TEXT = 3.0  # weight of the pieces against the codes
QUIET = 0.1  # share of the frames without sound whose codes are learnt
SPOILT = 0.06  # share of the codes that the model reads that are not what was said


@dataclass(frozen=True)
class StepLoss:
    """The parts of a loss."""

    total: Tensor
    text: Tensor
    codes: Tensor  # [8]
    begun: Tensor  # share of the begun pieces that are the likeliest of all pieces
    right: Tensor  # share of the first codes that are the likeliest


def prepared(batch: dict[str, Tensor], silence: Tensor, spoil: bool) -> dict[str, Tensor]:
    """What `KameSmall.forward` takes, of the streams of scenes."""
    codes, said = batch['codes'].long(), batch['said'].long()
    first = silence.expand(len(codes), 1, CODES)
    before = torch.cat((first, codes[:, :-1]), dim=1)
    if spoil:
        before = _spoilt(before)
    text = F.pad(said, (1, 0))[:, :-1]
    quiet = (codes == silence).all(dim=-1)
    learnt = ~quiet | (torch.rand(quiet.shape, device=quiet.device) < QUIET)
    spoken = learnt.flatten().nonzero()[:, 0]
    return {
        'ear': _varied(batch['ear'].float() / 255) if spoil else batch['ear'].float() / 255,
        'codes': before,
        'text': text,
        'window': batch['window'].long(),
        'mark': batch['mark'].long(),
        'said': said,
        'written': codes,
        'spoken': spoken,
        'quiet': quiet,
    }


def _varied(ear: Tensor) -> Tensor:
    """Other voices and microphones: warped bands, other levels, tilt and pitch, a little noise."""
    scenes, frames, _ = ear.shape
    device = ear.device

    def each(size: float) -> Tensor:
        return (torch.rand(scenes, 1, 1, device=device) * 2 - 1) * size

    levels = ear[..., :LEVELS].unflatten(-1, (-1, BANDS))
    place = torch.arange(BANDS, device=device) * (1 + each(0.1))
    low = place.floor().clamp(max=BANDS - 2)
    part = (place - low).clamp(max=1.0)[..., None, :]
    low = low.long()[..., None, :].expand(-1, frames, levels.shape[2], -1)
    levels = levels.gather(-1, low) * (1 - part) + levels.gather(-1, low + 1) * part
    tilt = torch.linspace(-1, 1, BANDS, device=device) * each(0.06)
    levels = levels + each(0.08)[..., None] + tilt[..., None, :]
    levels = (levels + torch.randn_like(levels) * 0.015).clamp(0, 1).flatten(-2)
    voice = ear[..., LEVELS:].unflatten(-1, (-1, 2))
    voicing, pitch = voice[..., 0], voice[..., 1]
    pitch = torch.where(pitch > 0, (pitch + each(0.08)).clamp(0.001, 1), pitch)
    return torch.cat((levels, torch.stack((voicing, pitch), dim=-1).flatten(-2)), dim=-1)


def _spoilt(codes: Tensor) -> Tensor:
    """Some codes of other frames in place of their own: the model must live with its own slips."""
    other = codes.roll(7, dims=0).roll(31, dims=1)
    bad = torch.rand(codes.shape, device=codes.device) < SPOILT
    frame = torch.rand((*codes.shape[:2], 1), device=codes.device) < SPOILT / 2
    return torch.where(bad | frame, other, codes)


def loss_of(model: KameSmall, streams: dict[str, Tensor]) -> StepLoss:
    """The mean over the frames of a batch."""
    text, depth = model(**{name: x for name, x in streams.items() if name != 'quiet'})
    said, spoken = streams['said'].flatten(), streams['spoken']
    # Where the robot is silent, whether it begins is the question: all frames weigh alike.
    weight = torch.where((said == 0) & ~streams['quiet'].flatten(), WITHIN, 1.0)
    each = F.cross_entropy(text.flatten(0, 1).float(), said, reduction='none')
    text_loss = (each * weight).sum() / weight.sum()
    written = streams['written'].flatten(0, 1)[spoken]
    codes = F.cross_entropy(
        depth.float().flatten(0, 1), written.flatten(), reduction='none'
    ).reshape(-1, CODES).mean(dim=0)  # fmt: skip
    weights = codes.new_tensor(WEIGHTS)
    total = TEXT * text_loss + (codes * weights).sum() / weights.sum()
    with torch.no_grad():
        begun = said > 0
        guess = text.flatten(0, 1)[begun][:, 1:].argmax(dim=-1) + 1
        right = (depth[:, 0].argmax(dim=-1) == written[:, 0]).float().mean()
        share = (guess == said[begun]).float().mean()
    return StepLoss(total, text_loss.detach(), codes.detach(), share, right)


def optimiser(model: KameSmall, rate: float, fused: bool) -> torch.optim.AdamW:
    """AdamW; embeddings, norms and biases are not pulled to zero."""
    kept: list[Tensor] = []
    free: list[Tensor] = []
    for name, weight in model.named_parameters():
        matrix = weight.ndim >= 2 and 'emb' not in name and 'position' not in name
        table = name in ('depth.text', 'depth.code')
        (kept if matrix and not table else free).append(weight)
    groups = [{'params': kept, 'weight_decay': 0.1}, {'params': free, 'weight_decay': 0.0}]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.95), fused=fused)


def share_of_rate(step: int, steps: int, warm_up: int = 200, decay: float = 0.4) -> float:
    """How much of the learning rate a step takes: up, flat, down to nothing as a square root."""
    if step < warm_up:
        return (step + 1) / warm_up
    begin = steps * (1 - decay)
    return 1.0 if step < begin else 1 - math.sqrt(min(1.0, (step - begin) / max(1, steps - begin)))
