"""In positional mode, our model gives the tokens of SakanaAI/kame; see golden/README.md."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

torch = pytest.importorskip('torch', reason='needs torch (the extra "moshi")')
pytest.importorskip('moshi', reason='needs moshi (the extra "moshi")')
from safetensors import safe_open  # noqa: E402

from kame_ros.s2s.moshi import lean  # noqa: E402
from kame_ros.s2s.moshi.model import LMModel, OracleLMGen, OracleLMModel  # noqa: E402
from kame_ros.s2s.moshi.token_feed import FifoFeed, PositionalFeed  # noqa: E402

GOLDEN = Path(__file__).parent / 'golden'


class Golden:
    """One file of golden vectors."""

    def __init__(self, name: str) -> None:
        with safe_open(GOLDEN / f'{name}.safetensors', 'pt') as file:
            self.tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            self.config = json.loads(file.metadata()['config'])
            self.runs = {run['id']: run for run in json.loads(file.metadata()['runs'])}

    def model(self, dtype) -> OracleLMModel:
        lm = OracleLMModel(device='cpu', dtype=dtype, **self.config)
        prefix = 'weights.'
        lm.load_state_dict(
            {k.removeprefix(prefix): v for k, v in self.tensors.items() if k.startswith(prefix)}
        )
        return lm.eval()

    def need_the_same_arithmetic(self, lm: OracleLMModel, dtype: str, sampling: bool) -> None:
        start = lm._get_initial_token().expand(2, -1, -1).repeat(1, 1, 3)
        with torch.no_grad():
            logits = LMModel.forward_text(lm, start)[1]
        if not torch.equal(logits, self.tensors[f'canary.{dtype}']):
            pytest.skip(f'moshi itself rounds {dtype} otherwise on this machine')
        torch.manual_seed(5)
        if sampling and not torch.equal(
            torch.empty(4, 30).exponential_(1), self.tensors['canary.random']
        ):
            pytest.skip('torch draws other random numbers on this machine')


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
    torch.manual_seed(run['seed'])
    torch.randint(0, lm.card, user.shape)  # as when the vectors were made
    out = []
    with torch.no_grad(), gen.streaming(run['batch']):
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


@pytest.mark.parametrize(('name', 'run_id'), RUNS)
def test_all_tokens_of_200_steps_are_those_of_the_reference(name, run_id):
    golden = FILES[name]
    run = golden.runs[run_id]
    lm = golden.model(getattr(torch, run['dtype']))
    golden.need_the_same_arithmetic(lm, run['dtype'], run['sampling'])
    tokens, logits = play(golden, run, lm)
    assert len(tokens) == 200
    assert torch.equal(tokens, golden.tensors[f'{run_id}.tokens'])
    if f'{run_id}.text_logits' in golden.tensors:
        assert torch.equal(logits, golden.tensors[f'{run_id}.text_logits'])


@pytest.mark.parametrize('run_id', [r for n, r in RUNS if n == 'moshi' and 'float32' in r])
def test_the_lean_step_gives_them_too(run_id):
    golden = FILES['moshi']
    run = golden.runs[run_id]
    lm = golden.model(torch.float32)
    golden.need_the_same_arithmetic(lm, 'float32', run['sampling'])
    tokens, _ = play(golden, run, lm, lean_step=True)
    assert torch.equal(tokens, golden.tensors[f'{run_id}.tokens'])


def test_the_vectors_feel_the_oracle_and_what_the_reference_loses():
    """The comparison can fail: without an oracle, or in order instead of by position, it does."""
    golden = FILES['moshi']
    run = golden.runs['float32.greedy.2']
    lm = golden.model(torch.float32)
    golden.need_the_same_arithmetic(lm, 'float32', sampling=False)
    want = golden.tensors[f'{run["id"]}.tokens']
    assert not torch.equal(play(golden, {**run, 'oracle': []}, lm)[0], want)
    assert not torch.equal(play(golden, run, lm, FifoFeed)[0], want)


@pytest.mark.parametrize('name', list(FILES))
def test_training_forward(name):
    golden = FILES[name]
    lm = golden.model(torch.float32)
    codes, oracle = (golden.tensors[f'train.{key}'].long() for key in ('codes', 'oracle'))
    with torch.no_grad():
        out = lm(codes, oracle_tokens=oracle)
    for ours, key in ((out.text_logits, 'text_logits'), (out.logits, 'logits')):
        theirs = golden.tensors[f'train.{key}']
        torch.testing.assert_close(ours, theirs, equal_nan=True, atol=1e-5, rtol=1e-5)


def test_the_files_are_small():
    assert sum(file.stat().st_size for file in GOLDEN.iterdir()) < 3e6
