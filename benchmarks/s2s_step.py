"""One step of the speech model: stock `moshi` beside ours, in one run on one machine.

    python benchmarks/s2s_step.py --device cpu --size tiny --results
    python benchmarks/s2s_step.py --device cuda --size 7b --results benchmarks/results/s2s_gpu.json

The weights are random: `tiny` is the model of `kame-random` in float32, `7b` is KAME's own shape in
bfloat16 (19 GB of GPU memory with its ring and Mimi). A run takes at most `--minutes` (8): what is
not measured by then is told in `left_out`, what ran out of memory or failed in its place, and the
results are written all the same. No GPU has run this program yet.

`stock_*` and `ours_*` are one LM step at batch 1, codes in, codes out; ours is the fastest variant
that keeps the weights as they are. `variants` has all, those with smaller weights too: median and
p99 of a step, what it runs (kernels seen by the profiler on a GPU, operations on a CPU), the time
of its first step (compilation and capture), the memory that it held and the most it took, and
`frames`, whole frames of 80 ms (codec, model, codec) by the number of robots. `floor_ms` is the
time that the same device needs to read the weights of a step once, at the bandwidth of a large
copy. `slots_in_80ms` is the largest number of robots tried whose 99th percentile is within 80 ms.
A GPU run needs a C compiler for stock moshi, or NO_TORCH_COMPILE=1.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from option_types import how_often, in_minutes
from result_file import Results
from s2s_models import NoTokenizer, RandomWeights, bytes_of_a_step, make_lm, make_mimi

from kame_ros.s2s.moshi import memory
from kame_ros.s2s.moshi.fast import fast_cpu, lean
from kame_ros.s2s.moshi.model import OracleLMGen
from kame_ros.s2s.moshi.op_trace import count_ops
from kame_ros.s2s.moshi.slots import MoshiSlots
from kame_ros.s2s.moshi.weights import runtime
from kame_ros.s2s.moshi.weights.upstream import LMGen, LMModel, MimiModel

WARM_UP = 8
TRIED_SLOTS = (1, 2, 4, 8, 16, 32, 64)
COPIED = {'cuda': (4 << 30, 1 << 30, 256 << 20), 'cpu': (256 << 20,)}  # bytes; less if it must be


@dataclass
class Clock:
    """Times calls in milliseconds, to the end of the device's work; and how long a run may take."""

    device: str
    steps: int
    minutes: float
    _began: float = field(default_factory=time.perf_counter)

    @property
    def gpu(self) -> bool:
        return self.device.startswith('cuda')

    @property
    def seconds_left(self) -> float:
        return self._began + 60 * self.minutes - time.perf_counter()

    def _now(self) -> float:
        if self.gpu:
            torch.cuda.synchronize(self.device)
        return time.perf_counter()

    def once(self, call: Callable[[], Any]) -> float:
        began = self._now()
        call()
        return 1e3 * (self._now() - began)

    def time(self, call: Callable[[], Any]) -> list[float]:
        """Milliseconds of each call, sorted, after a warm-up; fewer where the time is short."""
        slowest = max(self.once(call) for _ in range(WARM_UP)) / 1e3
        share = self.seconds_left / 8  # many are still to come
        steps = max(5, min(self.steps, int(share / max(slowest, 1e-6))))
        return sorted(self.once(call) for _ in range(steps))

    def memory(self) -> dict[str, float]:
        """Of this process on the GPU, now and at most since the last reset, in MB."""
        if not self.gpu:
            return {}
        held, most = (
            torch.cuda.memory_allocated(self.device),
            torch.cuda.max_memory_allocated(self.device),
        )
        return {'memory_mb': held / 1e6, 'memory_peak_mb': most / 1e6}

    def forget_peak(self) -> None:
        runtime.collect()
        if self.gpu:
            torch.cuda.reset_peak_memory_stats(self.device)


def p99(times: list[float]) -> float:
    return times[min(len(times) - 1, int(0.99 * len(times)))]


def told(times: list[float]) -> dict[str, float]:
    return {'ms': statistics.median(times), 'p99_ms': p99(times), 'steps': len(times)}


