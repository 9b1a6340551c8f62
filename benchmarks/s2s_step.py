"""One step of the speech model: stock `moshi` beside ours, in one run on one machine.

    python benchmarks/s2s_step.py --device cpu --size tiny --json s2s_step.json
    python benchmarks/s2s_step.py --device cuda --size 7b --json s2s_step.json

The weights are random: `tiny` is the model of `kame-random` in float32, `7b` is KAME's own shape in
bfloat16 (16 GB). `stock_ms` and `ours_ms` are medians for one LM step at batch 1, codes in, codes
out (`*_p99_ms` beside them); `floor_ms` is the time that the same device needs to read the weights
of a step once, at the bandwidth of a large copy. `kernels_*` are what a step runs: kernels seen by
the profiler on a GPU, operations on a CPU. `frame_*_ms` are whole frames of 80 ms: codec, model,
codec. `slots_in_80ms` is the largest number of robots tried whose 99th percentile is within 80 ms.
`--quantise`, `--fused` and `--compile` change ours; stock stays what it is. On a CPU `--quantise
int8` also takes 8 bits in the codec's decoder. A GPU run needs a C compiler for stock moshi, or
NO_TORCH_COMPILE=1.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import torch

from kame_ros.s2s.moshi import fast_cpu, lean, random_checkpoint
from kame_ros.s2s.moshi.model import OracleLMGen, OracleLMModel
from kame_ros.s2s.moshi.op_trace import count_ops
from kame_ros.s2s.moshi.slots import MoshiSlots
from kame_ros.s2s.moshi.upstream import LMGen, MimiModel, loaders

WARM_UP = 8
TRIED_SLOTS = (1, 2, 4, 8, 16, 24, 32, 48, 64)
EMBEDDINGS = ('emb.', 'text_emb.', 'oracle_emb.', 'depformer_emb.', 'depformer_text_emb.')


class NoTokenizer:
    """The benchmark's oracle is silent, so that nothing is tokenised or written."""

    def encode(self, _text: str) -> list[int]:
        return []

    def vocab_size(self) -> int:
        return 0


def make_lm(size: str, device: str) -> OracleLMModel:
    """A random language model, in the dtype it is used in."""
    small = {**random_checkpoint.LM, 'text_card': random_checkpoint.VOCABULARY}
    kwargs = loaders._lm_kwargs | (small if size == 'tiny' else {})
    dtype = torch.float32 if size == 'tiny' else torch.bfloat16
    torch.manual_seed(0)
    lm = OracleLMModel(device=device, dtype=dtype, **kwargs).eval()
    for weight in lm.parameters():
        weight.requires_grad_(False)
    return lm


def make_mimi(size: str, device: str) -> MimiModel:
    """A random codec with filled codebooks."""
    config = random_checkpoint._mimi_config() if size == 'tiny' else loaders._mimi_config
    mimi = loaders.get_mimi(None, config, device=device, num_codebooks=8)
    for name, buffer in mimi.named_buffers():
        if name.endswith('embedding_sum'):
            buffer.normal_()
    return mimi


class Clock:
    """Times calls in milliseconds, to the end of the device's work."""

    def __init__(self, device: str, steps: int) -> None:
        self._gpu, self._steps = device.startswith('cuda'), steps

    def _now(self) -> float:
        if self._gpu:
            torch.cuda.synchronize()
        return time.perf_counter()

    def time(self, call: Callable[[], Any]) -> list[float]:
        """Milliseconds of each call, after a warm-up."""
        for _ in range(WARM_UP):
            call()
        out = []
        for _ in range(self._steps):
            began = self._now()
            call()
            out.append(1e3 * (self._now() - began))
        return sorted(out)


def p99(times: list[float]) -> float:
    return times[min(len(times) - 1, int(0.99 * len(times)))]


def lm_step(gen: LMGen, device: str) -> Callable[[], Any]:
    """A step of the generator with a token of the oracle, if it hears one."""
    lm = gen.lm_model
    codes = torch.randint(0, lm.card, (1, lm.n_q - lm.dep_q, 1), device=device)

    def step() -> Any:
        if isinstance(gen, OracleLMGen):
            gen.feed_oracle([5])
        return gen.step(codes)

    return step


def kernels(step: Callable[[], Any], device: str) -> int:
    """What one step runs: kernels on a GPU, also those of CUDA graphs; operations on a CPU."""
    if not device.startswith('cuda'):
        return count_ops(step).total()
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CUDA]) as seen:
        step()
        torch.cuda.synchronize()
    return sum(event.device_type == torch.autograd.DeviceType.CUDA for event in seen.events())


