"""The Triton kernels give what torch gives, run by Triton's interpreter on a CPU."""

from __future__ import annotations

import os
import random
import subprocess
import sys

import pytest

torch = pytest.importorskip('torch', reason='needs torch (the extra "moshi")')
pytest.importorskip('moshi', reason='needs moshi (the extra "moshi")')
if not torch.cuda.is_available():
    os.environ['TRITON_INTERPRET'] = '1'  # read when the kernels are defined
pytest.importorskip('triton', reason='needs triton, which comes with the CUDA build of torch')
from torch.nn import functional as F  # noqa: E402

from kame_ros.s2s.moshi.fast import gpu_attention, gpu_trial, lean_attention  # noqa: E402
from kame_ros.s2s.moshi.fast.gpu_linear import TritonLinear  # noqa: E402
from kame_ros.s2s.moshi.fast.linear import DenseLinear, Norm  # noqa: E402
from kame_ros.s2s.moshi.fast.small_weights import (  # noqa: E402
    quantise_groups,
    quantise_rows,
    widen_groups,
)

DEVICE = 'cuda' if torch.cuda.is_available() else 'cpu'
KINDS = [
    pytest.param(16, torch.int8, id='float'),
    pytest.param(8, torch.int8, id='int8'),
    pytest.param(8, torch.float8_e4m3fn, id='fp8'),
    pytest.param(4, torch.int8, id='int4'),
]


def widened(weight, bits: int, kind) -> torch.Tensor:
    """The weights that the small ones stand for."""
    if bits == 8:
        small, scale = quantise_rows(weight, kind)
        return small.float() * scale[:, None]
    if bits == 4:
        return widen_groups(*quantise_groups(weight), torch.float32)
    return weight


def draw(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, device=DEVICE)


@pytest.mark.parametrize(('bits', 'kind'), KINDS)
@pytest.mark.parametrize('batch', [1, 3, 17])
@pytest.mark.parametrize('norm', [False, True])
def test_linear(bits, kind, batch, norm):
    torch.manual_seed(0)
    weight, x, residual = draw(40, 384), draw(batch, 384), draw(batch, 40)
    before = Norm(draw(384), 1e-5) if norm else None
    fast, exact = TritonLinear(weight, bits, kind), DenseLinear(widened(weight, bits, kind))
    for rest in (None, residual):
        torch.testing.assert_close(
            fast(x, rest, before), exact(x, rest, before), atol=2e-4, rtol=2e-4
        )


@pytest.mark.parametrize(('bits', 'kind'), KINDS)
def test_gated(bits, kind):
    torch.manual_seed(0)
    weight, x, norm = draw(2 * 24, 256) * 0.1, draw(2, 256), Norm(draw(256), 1e-8)
    want = DenseLinear(widened(weight, bits, kind)).gated(x, norm, F.silu)
    got = TritonLinear(weight, bits, kind).gated(x, norm, F.silu)
    torch.testing.assert_close(got, want, atol=2e-4, rtol=2e-4)


@pytest.mark.parametrize(
    ('bits', 'kind', 'most'),
    [(8, torch.int8, 0.012), (8, torch.float8_e4m3fn, 0.04), (4, 0, 0.078)],
)
def test_small_weights_are_near(bits, kind, most):
    torch.manual_seed(0)
    weight = draw(64, 1024)
    error = (widened(weight, bits, kind) - weight).norm() / weight.norm()
    assert 0 < error < most


def test_four_bits_need_whole_groups():
    with pytest.raises(ValueError, match='128 divides, not 100'):
        TritonLinear(draw(4, 100), bits=4)


@pytest.mark.parametrize('quantise', ['none', 'int8', 'int4'])
def test_the_trial_of_the_kernels_finds_them_good(quantise):
    assert gpu_trial.fails(DEVICE, quantise, torch.float32, 2) == ''