def lm_step(gen: LMGen, device: str) -> Callable[[], Any]:
    """A step of the generator with a token of the oracle, if it hears one."""
    lm = gen.lm_model
    codes = torch.randint(0, lm.card, (1, lm.n_q - lm.dep_q, 1), device=device)

    def step() -> Any:
        if isinstance(gen, OracleLMGen):
            gen.feed_oracle([5])
        return gen.step(codes)

    return step


def kernels(step: Callable[[], Any], clock: Clock) -> int:
    """What one step runs: kernels on a GPU, also those of CUDA graphs; operations on a CPU."""
    if not clock.gpu:
        return count_ops(step).total()
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CUDA]) as seen:
        step()
        torch.cuda.synchronize(clock.device)
    return sum(event.device_type == torch.autograd.DeviceType.CUDA for event in seen.events())


def copied_ms(size: int, clock: Clock) -> float:
    """The shortest time of a copy of `size` bytes."""
    source = torch.ones(size // 4, device=clock.device)
    target = torch.empty_like(source)
    return clock.time(lambda: target.copy_(source))[0]


def bandwidth(clock: Clock) -> float:
    """Bytes a second of a large copy, of as many bytes as there is room for."""
    for size in COPIED['cuda' if clock.gpu else 'cpu']:
        try:
            best = copied_ms(size, clock)
        except torch.OutOfMemoryError:
            runtime.collect()
            continue
        return 2 * size / (best / 1e3)
    raise SystemExit(f'{clock.device} has no room for anything: what else runs there?')


def measure_lm(lm: Any, kind: type[LMGen], clock: Clock, prepare: Any) -> dict:
    """Milliseconds and kernels of one kind of step."""
    with torch.no_grad(), ExitStack() as streaming:
        gen = kind(lm)
        streaming.enter_context(gen.streaming(1))
        prepare(gen)
        step = lm_step(gen, clock.device)
        first = clock.once(step)
        result = told(clock.time(step))
        return {**result, 'first_ms': first, 'kernels': kernels(step, clock), **clock.memory()}


def stock_frame(lm: Any, mimi: MimiModel, clock: Clock) -> dict[str, float]:
    """Whole frames as moshi's own server runs them."""
    sound = torch.randn(1, 1, mimi.frame_size, device=clock.device) * 0.1
    with torch.no_grad(), ExitStack() as streaming:
        gen = LMGen(lm)
        streaming.enter_context(gen.streaming(1))
        streaming.enter_context(mimi.streaming(1))

        def frame() -> None:
            tokens = gen.step(mimi.encode(sound))
            if tokens is not None:
                mimi.decode(tokens[:, 1:].clamp(min=0)).cpu()

        return told(clock.time(frame))


def our_frame(
    lm: Any, mimi: MimiModel, clock: Clock, slots: int, prepare: Callable[[LMGen], None]
) -> dict[str, float]:
    """Whole frames of the front-end, with so many robots."""
    clock.forget_peak()
    seats = MoshiSlots(lm, mimi, NoTokenizer(), slots=slots, prepare=prepare)
    try:
        noise = (np.random.default_rng(0).standard_normal(mimi.frame_size) * 1000).astype(np.int16)
        heard = {seats.join(): noise for _ in range(slots)}
        first = clock.once(lambda: seats.step(heard, {}))
        return {
            **told(clock.time(lambda: seats.step(heard, {}))),
            'first_ms': first,
            **clock.memory(),
        }
    finally:
        seats.stop()


@dataclass(frozen=True)
class Variant:
    """A way to run our step."""

    quantise: str = 'none'
    fused: bool = False
    compile: bool = False

    def preparer(self, lm: Any, clock: Clock, slots: int) -> Callable[[LMGen], None]:
        """What puts it into a generator; smaller weights are made one by one of random ones."""
        parts = lean.parts_for(clock.device, self.quantise, self.fused, lm.dtype, slots)
        small = self.quantise != 'none'
        read = RandomWeights(lm) if small else None
        return lambda gen: lean.install(gen, parts, self.compile, free=small, read=read)


VARIANTS = {
    'cpu': {'lean': Variant(), 'int8': Variant('int8')},
    'cuda': {
        'fused': Variant(fused=True),
        'lean': Variant(),
        'int8': Variant('int8'),
        'int4': Variant('int4'),
        'compiled': Variant(compile=True),
        'fp8': Variant('fp8'),
    },
}
FRAMES = ('fused', 'int8', 'int4', 'lean')  # the variants that are tried with more than one robot


class Run:
    """All measurements of one run; each may fail, and the others still count."""

    def __init__(self, args: argparse.Namespace, clock: Clock) -> None:
        self.args, self.clock = args, clock
        self.left_out: list[str] = []
        self.lm: Any = None
        self.small = False  # the model has no more weights of its own
        self.mimi = make_mimi(args.size, args.device)
        if not clock.gpu:
            fast_cpu.speed_up(self.mimi)

    def model(self, whole: bool) -> Any:
        """The language model; one whose weights were given up is made anew, empty or `whole`."""
        if self.lm is None or (whole and self.small):
            self.lm = None
            runtime.collect()
            self.lm, self.small = make_lm(self.args.size, self.args.device, whole), not whole
        return self.lm

    def attempt(self, what: str, measure: Callable[[], dict]) -> dict:
        """What it gives, or why it did not run."""
        if self.clock.seconds_left <= 0:
            self.left_out.append(what)
            print(f'{what}: no time left')
            return {'failed': 'no time left'}
        self.clock.forget_peak()
        try:
            result = measure()
        except Exception as error:  # an optional part is missing, memory is out: the others count
            result = {'failed': f'{type(error).__name__}: {error}'[:300]}
            if self.small or isinstance(error, torch.OutOfMemoryError):
                self.lm = None  # half of its weights may be gone
        runtime.collect()
        shown = result.get('failed') or f'{result["ms"]:.2f} ms, p99 {result["p99_ms"]:.2f}'
        print(f'{what}: {shown}', flush=True)
        return result

    def variant(self, name: str, variant: Variant, floor: float) -> dict:
        """The step of a variant, and frames of more and more robots."""
        small = variant.quantise != 'none'

        def step() -> dict:
            self.lm = None if small else self.lm  # memory for one model at a time
            lm = self.model(whole=not small)
            prepare = variant.preparer(lm, self.clock, 1)
            return measure_lm(lm, OracleLMGen, self.clock, prepare)

        result = self.attempt(name, step)
        if 'ms' in result:
            result['ratio_to_floor'] = result['ms'] / floor
            result['frames'] = self.frames(name, variant)
        return result

    def frames(self, name: str, variant: Variant) -> dict[int, dict]:
        small, seen = variant.quantise != 'none', {}
        most = self.args.most_slots if name in FRAMES else 1
        for slots in (n for n in TRIED_SLOTS if n <= most):

            def frame(slots: int = slots) -> dict:
                self.lm = None if small else self.lm
                lm = self.model(whole=not small)
                prepare = variant.preparer(lm, self.clock, slots)
                return our_frame(lm, self.mimi, self.clock, slots, prepare)

            seen[slots] = self.attempt(f'{name}, {slots} robots', frame)
            if seen[slots].get('p99_ms', 1e9) > 80:
                break
        return seen


def report_of(run: Run, chosen: dict[str, Variant]) -> dict[str, Any]:
    args, clock = run.args, run.clock
    speed = bandwidth(clock)
    lm = run.model(whole=True)
    floor = 1e3 * bytes_of_a_step(lm) / speed
    print(f'floor: {floor:.2f} ms, {speed / 1e9:.0f} GB/s')
    stock = run.attempt(
        'stock', lambda: measure_lm(run.model(True), LMGen, clock, lambda gen: None)
    )
    frame = run.attempt('stock, frame', lambda: stock_frame(run.model(True), run.mimi, clock))
    variants = {name: run.variant(name, variant, floor) for name, variant in chosen.items()}
    same = {n: r for n, r in variants.items() if 'ms' in r and chosen[n].quantise == 'none'}
    ran = same or {n: r for n, r in variants.items() if 'ms' in r}
    best = min(ran, key=lambda name: ran[name]['ms']) if ran else ''
    ours = variants.get(best, {})
    one = ours.get('frames', {}).get(1, {})
    fits = [n for n, r in ours.get('frames', {}).items() if r.get('p99_ms', 1e9) <= 80]
    kwargs = {'oracle': True} if args.size == '7b' else {}
    return {
        'device': args.device,
        'device_name': torch.cuda.get_device_name(args.device) if clock.gpu else platform.machine(),
        'torch': torch.__version__,
        'cuda': torch.version.cuda or '',
        'size': args.size,
        'ours': best,
        'stock_ms': stock.get('ms'),
        'stock_p99_ms': stock.get('p99_ms'),
        'ours_ms': ours.get('ms'),
        'ours_p99_ms': ours.get('p99_ms'),
        'floor_ms': floor,
        'bandwidth_gb_s': speed / 1e9,
        'ratio_to_stock': ours['ms'] / stock['ms'] if 'ms' in ours and 'ms' in stock else None,
        'ratio_to_floor': ours.get('ratio_to_floor'),
        'kernels_stock': stock.get('kernels'),
        'kernels_ours': ours.get('kernels'),
        'frame_stock_ms': frame.get('ms'),
        'frame_stock_p99_ms': frame.get('p99_ms'),
        'frame_ours_ms': one.get('ms'),
        'frame_ours_p99_ms': one.get('p99_ms'),
        'slots_in_80ms': max(fits, default=0),
        'memory_by_arithmetic_mb': {
            kind: memory.weight_bytes(shape_of(lm), kind, str(lm.dtype)[6:], **kwargs) / 1e6
            for kind in ('none', 'int8', 'int4')
        },
        'stock': stock,
        'variants': variants,
        'left_out': run.left_out,
        'seconds': 60 * args.minutes - clock.seconds_left,
    }


def shape_of(lm: LMModel) -> dict[str, Any]:
    from s2s_models import KWARGS

    return KWARGS['7b' if lm.dim == KWARGS['7b']['dim'] else 'tiny']


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--device', default='cpu', help='cpu, cuda or cuda:N')
    parser.add_argument('--size', choices=('tiny', '7b'), default='tiny')
    parser.add_argument('--only', help='variants, with commas between them; all otherwise')
    parser.add_argument('--steps', type=how_often(), default=200, help='steps that are timed')
    parser.add_argument('--most-slots', type=how_often(), default=32)
    parser.add_argument('--minutes', type=in_minutes, default=8.0, help='how long it may take')
    parser.add_argument('--threads', type=how_often(), default=1)
    writer = Results(parser, 's2s_step')
    args = parser.parse_args()
    kind = args.device.split(':')[0]
    if kind not in VARIANTS:
        parser.error(f'--device: {args.device!r} is none of {", ".join(VARIANTS)}')
    if kind == 'cuda' and not torch.cuda.is_available():
        print('no GPU is to be seen: run with --device cpu', file=sys.stderr)
        return 1
    chosen = VARIANTS[kind]
    if args.only:
        names = args.only.split(',')
        if unknown := [name for name in names if name not in chosen]:
            parser.error(f'there is no variant {unknown[0]}: {", ".join(chosen)}')
        chosen = {name: chosen[name] for name in names}
    torch.set_num_threads(args.threads)
    with runtime.on(args.device):
        try:
            run = Run(args, Clock(args.device, args.steps, args.minutes))
            report = report_of(run, chosen)
        except torch.OutOfMemoryError as error:
            print(
                f'{args.device} has no room for the model of --size {args.size} itself, which '
                f'takes 19 GB: {str(error).splitlines()[0]}. Try --only int8,int4 or --size tiny',
                file=sys.stderr,
            )
            return 1
    for key, value in report.items():
        if key not in ('variants', 'stock'):
            print(f'{key:22s} {value:.3f}' if isinstance(value, float) else f'{key:22s} {value}')
    writer.write(args, report, report)
    return 0


if __name__ == '__main__':
    sys.exit(main())
