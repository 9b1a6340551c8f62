"""The memory of a model by arithmetic is that of the model when it is built."""

from __future__ import annotations

import pytest

from kame_ros.s2s.moshi.memory import Setting, advice, fit, needs, ways_down, weight_bytes
from kame_ros.s2s.moshi.weights.moshi_7b import LM as KAME

GB = 10**9
MIDDLE = {
    **KAME,
    'dim': 256,
    'hidden_scale': 3,
    'num_layers': 3,
    'num_heads': 4,
    'text_card': 400,
    'card': 128,
    'depformer_dim': 128,
    'depformer_dim_feedforward': 528,
    'depformer_num_heads': 2,
    'depformer_num_layers': 2,
    'context': 100,
}


def need_torch():
    torch = pytest.importorskip('torch', reason='needs torch (the extra "moshi")')
    pytest.importorskip('moshi', reason='needs moshi (the extra "moshi")')
    return torch


@pytest.mark.parametrize('oracle', [True, False])
@pytest.mark.parametrize(
    'changes',
    [
        {},
        {'depformer_weights_per_step_schedule': [0, 1, 1, 2, 2, 3, 3, 3]},
        {'depformer_norm': 'rms_norm_f32', 'hidden_scale': 4},
        {'dep_q': 16, 'n_q': 32, 'delays': [0] * 33, 'text_card_out': 5},
    ],
)
def test_weights_as_those_of_a_model_of_the_real_size(changes, oracle):
    """On the meta device, where 7.8 billion weights take no memory."""
    torch = need_torch()
    from kame_ros.s2s.moshi.model import OracleLMModel
    from kame_ros.s2s.moshi.weights.upstream import LMModel

    kwargs = {**KAME, **changes}
    lm = (OracleLMModel if oracle else LMModel)(device='meta', dtype=torch.bfloat16, **kwargs)
    built = sum(weight.numel() * weight.element_size() for weight in lm.parameters())
    assert weight_bytes(kwargs, oracle=oracle) == built


@pytest.mark.parametrize('quantise', ['none', 'int8', 'fp8', 'int4'])
def test_small_weights_and_rings_as_those_of_a_model_that_is_built(quantise):
    torch = need_torch()
    from kame_ros.s2s.moshi.fast import lean
    from kame_ros.s2s.moshi.model import OracleLMGen, OracleLMModel

    lm = OracleLMModel(device='cpu', dtype=torch.float32, **MIDDLE).eval()
    gen = OracleLMGen(lm)
    with torch.no_grad(), gen.streaming(2):
        lean.install(gen, lean.widened_parts(quantise), free=True)
        state = gen._streaming_state
        parts = (lm, state.graphed_depth.func, gen._graphed.func)
        held = sum(t.numel() * t.element_size() for t in storages(torch, parts))
        rings = [layer.self_attn._streaming_state.kv_cache.cache for layer in lm.transformer.layers]
    told = needs(MIDDLE, Setting(quantise, 100, 2), 'float32')
    assert sum(ring.numel() * ring.element_size() for ring in rings) == told.heard
    assert 0 <= held - told.heard - told.weights < 20_000  # places, rotations, offsets


def storages(torch, roots) -> list:
    """All tensors that can be reached from `roots`, each memory once."""
    seen, found, waiting = set(), {}, list(roots)
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, torch.Tensor):
            found[thing.untyped_storage().data_ptr()] = thing.untyped_storage()
        elif isinstance(thing, dict):
            waiting += thing.values()
        elif isinstance(thing, list | tuple):
            waiting += thing
        elif type(thing).__module__.startswith(('kame_ros', 'torch.nn', 'moshi')):
            waiting += vars(thing).values() if hasattr(thing, '__dict__') else ()
            waiting += [getattr(thing, name) for name in getattr(thing, '__slots__', ())]
    return [torch.tensor([], dtype=torch.uint8).set_(storage) for storage in found.values()]


def test_codec_as_mimi_is_built():
    need_torch()
    from kame_ros.s2s.moshi import memory
    from kame_ros.s2s.moshi.weights.upstream import loaders

    mimi = loaders.get_mimi(None, loaders._mimi_config, num_codebooks=8)
    held = [*mimi.parameters(), *mimi.buffers()]
    built = sum(tensor.numel() * tensor.element_size() for tensor in held)
    assert pytest.approx(built, rel=0.001) == memory.MIMI


@pytest.mark.parametrize(
    ('card_gb', 'slots', 'want'),
    [
        (80, 16, Setting('none', 3000, 16)),
        (80, 40, Setting('none', 1500, 40)),
        (24, 1, Setting('none', 3000, 1)),
        (24, 4, Setting('none', 3000, 4)),
        (16, 1, Setting('int8', 3000, 1)),
        (12, 1, Setting('int8', 3000, 1)),
        (8, 1, Setting('int4', 750, 1)),
        (6, 1, None),
    ],
)
def test_what_fits_on_a_card(card_gb, slots, want):
    free = int(card_gb * 2**30 * 0.97)  # a display and the driver have the rest
    assert fit(KAME, free, Setting('none', 3000, slots)) == want


def test_what_fits_is_never_more_than_was_wanted():
    for free in range(4 * GB, 90 * GB, GB):
        for wanted in (Setting('int8', 600, 3), Setting('none', 0, 2), Setting('int4', 3000, 8)):
            got = fit(KAME, free, wanted)
            if got is None:
                continue
            assert got.slots <= wanted.slots
            assert got.context <= (wanted.context or 3000)
            assert wanted.quantise == 'none' or got.quantise != 'none'
            assert needs(KAME, got).total <= free


def test_fewer_slots_come_last():
    free = needs(KAME, Setting('int4', 375, 2)).total * 1.05
    assert fit(KAME, int(free), Setting('none', 3000, 4)).slots == 2


def test_advice_has_numbers():
    ways = dict(ways_down(KAME, Setting('none', 3000, 4)))
    assert list(ways) == sorted(ways, key=lambda name: -ways[name])
    assert ways['s2s.moshi.context=750 (60 s)'] == 4 * 2250 * 2 * 32 * 4096 * 2
    assert 'one slot less' in ways
    assert ways_down(KAME, Setting('int4', 375, 1)) == []
    told = advice(KAME, Setting('none', 3000, 1), 16 * GB)
    assert 'takes about 18.8 GB, and 16.0 GB are free' in told
    assert 's2s.moshi.quantise=int8 saves 7.4' in told
    assert 'fit=auto' in told
