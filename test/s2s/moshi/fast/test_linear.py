"""8-bit weights on a CPU: near what they stand for, on processors with VNNI and without it."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip('torch', reason='needs torch (the extra "moshi")')
pytest.importorskip('moshi', reason='needs moshi (the extra "moshi")')

from kame_ros.s2s.moshi.fast.linear import Int8CpuLinear, saturates  # noqa: E402
from kame_ros.s2s.moshi.model import OracleLMGen  # noqa: E402

# fbgemm and oneDNN choose their kernels by these: what a processor with AVX2 alone would run.
AVX2_ALONE = {'FBGEMM_ENABLE_INSTRUCTIONS': 'AVX2', 'DNNL_MAX_CPU_ISA': 'AVX2'}


def error(got, want) -> float:
    return float((got - want).norm() / want.norm())


@pytest.mark.parametrize(('inputs', 'outputs'), [(256, 256), (64, 500), (1024, 96)])
@pytest.mark.parametrize('shape', ['gaussian', 'one-sided', 'flat'])
def test_a_layer_is_off_by_less_than_2_percent(inputs, outputs, shape):
    torch.manual_seed(1)
    weight, x = torch.randn(outputs, inputs) * 0.3, torch.randn(8, inputs)
    if shape == 'one-sided':  # as after an activation, and as what saturates first
        weight, x = weight.abs(), x.abs()
    elif shape == 'flat':
        weight, x = weight.sign(), x.sign()
    assert error(Int8CpuLinear(weight)(x), x @ weight.t()) < 0.02


def test_the_largest_sums_are_not_cut():
    weight = torch.ones(4, 512)
    got = Int8CpuLinear(weight)(torch.ones(1, 512))
    torch.testing.assert_close(got, torch.full((1, 4), 512.0), rtol=0.01, atol=0)


def test_a_norm_comes_before_and_the_residual_after(make_lm):
    torch.manual_seed(2)
    weight, x, residual = torch.randn(32, 64), torch.randn(3, 64), torch.randn(3, 32)
    assert error(Int8CpuLinear(weight)(x, residual), residual + x @ weight.t()) < 0.02


@pytest.mark.parametrize('kind', ['float32', 'bfloat16'])
def test_a_whole_model_is_near(make_lm, kind):
    """Its first text logits, before a token could differ."""
    from kame_ros.s2s.moshi.fast import lean

    def logits(quantise):
        heard: list = []
        gen = OracleLMGen(
            make_lm(dtype=getattr(torch, kind)), on_text_logits_hook=lambda some: heard.append(some)
        )
        with torch.no_grad(), gen.streaming(1):
            lean.install(gen, lean.parts_for('cpu', quantise))
            gen.step(torch.zeros(1, 8, 1, dtype=torch.long))
        return heard[0].float()

    assert 1e-4 < error(logits('int8'), logits('none')) < 0.1


@pytest.mark.skipif(platform.machine() not in ('x86_64', 'AMD64'), reason='kernels of x86')
def test_a_processor_without_vnni_gets_seven_bits():
    """The whole of this file on the kernels of such a processor, whatever runs it."""
    if os.environ.get('FBGEMM_ENABLE_INSTRUCTIONS'):
        assert saturates()
        return
    done = subprocess.run(
        [sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', Path(__file__).name],
        cwd=Path(__file__).parent,
        env={**os.environ, **AVX2_ALONE},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
