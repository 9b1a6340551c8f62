"""What is captured as a CUDA graph holds no Python: recorded once, then played without it."""

from __future__ import annotations

import random

import pytest

torch = pytest.importorskip('torch', reason='needs torch (the extra "moshi")')
pytest.importorskip('moshi', reason='needs moshi (the extra "moshi")')

from replayed_call import ReplayedCall  # noqa: E402

from kame_ros.s2s.moshi import model as our_model  # noqa: E402
from kame_ros.s2s.moshi import op_trace  # noqa: E402
from kame_ros.s2s.moshi.fast import lean  # noqa: E402
from kame_ros.s2s.moshi.model import LMGen, OracleLMGen, OracleLMModel  # noqa: E402
from kame_ros.s2s.moshi.op_trace import OpTrace  # noqa: E402

STEPS = 80


@pytest.fixture
def replayed(monkeypatch) -> list[ReplayedCall]:
    """All calls that would be CUDA graphs are recorded and replayed instead."""
    made: list[ReplayedCall] = []

    def make(func, warmup_steps: int = 1, disable: bool = False) -> ReplayedCall:
        made.append(ReplayedCall(func, warmup_steps, disable))
        return made[-1]

    for module in ('moshi.models.lm', 'moshi.modules.streaming'):
        monkeypatch.setattr(f'{module}.CUDAGraphed', make)
    monkeypatch.setattr(our_model, 'CUDAGraphed', make)
    monkeypatch.setattr(lean, 'CUDAGraphed', make)
    return made


def run(lm, kind=OracleLMGen, lean_step: bool = False, sampling: bool = True) -> torch.Tensor:
    gen = kind(lm, use_sampling=sampling, support_out_of_sync=True)
    torch.manual_seed(2)
    user = torch.randint(0, lm.card, (STEPS, 2, 8, 1))
    rng = random.Random(3)
    out = []
    with torch.no_grad(), gen.streaming(2):
        if lean_step:
            lean.install(gen)
        for step in range(STEPS):
            if step in (30, 75):
                gen.reset_streaming(torch.tensor([step == 30, step == 75]))
            gen.set_exec_mask(torch.tensor([True, step % 3 > 0]))
            if isinstance(gen, OracleLMGen):
                gen.feed_oracle([rng.randrange(lm.text_card + 1) for _ in range(2)])
            out.append(gen.step(user[step]).clone())
    return torch.stack(out)


@pytest.mark.parametrize('oracle', [True, False])
@pytest.mark.parametrize('lean_step', [True, False])
def test_replayed_steps_give_the_same_tokens(make_lm, request, oracle, lean_step):
    lm = make_lm(oracle)
    kind = OracleLMGen if oracle else LMGen
    want = run(lm, kind, lean_step)
    made = request.getfixturevalue('replayed')
    assert torch.equal(run(lm, kind, lean_step), want)
    used = [call.replays for call in made if call.replays]
    assert len(used) >= 2  # the transformer and the depformer
    assert max(used) == STEPS - 2


class WrongGen(OracleLMGen):
    """Reads the oracle token in Python, inside of what is captured."""

    def _init_streaming_state(self, batch_size):
        state = super()._init_streaming_state(batch_size)
        lm: OracleLMModel = self.lm_model

        def wrong(codes, condition_sum, condition_cross, _oracle):
            tokens = torch.tensor(self.now).view(-1, 1, 1)
            return lm.forward_text(codes, condition_sum, condition_cross, tokens)

        self.capture(wrong)
        return state

    def feed_oracle(self, tokens):
        super().feed_oracle(tokens)
        self.now = list(tokens)


def test_the_check_finds_a_token_that_is_read_in_python(make_lm, request):
    lm = make_lm()
    want = run(lm, sampling=False)
    assert torch.equal(run(lm, WrongGen, sampling=False), want)  # an ordinary run shows nothing
    request.getfixturevalue('replayed')
    assert not torch.equal(run(lm, WrongGen, sampling=False), want)


def test_waiting_for_the_device_is_refused_in_a_recording():
    call = ReplayedCall(lambda x: x + x.sum().item(), warmup_steps=0)
    with pytest.raises(RuntimeError, match='cannot be in a CUDA graph'):
        call(torch.ones(3))


def test_a_constant_that_changes_is_refused():
    call = ReplayedCall(lambda x, n: x + n, warmup_steps=0)
    call(torch.ones(3), 1)
    with pytest.raises(ValueError, match='changed from 1 to 2'):
        call(torch.ones(3), 2)


def ops_of_a_step(lm, lean_step: bool) -> dict[str, int]:
    """Operations of the two captured parts for one frame."""
    gen = OracleLMGen(lm, support_out_of_sync=True)
    with torch.no_grad(), gen.streaming(1):
        if lean_step:
            lean.install(gen)
        state = gen._streaming_state
        codes = torch.zeros(1, lm.num_codebooks, 1, dtype=torch.long, device=lm.device)
        token = torch.zeros(1, 1, 1, dtype=torch.long, device=lm.device)
        with OpTrace() as main:
            hidden, _ = gen._graphed(codes, None, None, token)
        with OpTrace() as depth:
            state.graphed_depth(token[:, 0, 0], hidden)
    return {'main': main.total, 'depth': depth.total}


def test_a_lean_step_of_the_7b_depth_has_far_fewer_operations():
    """32 + 8 x 6 layers in bfloat16, as deep as the 7B model but narrow.

    A norm is one operation on a GPU, but eight on a CPU; they are counted as one on both sides.
    """
    from moshi.models import loaders

    narrow = {'dim': 64, 'num_heads': 4, 'text_card': 48, 'card': 32, 'context': 48}
    depth = {'depformer_dim': 32, 'depformer_dim_feedforward': 132, 'depformer_num_heads': 2}
    kwargs = {**loaders._lm_kwargs, **narrow, **depth}
    lm = OracleLMModel(device='cpu', dtype=torch.bfloat16, **kwargs).eval()
    stock, ours = ops_of_a_step(lm, False), ops_of_a_step(lm, True)
    print('operations of a 7B step', stock, ours)
    norms = {'main': 2 * 32 + 1, 'depth': 8 * 2 * 6}
    for part, most in (('main', 470), ('depth', 570)):
        assert stock[part] > 3000
        assert ours[part] - 7 * norms[part] <= most
        assert ours[part] < 0.42 * stock[part]


def test_a_count_leaves_views_out():
    x = torch.ones(4)
    counts = op_trace.count_ops(lambda: (x.view(2, 2).t() + 1).mul_(2))
    assert counts == {'aten::add': 1, 'aten::mul_': 1}
