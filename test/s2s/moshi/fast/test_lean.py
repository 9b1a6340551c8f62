"""The lean step gives the tokens of moshi's own step."""

from __future__ import annotations

import functools
import random

import pytest

torch = pytest.importorskip('torch', reason='needs torch (the extra "moshi")')
pytest.importorskip('moshi', reason='needs moshi (the extra "moshi")')
from moshi.utils.sampling import sample_token  # noqa: E402

from kame_ros.s2s.moshi.fast import lean  # noqa: E402
from kame_ros.s2s.moshi.fast.lean_depth import draw  # noqa: E402
from kame_ros.s2s.moshi.fast.lean_parts import NotLeanError  # noqa: E402
from kame_ros.s2s.moshi.model import OracleLMGen  # noqa: E402
from kame_ros.s2s.moshi.weights.upstream import LMGen  # noqa: E402

STEPS = 70  # more than the context of 50 frames, so that the ring goes round


def run(lm, *, batch: int, sampling: bool, lean_step: bool, quantise: str = 'none', steps=STEPS):
    """Steps with random user codes, oracle tokens, masks and resets; tokens and text logits."""
    oracle = hasattr(lm, 'oracle_emb')
    logits: list = []
    gen = (OracleLMGen if oracle else LMGen)(
        lm,
        use_sampling=sampling,
        support_out_of_sync=True,
        on_text_logits_hook=lambda some: logits.append(some.clone()),
    )
    torch.manual_seed(11)
    user = torch.randint(0, lm.card, (steps, batch, 8, 1))
    rng = random.Random(4)
    tokens = []
    with torch.no_grad(), gen.streaming(batch):
        if lean_step:
            lean.install(gen, lean.parts_for('cpu', quantise))
        for step in range(steps):
            mask = torch.tensor([rng.random() < 0.85 for _ in range(batch)])
            reset = torch.tensor([rng.random() < 0.03 for _ in range(batch)])
            if reset.any():
                gen.reset_streaming(reset)
            gen.set_exec_mask(mask)
            if oracle:
                gen.feed_oracle([rng.randrange(lm.text_card + 1) for _ in range(batch)])
            out = gen.step(user[step])[:, :, 0]
            tokens.append(out.clone())
            logits[-1][~mask] = 0
    return torch.stack(tokens), torch.stack(logits)


@pytest.mark.parametrize('oracle', [True, False])
@pytest.mark.parametrize('sampling', [True, False])
@pytest.mark.parametrize('batch', [1, 3])
def test_the_same_tokens(make_lm, oracle, sampling, batch):
    want, want_logits = run(make_lm(oracle), batch=batch, sampling=sampling, lean_step=False)
    got, logits = run(make_lm(oracle), batch=batch, sampling=sampling, lean_step=True)
    assert torch.equal(got, want)
    torch.testing.assert_close(logits, want_logits, atol=1e-4, rtol=1e-4)


def test_shared_weights_between_steps(make_lm):
    """A schedule lets steps share weights; the norms of the depformer are optional."""
    changes = {
        'depformer_weights_per_step_schedule': [0, 1, 1, 2, 2, 3, 3, 3],
        'depformer_norm': 'rms_norm_f32',
    }
    results = [
        run(make_lm(**changes), batch=2, sampling=False, lean_step=lean_step, steps=20)[0]
        for lean_step in (False, True)
    ]
    assert torch.equal(*results)


def test_bfloat16_differs_by_its_rounding_only(make_lm):
    """The first logits, before a token could differ: as near to float32 as moshi's are."""
    want = run(make_lm(), batch=1, sampling=False, lean_step=False, steps=1)[1]
    errors = [
        (run(make_lm(dtype=torch.bfloat16), batch=1, sampling=False, lean_step=step, steps=1)[1]
         .float() - want).norm() / want.norm()
        for step in (False, True)
    ]  # fmt: skip
    assert errors[1] < 1.3 * errors[0] < 0.1


