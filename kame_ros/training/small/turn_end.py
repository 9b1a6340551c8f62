"""Trains the small network that tells when the user has finished, beside a model that is ready.

It learns from the users' bank: a pause inside an utterance is no end, what is behind its last sound
is. What counts are the first frames of a silence: how long it lasts is for others to judge. The
model itself does not change, and it is shown no oracle, as it sees none in the user's turn. Minutes
of one core.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor, nn

from kame_ros.s2s.small.sizes import FEATURES
from kame_ros.s2s.small.turn_end import FILE, FRAMES, PREFIX
from kame_ros.training.small.bank import UserKind
from kame_ros.training.small.model import KameSmall

WIDTH = 64
BEFORE, AFTER = 12, 20  # frames of the empty room around an utterance
_AT_ONCE = 16  # utterances that the model hears together
_KINDS = (UserKind.QUESTION, UserKind.PAUSED, UserKind.STATEMENT)
_SOON = 5  # frames of a silence that count
_SHORTEST = 4  # frames of a pause; what is shorter is a gap between words
_BATCH, _RATE, _DECAY = 1024, 1.5e-3, 0.05
_FORGETS, _BLURS = 0.4, 0.05  # what makes it learn no utterance by heart
_PAUSE = (6, 19)  # frames of the pauses that are measured: 0.5 to 1.5 s

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Felt:
    """What a model makes of utterances: `frames` float16[N, dim + 84] behind each other.

    `speaks` bool[N]; `starts` where each utterance begins; `kinds` of each.
    """

    frames: np.ndarray
    speaks: np.ndarray
    starts: np.ndarray
    kinds: np.ndarray


class HeldUtterances:
    """What users sound like, and where they speak, from files of `users`."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Raises OSError, KeyError or ValueError for what is no such file."""
        self.all: list[tuple[np.ndarray, np.ndarray, int, int]] = []  # features, labels, kind, room
        for path in paths:
            with np.load(path) as file:
                features, labels, starts = file['features'], file['labels'], file['starts']
                kinds, rooms = file['kind'].tolist(), file['room'].tolist()
            for number, (begin, end) in enumerate(pairwise(starts.tolist())):
                one = slice(begin, end)
                self.all.append((features[one], labels[one], kinds[number], rooms[number]))
        self._empty = {room: found for found, _, kind, room in self.all if _is_empty(kind)}

    def asked(self) -> list[tuple[np.ndarray, np.ndarray, int, int]]:
        """Those that end a turn."""
        return [one for one in self.all if one[2] in _KINDS]

    def room(self, rng: np.random.Generator, room: int, frames: int) -> np.ndarray:
        """Features uint8[frames, 84] of what is heard there when nobody speaks."""
        own = self._empty.get(room, np.zeros((1, FEATURES), np.uint8))
        return own[(np.arange(frames) + rng.integers(len(own))) % len(own)]


def _is_empty(kind: int) -> bool:
    return kind == UserKind.BACKGROUND


@torch.no_grad()
def feel(
    model: KameSmall,
    silence: Sequence[int],
    users: HeldUtterances,
    seed: int = 0,
    progress: Progress = lambda done, all_: None,
) -> Felt:
    """Lets a silent model hear all utterances."""
    rng, asked = np.random.default_rng(seed), users.asked()
    device = next(model.parameters()).device
    frames: list[np.ndarray] = [np.zeros((0, model.size.dim + FEATURES), np.float16)] * len(asked)
    speaks: list[np.ndarray] = [np.zeros(0, bool)] * len(asked)
    order = sorted(range(len(asked)), key=lambda number: len(asked[number][0]))
    for begin in range(0, len(order), _AT_ONCE):
        some = order[begin : begin + _AT_ONCE]
        longest = max(len(asked[number][0]) for number in some) + BEFORE + AFTER
        ear = np.stack([users.room(rng, asked[number][3], longest) for number in some])
        for row, number in enumerate(some):
            features, labels = asked[number][:2]
            ear[row, BEFORE : BEFORE + len(features)] = features
            speaks[number] = np.zeros(BEFORE + len(features) + AFTER, bool)
            speaks[number][BEFORE : BEFORE + len(features)] = labels == 1
        heard = torch.from_numpy(ear).to(device).float() / 255
        quiet = torch.as_tensor(silence, device=device).expand(*heard.shape[:2], len(silence))
        nothing = torch.zeros(heard.shape[:2], dtype=torch.long, device=device)
        window = nothing[..., None].expand(-1, -1, model.size.ahead)
        # At run time the weights of the normalisation are in the matrices behind it.
        felt = model.hidden(heard, quiet, nothing, window, nothing) / model.norm
        both = torch.cat((felt, heard), dim=2).half().cpu().numpy()
        for row, number in enumerate(some):
            frames[number] = both[row, : len(speaks[number])]
        progress(begin + len(some), len(order))
    starts = np.cumsum([0, *map(len, frames)])
    kinds = np.array([kind for _, _, kind, _ in asked])
    return Felt(np.concatenate(frames), np.concatenate(speaks), starts, kinds)


