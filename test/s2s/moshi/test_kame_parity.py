"""In positional mode, our model gives the tokens of SakanaAI/kame; see golden/README.md.

Two comparisons: with recorded tokens of the reference in float64, which hold on any processor, and
bit for bit with a plain model of our own that runs beside it, in the types that robots use.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

torch = pytest.importorskip('torch', reason='needs torch (the extra "moshi")')
pytest.importorskip('moshi', reason='needs moshi (the extra "moshi")')
from plain_kame import PlainKame  # noqa: E402
from portable_noise import portable_noise  # noqa: E402
from safetensors import safe_open  # noqa: E402

from kame_ros.s2s.moshi.fast import lean  # noqa: E402
from kame_ros.s2s.moshi.model import OracleLMGen, OracleLMModel  # noqa: E402
from kame_ros.s2s.moshi.oracle.token_feed import FifoFeed, PositionalFeed  # noqa: E402

GOLDEN = Path(__file__).parent / 'golden'
STEPS = 200


class Golden:
    """One file of golden vectors."""

    def __init__(self, name: str) -> None:
        with safe_open(GOLDEN / f'{name}.safetensors', 'pt') as file:
            self.tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            self.config = json.loads(file.metadata()['config'])
            self.runs = {run['id']: run for run in json.loads(file.metadata()['runs'])}

    def model(self) -> OracleLMModel:
        lm = OracleLMModel(device='cpu', dtype=torch.float64, **self.config)
        prefix = 'weights.'
        lm.load_state_dict(
            {k.removeprefix(prefix): v for k, v in self.tensors.items() if k.startswith(prefix)}
        )
        return lm.eval()


FILES = {name: Golden(name) for name in ('moshi', 'other')}
RUNS = [(name, run) for name, golden in FILES.items() for run in golden.runs]


def play(golden: Golden, run: dict, lm, feed_kind=PositionalFeed, lean_step: bool = False):
    """Streams the run with our model; gives tokens [steps, B, K] and text logits."""
    logits: list = []
    gen = OracleLMGen(
        lm,
        use_sampling=run['sampling'],
        on_text_logits_hook=lambda some: logits.append(some[:, 0, 0].clone()),
    )
    user = golden.tensors[f'{run["id"]}.user'].long()
    feed = feed_kind(lm.text_initial_token_id, lm.text_padding_token_id)
    updates = {step: (reset, tokens) for step, reset, *tokens in run['oracle']}
    out = []
    with torch.no_grad(), portable_noise(run['seed']), gen.streaming(run['batch']):
        if lean_step:
            lean.install(gen)
        for step, codes in enumerate(user):
            if step in updates:
                reset, tokens = updates[step]
                (feed.restart if reset else feed.append)(tokens)
            gen.feed_oracle([feed.next()] * run['batch'])
            tokens_out = gen.step(codes)
            if tokens_out is None:
                tokens_out = torch.full((run['batch'], lm.dep_q + 1, 1), -2)
            out.append(tokens_out[:, :, 0])
    return torch.stack(out).to(torch.int16), torch.stack(logits)


def near(ours, theirs) -> bool:
    """The same but for the float32 roundings inside the reference: its norms, its sampling."""
    known = ~theirs.isnan()
    ours, theirs = ours[known].double(), theirs[known].double()
    return float((ours - theirs).norm() / theirs.norm()) < 1e-5


@pytest.mark.parametrize(('name', 'run_id'), RUNS)
def test_all_tokens_of_200_steps_are_those_of_the_reference(name, run_id):
    golden = FILES[name]
    run = golden.runs[run_id]
    tokens, logits = play(golden, run, golden.model())
    assert len(tokens) == STEPS
    assert torch.equal(tokens, golden.tensors[f'{run_id}.tokens'])
    if f'{run_id}.text_logits' in golden.tensors:
        assert near(logits, golden.tensors[f'{run_id}.text_logits'])


@pytest.mark.parametrize('run_id', FILES['moshi'].runs)
def test_the_lean_step_gives_them_too(run_id):
    golden = FILES['moshi']
    tokens, _ = play(golden, golden.runs[run_id], golden.model(), lean_step=True)
    assert torch.equal(tokens, golden.tensors[f'{run_id}.tokens'])


def test_the_vectors_feel_the_oracle_and_what_the_reference_loses():
    """The comparison can fail: without an oracle, or in order instead of by position, it does."""
    golden = FILES['moshi']
    run = golden.runs['sampled.2']
    lm = golden.model()
    want = golden.tensors[f'{run["id"]}.tokens']
    assert not torch.equal(play(golden, {**run, 'oracle': []}, lm)[0], want)
    assert not torch.equal(play(golden, run, lm, FifoFeed)[0], want)


@pytest.mark.parametrize('name', list(FILES))
def test_training_forward(name):
    golden = FILES[name]
    codes, oracle = (golden.tensors[f'train.{key}'].long() for key in ('codes', 'oracle'))
    with torch.no_grad():
        out = golden.model()(codes, oracle_tokens=oracle)
    for ours, key in ((out.text_logits, 'text_logits'), (out.logits, 'logits')):
        theirs = golden.tensors[f'train.{key}']
        assert torch.equal(ours.isnan(), theirs.isnan())
        assert near(ours, theirs)


def test_the_files_are_small():
    assert sum(file.stat().st_size for file in GOLDEN.iterdir()) < 3e6


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize('sampling', [False, True])
@pytest.mark.parametrize('batch', [1, 3])
def test_every_bit_is_that_of_a_plain_model(tiny, make_lm, dtype, sampling, batch):
    """Ring, delays, resets and pauses of single slots change nothing: tokens and text logits."""
    lm = make_lm(dtype=dtype, seed=batch)
    logits: list = []
    gen = OracleLMGen(
        lm,
        use_sampling=sampling,
        support_out_of_sync=True,
        on_text_logits_hook=lambda some: logits.append(some[:, 0, 0].clone()),
    )
    plain = PlainKame(tiny, dict(lm.state_dict()), batch)
    rng = random.Random(batch)
    said = set()
    with torch.no_grad(), gen.streaming(batch):
        for step in range(2 * tiny['context'] + 20):
            codes = torch.tensor(
                [[rng.randrange(tiny['card']) for _ in range(8)] for _ in range(batch)]
            )
            oracle = [rng.randrange(tiny['text_card'] + 1) for _ in range(batch)]
            runs = [rng.random() < 0.9 for _ in range(batch)]
            anew = [rng.random() < 0.01 for _ in range(batch)]
            if any(anew):
                gen.reset_streaming(torch.tensor(anew))
                plain.reset(anew)
            gen.set_exec_mask(torch.tensor(runs))
            gen.feed_oracle(oracle)
            with portable_noise(step):
                ours = gen.step(codes[:, :, None])[:, :, 0]
            with portable_noise(step):
                tokens, text_logits = plain.step(codes, oracle, runs, sampling)
            assert torch.equal(ours, tokens), step
            active = torch.tensor(runs)
            assert torch.equal(logits[-1][active], text_logits[active]), step
            said.update(tokens[:, 0].tolist())
    assert len(said) > 2  # it does not say one thing only