def floor_ms(lm: OracleLMModel, device: str) -> tuple[float, float]:
    """Milliseconds to read a step's weights once, and the measured bandwidth in GB/s."""
    read = sum(
        weight.numel() * weight.element_size()
        for name, weight in lm.named_parameters()
        if not name.startswith(EMBEDDINGS)
    )
    source = torch.empty((4 << 30 if device.startswith('cuda') else 256 << 20) // 4, device=device)
    target = torch.empty_like(source)
    source.fill_(1)
    times = Clock(device, 10).time(lambda: target.copy_(source))
    bandwidth = 2 * source.numel() * 4 / (times[0] / 1e3)
    return 1e3 * read / bandwidth, bandwidth / 1e9


def measure_lm(lm: Any, kind: type[LMGen], clock: Clock, device: str, prepare: Any) -> dict:
    """Milliseconds and kernels of one kind of step."""
    with torch.no_grad(), ExitStack() as streaming:
        gen = kind(lm)
        streaming.enter_context(gen.streaming(1))
        prepare(gen)
        step = lm_step(gen, device)
        times = clock.time(step)
        return {'times': times, 'kernels': kernels(step, device)}


def stock_frame(lm: Any, mimi: MimiModel, clock: Clock, device: str) -> list[float]:
    """Whole frames as moshi's own server runs them."""
    sound = torch.randn(1, 1, mimi.frame_size, device=device) * 0.1
    with torch.no_grad(), ExitStack() as streaming:
        gen = LMGen(lm)
        streaming.enter_context(gen.streaming(1))
        streaming.enter_context(mimi.streaming(1))

        def frame() -> None:
            tokens = gen.step(mimi.encode(sound))
            if tokens is not None:
                mimi.decode(tokens[:, 1:].clamp(min=0)).cpu()

        return clock.time(frame)


def our_frame(
    lm: Any, mimi: MimiModel, clock: Clock, slots: int, prepare: Callable[[LMGen], None]
) -> list[float]:
    """Whole frames of the front-end, with so many robots."""
    seats = MoshiSlots(lm, mimi, NoTokenizer(), slots=slots, prepare=prepare)
    noise = (np.random.default_rng(0).standard_normal(mimi.frame_size) * 1000).astype(np.int16)
    heard = {seats.join(): noise for _ in range(slots)}
    try:
        return clock.time(lambda: seats.step(heard, {}))
    finally:
        seats.stop()


def count_slots(
    lm: Any, mimi: MimiModel, clock: Clock, prepare: Any, most: int
) -> tuple[int, dict]:
    """The largest number of robots whose 99th percentile is within a frame, and all times."""
    best, seen = 0, {}
    for slots in (n for n in TRIED_SLOTS if n <= most):
        try:
            seen[slots] = p99(our_frame(lm, mimi, clock, slots, prepare))
        except torch.OutOfMemoryError:
            print(f'{slots} slots: out of memory')
            break
        finally:
            gc.collect()
        print(f'{slots:3d} slots: {seen[slots]:.1f} ms (p99 of a frame)')
        if seen[slots] > 80:
            break
        best = slots
    return best, seen


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--device', default='cpu', help='cpu, cuda or cuda:N')
    parser.add_argument('--size', choices=('tiny', '7b'), default='tiny')
    parser.add_argument('--quantise', choices=('none', 'int8', 'int4', 'fp8'), default='none')
    parser.add_argument('--fused', action='store_true', help='our step as a few Triton kernels')
    parser.add_argument('--compile', action='store_true', help='fuse our step with torch.compile')
    parser.add_argument('--steps', type=int, default=200, help='steps that are timed')
    parser.add_argument('--most-slots', type=int, default=64)
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--json', type=Path)
    args = parser.parse_args()
    if args.device.startswith('cuda') and not torch.cuda.is_available():
        print('no GPU is to be seen: run with --device cpu', file=sys.stderr)
        return 1
    torch.set_num_threads(args.threads)
    clock = Clock(args.device, args.steps)
    parts = lean.parts_for(args.device.split(':')[0], args.quantise, args.fused)

    def prepare(gen: LMGen) -> None:
        lean.install(gen, parts, args.compile)

    lm, mimi = make_lm(args.size, args.device), make_mimi(args.size, args.device)
    floor, bandwidth = floor_ms(lm, args.device)
    stock = measure_lm(lm, LMGen, clock, args.device, lambda gen: None)
    frame_stock = stock_frame(lm, mimi, clock, args.device)
    ours = measure_lm(lm, OracleLMGen, clock, args.device, prepare)
    if args.device == 'cpu':
        fast_cpu.speed_up(mimi, int8_decoder=args.quantise == 'int8')
    frame_ours = our_frame(lm, mimi, clock, 1, prepare)
    slots, by_slots = count_slots(lm, mimi, clock, prepare, args.most_slots)
    stock_ms, ours_ms = (statistics.median(part['times']) for part in (stock, ours))
    name = torch.cuda.get_device_name() if args.device.startswith('cuda') else 'CPU'
    report = {
        'device': args.device,
        'device_name': name,
        'torch': torch.__version__,
        'size': args.size,
        'quantise': args.quantise,
        'fused': args.fused,
        'compile': args.compile,
        'stock_ms': stock_ms,
        'stock_p99_ms': p99(stock['times']),
        'ours_ms': ours_ms,
        'ours_p99_ms': p99(ours['times']),
        'floor_ms': floor,
        'bandwidth_gb_s': bandwidth,
        'ratio_to_stock': ours_ms / stock_ms,
        'ratio_to_floor': ours_ms / floor,
        'kernels_stock': stock['kernels'],
        'kernels_ours': ours['kernels'],
        'frame_stock_ms': statistics.median(frame_stock),
        'frame_stock_p99_ms': p99(frame_stock),
        'frame_ours_ms': statistics.median(frame_ours),
        'frame_ours_p99_ms': p99(frame_ours),
        'slots_in_80ms': slots,
        'frame_p99_ms_by_slots': by_slots,
    }
    for key, value in report.items():
        print(f'{key:22s} {value:.3f}' if isinstance(value, float) else f'{key:22s} {value}')
    if args.json:
        args.json.write_text(json.dumps(report, indent=1) + '\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
