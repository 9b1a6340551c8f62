"""One step of the speech model: stock `moshi` beside ours, in one run on one machine.

    python benchmarks/s2s_step.py --device cpu --size tiny --json s2s_step.json
    python benchmarks/s2s_step.py --device cuda --size 7b --json s2s_step.json

The weights are random: `tiny` is the model of `kame-random` in float32, `7b` is KAME's own shape in
bfloat16 (16 GB). `stock_ms` and `ours_ms` are medians for one LM step at batch 1, codes in, codes
out (`*_p99_ms` beside them); ours is the fastest variant that keeps the weights as they are, and
`variants` has all, those with smaller weights too, and the reason of one that did not run.
`floor_ms` is the time that the same device needs to read the weights of a step once, at the
bandwidth of a large copy. `kernels_*` are what a step runs: kernels seen by the profiler on a GPU,
operations on a CPU. `frame_*_ms` are whole frames of 80 ms: codec, model, codec. `slots_in_80ms`
is the largest number of robots tried whose 99th percentile is within 80 ms. A GPU run needs a C
compiler for stock moshi, or NO_TORCH_COMPILE=1.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from s2s_models import NoTokenizer, bytes_of_a_step, make_lm, make_mimi

from kame_ros.s2s.moshi import fast_cpu, lean
from kame_ros.s2s.moshi.model import OracleLMGen
from kame_ros.s2s.moshi.op_trace import count_ops
from kame_ros.s2s.moshi.slots import MoshiSlots
from kame_ros.s2s.moshi.upstream import LMGen, LMModel, MimiModel

WARM_UP = 8
TRIED_SLOTS = (1, 2, 4, 8, 16, 24, 32, 48, 64)


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


def floor_ms(lm: LMModel, device: str) -> tuple[float, float]:
    """Milliseconds to read a step's weights once, and the measured bandwidth in GB/s."""
    source = torch.empty((4 << 30 if device.startswith('cuda') else 256 << 20) // 4, device=device)
    target = torch.empty_like(source)
    source.fill_(1)
    times = Clock(device, 10).time(lambda: target.copy_(source))
    bandwidth = 2 * source.numel() * 4 / (times[0] / 1e3)
    return 1e3 * bytes_of_a_step(lm) / bandwidth, bandwidth / 1e9


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


@dataclass(frozen=True)
class Variant:
    """A way to run our step."""

    quantise: str = 'none'
    fused: bool = False
    compile: bool = False

    def preparer(self, device: str) -> Callable[[LMGen], None]:
        """What puts it into a generator. Raises what `parts_for` raises."""
        parts = lean.parts_for(device.split(':')[0], self.quantise, self.fused)
        return lambda gen: lean.install(gen, parts, self.compile)


VARIANTS = {
    'cpu': {'lean': Variant(), 'int8': Variant('int8')},
    'cuda': {
        'lean': Variant(),
        'compiled': Variant(compile=True),
        'fused': Variant(fused=True),
        'int8': Variant('int8'),
        'fp8': Variant('fp8'),
        'int4': Variant('int4'),
    },
}


def run_variants(
    lm: Any, chosen: dict[str, Variant], clock: Clock, device: str, floor: float
) -> dict[str, dict]:
    """Milliseconds and kernels of each variant, or why it did not run."""
    seen: dict[str, dict] = {}
    for name, variant in chosen.items():
        try:
            result = measure_lm(lm, OracleLMGen, clock, device, variant.preparer(device))
        except Exception as error:  # an optional part is missing or fails: the others still count
            seen[name] = {'failed': f'{type(error).__name__}: {error}'[:300]}
            print(f'{name}: {seen[name]["failed"]}')
            continue
        finally:
            gc.collect()
        median = statistics.median(result['times'])
        seen[name] = {
            'ms': median,
            'p99_ms': p99(result['times']),
            'kernels': result['kernels'],
            'ratio_to_floor': median / floor,
        }
        print(f'{name}: {median:.2f} ms, {result["kernels"]} kernels')
    return seen


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--device', default='cpu', help='cpu, cuda or cuda:N')
    parser.add_argument('--size', choices=('tiny', '7b'), default='tiny')
    parser.add_argument('--only', help='variants, with commas between them; all otherwise')
    parser.add_argument('--steps', type=int, default=200, help='steps that are timed')
    parser.add_argument('--most-slots', type=int, default=64)
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--json', type=Path)
    args = parser.parse_args()
    kind = args.device.split(':')[0]
    if kind == 'cuda' and not torch.cuda.is_available():
        print('no GPU is to be seen: run with --device cpu', file=sys.stderr)
        return 1
    chosen = VARIANTS[kind]
    if args.only:
        chosen = {name: chosen[name] for name in args.only.split(',')}
    torch.set_num_threads(args.threads)
    clock = Clock(args.device, args.steps)
    lm, mimi = make_lm(args.size, args.device), make_mimi(args.size, args.device)
    floor, bandwidth = floor_ms(lm, args.device)
    stock = measure_lm(lm, LMGen, clock, args.device, lambda gen: None)
    stock_ms = statistics.median(stock['times'])
    print(f'stock: {stock_ms:.2f} ms, {stock["kernels"]} kernels; floor: {floor:.2f} ms')
    frame_stock = stock_frame(lm, mimi, clock, args.device)
    variants = run_variants(lm, chosen, clock, args.device, floor)
    ran = {name: result for name, result in variants.items() if 'ms' in result}
    same = {name: result for name, result in ran.items() if chosen[name].quantise == 'none'}
    best = min(same or ran, key=lambda name: ran[name]['ms'])
    prepare = chosen[best].preparer(args.device)
    if kind == 'cpu':
        fast_cpu.speed_up(mimi)
    frame_ours = our_frame(lm, mimi, clock, 1, prepare)
    slots, by_slots = count_slots(lm, mimi, clock, prepare, args.most_slots)
    report = {
        'device': args.device,
        'device_name': torch.cuda.get_device_name() if kind == 'cuda' else platform.machine(),
        'torch': torch.__version__,
        'size': args.size,
        'ours': best,
        'stock_ms': stock_ms,
        'stock_p99_ms': p99(stock['times']),
        'ours_ms': ran[best]['ms'],
        'ours_p99_ms': ran[best]['p99_ms'],
        'floor_ms': floor,
        'bandwidth_gb_s': bandwidth,
        'ratio_to_stock': ran[best]['ms'] / stock_ms,
        'ratio_to_floor': ran[best]['ratio_to_floor'],
        'kernels_stock': stock['kernels'],
        'kernels_ours': ran[best]['kernels'],
        'frame_stock_ms': statistics.median(frame_stock),
        'frame_stock_p99_ms': p99(frame_stock),
        'frame_ours_ms': statistics.median(frame_ours),
        'frame_ours_p99_ms': p99(frame_ours),
        'slots_in_80ms': slots,
        'frame_p99_ms_by_slots': by_slots,
        'variants': variants,
    }
    for key, value in report.items():
        print(f'{key:22s} {value:.3f}' if isinstance(value, float) else f'{key:22s} {value}')
    if args.json:
        args.json.write_text(json.dumps(report, indent=1) + '\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