def test_no_weight_is_copied(make_lm):
    lm = make_lm()
    gen = OracleLMGen(lm)
    before = {name: weight.clone() for name, weight in lm.state_dict().items()}
    with gen.streaming(1):
        lean.install(gen)
    for name, weight in lm.state_dict().items():
        assert torch.equal(weight, before[name]), name
    tables = {
        weight.untyped_storage().data_ptr() for weight in (lm.text_emb.weight, lm.emb[0].weight)
    }
    assert len(tables) == 1


@pytest.mark.parametrize(
    ('changes', 'part'),
    [
        ({'norm': 'layer_norm'}, 'a norm of the kind LayerNorm'),
        ({'layer_scale': 0.1}, 'layer scale'),
        ({'positional_embedding': 'sin'}, 'positions of the kind sin'),
        ({'norm_emb': True}, 'more than a table'),
        ({'kv_repeat': 2}, 'repeated keys'),
        ({'bias_proj': True}, 'a linear layer with a bias'),
        ({'depformer_pos_emb': 'sin'}, 'a depformer with positions'),
        ({'depformer_low_rank_embeddings': 4}, 'more than a table'),
    ],
)
def test_a_part_that_is_not_known_is_named(make_lm, changes, part):
    lm = make_lm(**changes)
    before = {name: weight.data_ptr() for name, weight in lm.named_parameters()}
    gen = OracleLMGen(lm)
    with gen.streaming(1), pytest.raises(NotLeanError, match=part):
        lean.install(gen)
    assert before == {name: weight.data_ptr() for name, weight in lm.named_parameters()}


def test_freed_weights_are_gone_and_not_needed(make_lm):
    parts = lean.parts_for('cpu', 'int8')
    tokens = []
    for free in (False, True):
        lm = make_lm()
        gen = OracleLMGen(lm, use_sampling=False)
        with torch.no_grad(), gen.streaming(1):
            lean.install(gen, parts, free=free)
            codes = torch.zeros(1, 8, 1, dtype=torch.long)
            tokens.append([gen.step(codes) for _ in range(4)][1:])
        left = sum(m.weight.numel() for m in lm.modules() if isinstance(m, torch.nn.Linear))
        assert (left == 0) == free
    assert all(torch.equal(a, b) for a, b in zip(*tokens, strict=True))


@pytest.mark.parametrize('oracle', [True, False])
def test_a_step_can_be_compiled_as_a_whole(make_lm, monkeypatch, oracle):
    """torch.compile finds no break in it; the back-end that makes machine code is left out."""
    compiled = functools.partial(torch.compile, backend='aot_eager', fullgraph=True)
    kind = OracleLMGen if oracle else LMGen
    tokens = []
    for compile in (False, True):
        lm = make_lm(oracle)
        gen = kind(lm, use_sampling=False)
        torch.manual_seed(1)
        with torch.no_grad(), gen.streaming(1):
            monkeypatch.setattr(torch, 'compile', compiled)
            lean.install(gen, compile=compile)
            user = torch.randint(0, lm.card, (6, 1, 8, 1))
            tokens.append([gen.step(codes) for codes in user][1:])
    assert all(torch.equal(a, b) for a, b in zip(*tokens, strict=True))


def test_draw_is_the_draw_of_moshi():
    torch.manual_seed(0)
    logits = torch.randn(500, 64) * 3
    for temperature, top_k in ((0.8, 10), (0.5, 64), (1.3, 100), (0.0, 10)):
        torch.manual_seed(9)
        want = sample_token(logits, True, temperature, top_k)
        torch.manual_seed(9)
        assert torch.equal(draw(logits, temperature, top_k), want)


@pytest.mark.parametrize(('quantise', 'fused'), [('int4', False), ('fp8', False), ('none', True)])
def test_what_a_cpu_has_not_is_refused(quantise, fused):
    with pytest.raises(ValueError, match='is not there for the device cpu: it needs a GPU'):
        lean.parts_for('cpu', quantise, fused)