def test_the_trial_tells_of_kernels_that_fail_or_are_wrong(monkeypatch):
    def broken(*_args):
        raise RuntimeError('ptxas: no such architecture\nsm_999 is not known')

    right = gpu_attention.attend_steps
    monkeypatch.setattr(gpu_attention, 'attend_steps', lambda *args: right(*args) * 1.2)
    assert 'wrong results for attention to steps' in gpu_trial.fails(
        DEVICE, 'none', torch.float32, 1
    )
    monkeypatch.setattr(gpu_attention, 'attend_steps', broken)
    assert gpu_trial.fails(DEVICE, 'none', torch.float32, 1) == 'RuntimeError: sm_999 is not known'


@pytest.mark.parametrize('batch', [1, 2])
def test_ring_attention(batch):
    """Step by step, beyond the capacity, with sessions of another age and one that starts over."""
    torch.manual_seed(0)
    heads, width, capacity = 2, 32, 300
    kinds = (gpu_attention.TritonRingAttention, lean_attention.TorchRingAttention)
    fast, exact = (kind(heads, width, capacity, 10_000, torch.device(DEVICE)) for kind in kinds)
    memory = draw(2, batch, heads, capacity, width)
    other = memory.clone()
    for offset in (0, 1, 2, 31, 32, 255, 256, 257, 299, 300, 301, 650, 3):
        offsets = torch.tensor([offset, 2 * offset + 1][:batch], device=DEVICE)
        projected = draw(batch, 3 * heads * width)
        results = []
        for kind, ring in ((fast, memory), (exact, other)):
            kind.begin(offsets, torch.float32)
            results.append(kind(projected, ring))
        torch.testing.assert_close(*results, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(memory, other, atol=3e-4, rtol=1e-4)  # of a large angle


@pytest.mark.parametrize('batch', [1, 3])
def test_attention_to_the_steps_of_a_frame(batch):
    torch.manual_seed(0)
    heads, steps, width = 2, 6, 16
    memory = torch.empty(2, batch, heads, steps, width, device=DEVICE)
    other = torch.empty_like(memory)
    for step in range(steps):
        projected = draw(batch, 3 * heads * width)
        want = lean_attention.attend_steps(projected, other, step)
        got = gpu_attention.attend_steps(projected, memory, step)
        torch.testing.assert_close(got, want, atol=1e-5, rtol=1e-4)


def test_a_whole_step_gives_the_tokens_of_moshi(make_lm, monkeypatch):
    """The fused step in a generator, with two slots that are masked and reset."""
    from kame_ros.s2s.moshi.fast import lean
    from kame_ros.s2s.moshi.model import OracleLMGen

    tokens = []
    for fused in (False, True):
        lm = make_lm(num_layers=1, depformer_num_layers=1).to(DEVICE)
        gen = OracleLMGen(lm, support_out_of_sync=True)
        rng = random.Random(1)
        torch.manual_seed(1)
        user = torch.randint(0, lm.card, (6, 2, 8, 1)).to(DEVICE)
        out = []
        with torch.no_grad(), gen.streaming(2):
            if fused:
                lean.install(gen, lean.fused_parts('none'))
            for step, codes in enumerate(user):
                if step == 4:
                    gen.reset_streaming(torch.tensor([True, False]))
                gen.set_exec_mask(torch.tensor([True, step % 3 > 0]))
                gen.feed_oracle([rng.randrange(49), rng.randrange(49)])
                out.append(gen.step(codes)[:, :, 0].clone())
        tokens.append(torch.stack(out))
    assert torch.equal(*tokens)


COMPILE = """
import sys
import triton.language as tl
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource, compile
from kame_ros.s2s.moshi.fast import gpu_kernels as kernels, gpu_limits

ALIGNED = ('width', 'stride', 'count', 'apart', 'heads')  # Triton sees this by itself when it runs

def build(kernel, types, constants, stages=4):
    names = kernel.arg_names
    types = {name: types.get(name, 'constexpr') for name in names}
    hints = {(i,): [['tt.divisibility', 16]] for i, name in enumerate(names)
             if types[name][0] == '*' or name in ALIGNED}
    constants = {(names.index(name),): value for name, value in constants.items()}
    source = ASTSource(fn=kernel, signature=types, constexprs=constants, attrs=hints)
    made = compile(source, target=GPUTarget('cuda', int(sys.argv[1]), 32),
                   options={'num_warps': 4, 'num_stages': stages})
    assert made.asm['cubin'] and made.metadata.shared <= gpu_limits.SHARED, made.metadata.shared
    return made

integers = dict.fromkeys(('batch', 'count', 'width', 'stride'), 'i32')
halves = dict.fromkeys(('x', 'alpha', 'residual', 'out'), '*bf16')
kinds = {'none': '*bf16', 'int8': '*i8', 'fp8': '*fp8e4nv', 'int4': '*u8'}
dtypes = {2: (tl.bfloat16, '*bf16'), 4: (tl.float32, '*fp32')}
for case in sys.argv[2:]:
    name, slots, itemsize = case.split(',')
    bits, (dtype, floats) = gpu_limits.BITS[name], dtypes[int(itemsize)]
    launch = gpu_limits.launch(int(slots), name, int(itemsize))
    made = build(
        kernels.linear_kernel,
        {**integers, **dict.fromkeys(halves, floats), 'eps': 'fp32',
         'weight': floats if bits == 16 else kinds[name],
         'scale': '*fp16' if bits == 4 else '*fp32'},
        dict(BITS=bits, GROUP=32, NORM=True, GATED=True, RESIDUAL=True, B=launch.batch, N=16,
             K=launch.depth, DOT=dtype), launch.stages)
    told = gpu_limits.shared_bytes(launch.batch, launch.depth, launch.stages, bits, int(itemsize))
    assert made.metadata.shared <= told < 2.1 * made.metadata.shared, (case, told)
    if itemsize == '2':  # weights are fetched ahead, tensor cores are used
        assert 'cp.async' in made.asm['ptx'] and 'mma' in made.asm['ptx']
ring = dict(memory='*bf16', query='*bf16', offsets='*i64', apart='i32', heads='i32',
            capacity='i32', factor='fp32', partial='*fp32', weights='*fp32', out='*bf16',
            projected='*bf16', log_period='fp32', step='i32')
only = lambda kernel: {name: ring[name] for name in kernel.arg_names if name in ring}
for kernel, constants in (
    (kernels.turn_and_keep_kernel, dict(D=128)),
    (kernels.attend_kernel, dict(SPLITS=12, SPAN=256, C=32, D=128)),
    (kernels.join_kernel, dict(SPLITS=12, S=16, D=128)),
    (kernels.attend_steps_kernel, dict(STEPS=8, S=8, D=64)),
):
    build(kernel, only(kernel), constants)
"""


# One slot of each kind, and what has the most shared memory; no fp8 before Ada.
CASES = {
    '80': 'none,1,2 int8,1,2 int4,1,2',
    '89': 'none,1,2 int8,1,2 fp8,1,2 int4,1,2 none,1,4 none,64,2 int4,64,2',
    '90': 'int4,32,2',
    '120': 'int8,64,2',
}


@pytest.mark.parametrize('architecture', CASES)
def test_the_kernels_compile_for_real_gpus(architecture, tmp_path):
    """Ampere, Ada, Hopper and Blackwell, to machine code; no GPU is needed for that.

    Their shared memory is what `gpu_limits` tells, and none that these GPUs lack.
    """
    env = {name: value for name, value in os.environ.items() if name != 'TRITON_INTERPRET'}
    env |= {
        'PYTHONPATH': os.pathsep.join(p for p in sys.path if p),
        'TRITON_CACHE_DIR': str(tmp_path),
    }
    script = tmp_path / 'compile_kernels.py'
    script.write_text(COMPILE)
    done = subprocess.run(
        [sys.executable, str(script), architecture, *CASES[architecture].split()],
        env=env, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
