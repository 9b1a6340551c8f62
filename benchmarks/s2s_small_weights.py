"""What 8 and 4 bits change: the error of weights, of logits, and how many tokens become others.

    python benchmarks/s2s_small_weights.py --results

Weights: random normal ones, and those of kame-small, which were trained. Logits and tokens: of
kame-small, which says an answer to a quiet user, and of a random model of Moshi's kind (512 wide, 8
layers), which hears random codes and oracles; each step with the past that the float32 model chose,
so that one other token does not make all later ones others. A random model is undecided between
its tokens: far more of them change than in a trained one. `int4_before` is what int4 was until
now: groups of 128 with the largest value as the scale.
"""

from __future__ import annotations

import argparse
import sys
from collections import deque
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from option_types import how_often
from result_file import Results
from safetensors.torch import load_file
from torch import Tensor

from kame_ros.s2s.moshi.fast import lean
from kame_ros.s2s.moshi.fast.lean import Parts
from kame_ros.s2s.moshi.fast.linear import DenseLinear
from kame_ros.s2s.moshi.fast.small_weights import (
    BLOCK,
    WIDENED,
    quantise_groups,
    quantise_rows,
    widen_groups,
)
from kame_ros.s2s.moshi.model import OracleLMGen, OracleLMModel
from kame_ros.s2s.moshi.weights.upstream import loaders
from kame_ros.s2s.small import make as small_make
from kame_ros.s2s.small.can_run import folder_of
from kame_ros.s2s.small.config import SmallConfig
from kame_ros.s2s.small.model import Block, SmallModel
from kame_ros.s2s.small.step import Stepper
from kame_ros.wire.frame import FRAME_SAMPLES
from kame_ros.wire.oracle import Oracle

SHAPE: dict[str, Any] = {
    'dim': 512, 'num_layers': 8, 'num_heads': 8, 'hidden_scale': 3, 'text_card': 2000, 'card': 512,
    'depformer_dim': 256, 'depformer_dim_feedforward': 768, 'depformer_num_layers': 6,
    'depformer_num_heads': 4, 'context': 100,
}  # fmt: skip


def before(weight: Tensor) -> Tensor:
    """As int4 was: 128 weights to a scale, the largest value over 7."""
    groups = weight.float().unflatten(1, (-1, 128))
    scale = groups.abs().amax(dim=-1, keepdim=True).clamp(min=1e-12) / 7
    return ((groups / scale).round().clamp(-8, 7) * scale).flatten(1)


def rows(weight: Tensor, kind: torch.dtype) -> Tensor:
    small, scale = quantise_rows(weight, kind)
    return small.float() * scale[:, None]


ROUNDED = {
    'int8': lambda weight: rows(weight, torch.int8),
    'fp8': lambda weight: rows(weight, torch.float8_e4m3fn),
    'int4': lambda weight: widen_groups(*quantise_groups(weight), torch.float32),
    'int4_before': before,
}
PARTS = {
    'int8': lean.widened_parts('int8'),
    'fp8': lean.widened_parts('fp8'),
    'int4': lean.widened_parts('int4'),
    'int4_depformer_too': Parts(WIDENED['int4']),
    'int4_before': Parts(lambda weight: DenseLinear(before(weight))),
}


def errors(weights: list[Tensor]) -> dict[str, float]:
    """The error of each kind of rounding, as a part of the weights."""
    return {
        kind: sum(float((rounded(w) - w).norm() / w.norm()) for w in weights) / len(weights)
        for kind, rounded in ROUNDED.items()
    }


def trained() -> list[Tensor]:
    """Matrices of kame-small whose width is a whole number of blocks."""
    file = folder_of(SmallConfig().weights) / 'model.safetensors'
    found = [tensor.float() for tensor in load_file(file).values() if tensor.is_floating_point()]
    return [t for t in found if t.ndim == 2 and t.shape[1] % BLOCK == 0 and t.numel() > 50_000]


def run(parts: Parts, steps: int, forced: Tensor | None) -> tuple[Tensor, Tensor]:
    """Logits of the text and the tokens chosen, [steps, 1 + 8]; with the past of `forced`."""
    torch.manual_seed(0)
    lm = OracleLMModel(device='cpu', dtype=torch.float32, **{**loaders._lm_kwargs, **SHAPE}).eval()
    logits: list[Tensor] = []
    tokens: list[Tensor] = []

    def text(chosen: Tensor) -> None:
        tokens.append(chosen.clone())
        if forced is not None:
            chosen.copy_(forced[len(logits) - 1, :1])

    def audio(chosen: Tensor) -> None:
        tokens[-1] = torch.cat([tokens[-1], chosen[0]])
        if forced is not None:
            chosen.copy_(forced[len(logits) - 1, 1:][None])

    gen = OracleLMGen(
        lm,
        use_sampling=False,
        support_out_of_sync=True,
        on_text_logits_hook=lambda some: logits.append(some[0, 0, 0].clone()),
        on_text_hook=text,
        on_audio_hook=audio,
    )
    torch.manual_seed(5)
    heard = torch.randint(0, lm.card, (steps, 1, 8, 1))
    told = torch.randint(0, lm.text_card, (steps,)).tolist()
    with torch.no_grad(), gen.streaming(1):
        lean.install(gen, parts)
        for codes, token in zip(heard, told, strict=True):
            gen.feed_oracle([token])
            gen.step(codes)
    return torch.stack(logits), torch.stack(tokens)