class TurnEnd(nn.Module):
    """Two frames [N, 2 (dim + 84)] in, the logarithm of the odds that the user has finished out."""

    def __init__(self, dim: int, width: int = WIDTH) -> None:
        super().__init__()
        self.first = nn.Linear(FRAMES * (dim + FEATURES), width)
        self.head = nn.Linear(width, 1)
        self.forget = nn.Dropout(_FORGETS)

    def forward(self, seen: Tensor) -> Tensor:
        """See the class; while it learns, it forgets some of what it sees."""
        if self.training:
            seen = seen + _BLURS * torch.randn_like(seen)
        first = torch.relu(self.first(self.forget(seen)))
        odds: Tensor = self.head(self.forget(first))[..., 0]
        return odds


def train(
    felt: Felt, passes: int, seed: int = 0, progress: Progress = lambda done, all_: None
) -> TurnEnd:
    """Trains from nothing, `passes` times over all frames."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    over, counts = wanted(felt)
    kept = np.flatnonzero(counts)
    model = TurnEnd(felt.frames.shape[1] - FEATURES)
    learner = torch.optim.AdamW(model.parameters(), _RATE, weight_decay=_DECAY)
    steps = passes * -(-len(kept) // _BATCH)
    rate = torch.optim.lr_scheduler.OneCycleLR(learner, _RATE, total_steps=max(2, steps))
    done = 0
    for _ in range(passes):
        rng.shuffle(kept)
        for begin in range(0, len(kept), _BATCH):
            some = kept[begin : begin + _BATCH]
            odds = model(torch.from_numpy(_seen(felt, some)))
            here, counted = (torch.from_numpy(array[some]) for array in (over, counts))
            each = nn.functional.binary_cross_entropy_with_logits(odds, here, reduction='none')
            loss = (each * counted).sum() / counted.sum()
            learner.zero_grad()
            loss.backward()
            learner.step()
            rate.step()
            done += 1
        progress(done, steps)
    return model.eval()


def wanted(felt: Felt) -> tuple[np.ndarray, np.ndarray]:
    """For each frame, float32: whether the user has finished, and how much that counts.

    All pauses together count as much as all ends.
    """
    over, counts = np.zeros((2, len(felt.speaks)), np.float32)
    for begin, end in pairwise(felt.starts.tolist()):
        speech = begin + np.flatnonzero(felt.speaks[begin:end])
        if len(speech):
            last = speech[-1] + 1
            over[last:end] = 1
            for one, next_ in pairwise(speech.tolist()):
                if next_ - one - 1 >= _SHORTEST:
                    counts[one + 1 : min(next_ - 1, one + 1 + _SOON)] = 1
            counts[last : last + _SOON] = 1
    pauses, ends = counts[over == 0].sum(), counts[over == 1].sum()
    if pauses and ends:
        counts[over == 1] *= pauses / ends
    return over, counts


def _seen(felt: Felt, frames: np.ndarray) -> np.ndarray:
    """Frames and those before them, float32[N, 2 (dim + 84)]."""
    before = np.maximum(frames - 1, 0)
    return np.concatenate((felt.frames[before], felt.frames[frames]), axis=1).astype(np.float32)


def write(model: TurnEnd, folder: Path) -> Path:
    """Into a folder of weights, float16, whole or not at all. Raises OSError."""
    tensors = {}
    for name in ('first', 'head'):
        layer = getattr(model, name)
        tensors[PREFIX + name] = layer.weight.detach().T.half().contiguous()
        tensors[f'{PREFIX}{name}_bias'] = layer.bias.detach().half()
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f'{FILE}.part'
    part.write_bytes(save(tensors))
    os.replace(part, folder / FILE)
    return folder / FILE


@torch.no_grad()
def pauses_and_ends(model: TurnEnd, felt: Felt) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The odds in each frame of the pauses of 0.5 to 1.5 s, and in those after each end."""
    pauses, ends = [], []
    for number, (begin, end) in enumerate(pairwise(felt.starts.tolist())):
        if felt.kinds[number] == UserKind.STATEMENT:
            continue
        odds = model(torch.from_numpy(_seen(felt, np.arange(begin, end)))).numpy()
        speech = np.flatnonzero(felt.speaks[begin:end])
        for one, next_ in pairwise(speech.tolist()):
            if _PAUSE[0] <= next_ - one - 1 <= _PAUSE[1]:
                pauses.append(odds[one + 1 : next_])
        ends.append(odds[speech[-1] + 1 :][:AFTER])
    return pauses, ends


def told(
    pauses: Sequence[np.ndarray], ends: Sequence[np.ndarray], sure: float
) -> tuple[float, float, float]:
    """At so large odds: the share of pauses taken for ends; of the ends, the share that is told in
    their first three silent frames, and at all.
    """
    taken = sum(bool((one[:-1] >= sure).any()) for one in pauses) / max(1, len(pauses))
    soon = sum(bool((one[:3] >= sure).any()) for one in ends) / max(1, len(ends))
    found = sum(bool((one >= sure).any()) for one in ends) / max(1, len(ends))
    return taken, soon, found