class WatchedStepper(Stepper):
    """Keeps what it was given and has chosen; with `past` it goes on as another one chose."""

    def __init__(self, model: SmallModel, past: WatchedStepper | None = None) -> None:
        self.given: list[tuple] = []
        self.chosen: list[tuple[int, np.ndarray]] = []
        self.logits: list[np.ndarray] = []
        self._pasts: list[tuple] = []
        super().__init__(model)
        for number, arguments in enumerate(past.given if past is not None else ()):
            self.step(*arguments[0], **arguments[1])
            assert past is not None
            self._piece, self._codes, self._quiet, silences = past._pasts[number]
            self._silences = deque(silences, self._silences.maxlen)

    def step(self, *given: Any, **more: Any) -> tuple[int, np.ndarray]:
        self.given.append((given, more))
        self.chosen.append(super().step(*given, **more))
        self._pasts.append((self._piece, self._codes, self._quiet, tuple(self._silences)))
        return self.chosen[-1]

    def _choose_piece(self, hidden: np.ndarray, *rest: Any) -> int:
        self.logits.append(hidden @ self.model.head)
        return super()._choose_piece(hidden, *rest)


def rounded_small(model: SmallModel, kind: str) -> SmallModel:
    """kame-small with all its matrices rounded, for `x @ W`."""

    def matrix(weight: np.ndarray) -> np.ndarray:
        turned = torch.from_numpy(np.ascontiguousarray(weight.T))
        padded = torch.nn.functional.pad(turned, (0, -turned.shape[1] % BLOCK))
        return np.ascontiguousarray(ROUNDED[kind](padded)[:, : turned.shape[1]].numpy().T)

    def block(layer: Block) -> Block:
        names = ('qkv', 'o', 'gate_up', 'down')
        return Block(layer.heads, *(matrix(getattr(layer, name)) for name in names))

    return replace(
        model,
        layers=tuple(map(block, model.layers)),
        depth_layers=tuple(map(block, model.depth_layers)),
        head=matrix(model.head),
        depth_in=matrix(model.depth_in),
        depth_head=np.stack([matrix(head) for head in model.depth_head]),
    )


def run_small(steps: int) -> dict[str, dict[str, float]]:
    """What kame-small says of an oracle, and how much of it each kind of rounding changes."""
    front_end = small_make.build(SmallConfig())
    model = front_end._stepper.model
    own = front_end._stepper = WatchedStepper(model)
    answer = Oracle(
        'llm', 1, 'The capital of France is Paris, and it lies on the river Seine.', True
    )
    quiet = np.random.default_rng(0).integers(-20, 20, (steps, FRAME_SAMPLES)).astype(np.int16)
    for frame in quiet:
        front_end.step(frame, answer)
    want = np.stack(own.logits)
    figures = {}
    for kind in ROUNDED:
        other = WatchedStepper(rounded_small(model, kind), own)
        pairs = list(zip(own.chosen, other.chosen, strict=True))
        got = np.stack(other.logits)
        figures[kind] = {
            'logits_error': float(np.linalg.norm(got - want) / np.linalg.norm(want)),
            'text_tokens_changed': float(np.mean([a[0] != b[0] for a, b in pairs])),
            'sound_tokens_changed': float(np.mean([a[1] != b[1] for a, b in pairs])),
        }
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--steps', type=how_often(), default=100)
    writer = Results(parser, 's2s_small_weights', timed=False)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    figures: dict[str, Any] = {
        'weights_error_random': errors([torch.randn(512, 4096)]),
        'weights_error_trained': errors(trained()),
    }
    small = run_small(args.steps)
    figures |= {f'kame_small_{kind}': values for kind, values in small.items()}
    want, tokens = run(Parts(), args.steps, None)
    for kind, parts in PARTS.items():
        got, chosen = run(parts, args.steps, tokens)
        other = chosen != tokens
        figures[kind] = {
            'logits_error': float((got - want).norm() / want.norm()),
            'text_tokens_changed': float(other[:, 0].float().mean()),
            'sound_tokens_changed': float(other[:, 1:].float().mean()),
        }
    for name, values in figures.items():
        print(f'{name:22s}', '  '.join(f'{key} {value:.4f}' for key, value in values.items()))
    writer.write(args, figures, figures)
    return 0


if __name__ == '__main__':
    sys.exit(main())
