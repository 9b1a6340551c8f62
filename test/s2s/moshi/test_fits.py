"""What fits where: by arithmetic, for machines that are not here."""

from dataclasses import replace

import pytest

from kame_ros.s2s.moshi import fits, memory
from kame_ros.s2s.moshi.config import MoshiConfig
from kame_ros.s2s.moshi.fits import LACK, OK, WARN, Gpu, Machine, Model
from kame_ros.s2s.moshi.weights import moshi_7b

GB = 1e9
KAME = Model(moshi_7b.LM, True, 0.0)


def card(memory_gb, **more):
    return Gpu('a card', memory_gb * GB, driver='580.65', capability=(8, 9), **more)


def machine(memory_gb=24.0, **more):
    have = {
        'ram': 32 * GB,
        'disk': 500 * GB,
        'gpus': (card(memory_gb),),
        'torch': '2.13.0',
        'torch_cuda': '13.0',
        'torch_kinds': ('sm_80', 'sm_86', 'sm_90', 'sm_120'),
    }
    return Machine(**{**have, **more})


def told(config=None, model=KAME, on=None):
    verdicts = list(fits.verdicts(config or MoshiConfig(device='cuda'), model, on or machine()))
    for verdict in verdicts:
        assert verdict.remedy or verdict.level == OK, verdict
    return {verdict.what: verdict for verdict in verdicts}


def test_a_conversation_is_the_ring_of_keys_and_values():
    def heard(slots=1, context=0):
        return memory.needs(moshi_7b.LM, memory.Setting('none', context, slots)).heard

    assert heard() == 1_572_864_000
    assert heard(3, 750) == 3 * 393_216_000
    assert heard(context=9999) == 1_572_864_000


@pytest.mark.parametrize(
    ('memory_gb', 'level', 'says'),
    [
        (24, OK, '18.8 GB'),
        (17, OK, '11.5 GB'),
        (9, OK, '8.2 GB'),
        (6, LACK, 'weights 15.6 GB'),
    ],
)
def test_what_fit_auto_will_choose(memory_gb, level, says):
    verdict = told(MoshiConfig(device='cuda', fit='auto'), on=machine(memory_gb))['GPU memory']
    assert (verdict.level, says in verdict.detail) == (level, True), verdict


@pytest.mark.parametrize(
    ('memory_gb', 'remedy'),
    [
        (18.5, '--set s2s.moshi.context=750'),
        (16, '--set s2s.moshi.quantise=int8'),
        (11, '--set s2s.moshi.quantise=int8 --set s2s.moshi.context=750'),
        (8.3, '--set s2s.moshi.quantise=int4'),
        (4, 'a GPU with more memory'),
    ],
)
def test_the_gentlest_change_that_fits(memory_gb, remedy):
    verdict = told(on=machine(memory_gb))['GPU memory']
    assert (verdict.level, verdict.remedy.startswith(remedy)) == (LACK, True), verdict


def test_every_proposal_takes_less():
    for slots in (1, 4, 16, 32):
        config = MoshiConfig(device='cuda', slots=slots)
        for more in fits.choices(config):
            smaller = replace(config, **more)
            assert fits._need(smaller, KAME).total < fits._need(config, KAME).total


def test_slots_and_what_others_use():
    many = MoshiConfig(device='cuda', slots=32)
    assert told(many, on=machine(80))['GPU memory'].level == OK
    assert 'context=750' in told(replace(many, slots=48), on=machine(80))['GPU memory'].remedy
    busy = machine(gpus=(card(24, used=9 * GB),))
    assert told(on=busy)['GPU memory'].level == WARN
    assert '9.0 GB' in told(on=busy)['GPU memory'].remedy


@pytest.mark.parametrize(
    ('have', 'what', 'level', 'says'),
    [
        ({'gpus': ()}, 'GPU', LACK, 'there are 0 NVIDIA GPUs'),
        ({'torch': '', 'torch_cuda': ''}, 'packages', LACK, 'torch not installed'),
        ({'torch_cuda': '', 'torch': '2.13.0+cpu'}, 'torch', LACK, 'build for CPUs'),
        ({'torch_kinds': ('sm_75', 'sm_90')}, 'torch', LACK, 'no kernels for sm_89'),
        ({'compiler': False, 'python_h': False}, 'compilers', WARN, 'a C compiler and Python.h'),
        ({'ram': 1e9}, 'RAM', WARN, '2.5 GB of 1.0 GB'),
    ],
)
def test_each_lack_has_a_verdict(have, what, level, says):
    verdict = told(on=machine(**have))[what]
    assert (verdict.level, says in verdict.detail) == (level, True), verdict


def test_an_old_driver():
    old = replace(card(24), driver='550.90')
    verdict = told(on=machine(gpus=(old,)))['driver']
    assert verdict.level == LACK
    assert '580 or newer' in verdict.remedy
    assert told(on=machine(gpus=(old,), torch_cuda='12.6'))['driver'].level == OK


def test_a_jetson_is_told_where_its_torch_is():
    orin = Gpu('Orin', 64 * GB, capability=(8, 7))
    have = told(on=machine(gpus=(orin,), jetson=True, torch='', torch_cuda=''))
    assert 'jetson-ai-lab' in have['packages'].remedy
    wrong = told(on=machine(gpus=(orin,), jetson=True, torch_kinds=('sm_80', 'sm_90')))
    assert 'torch' not in wrong  # sm_80 runs on sm_87
    assert have['GPU memory'].level == OK
    server = told(on=machine(gpus=(orin,), jetson=True, torch_kinds=('sm_90', 'sm_100')))
    assert 'jetson-ai-lab' in server['torch'].remedy


def test_fp8_and_what_triton_needs():
    config = MoshiConfig(device='cuda', quantise='fp8')
    ampere = replace(card(24), capability=(8, 6))
    assert told(config, on=machine(gpus=(ampere,)))['fp8'].level == LACK
    assert 'fp8' not in told(config)
    assert told(config, on=machine(triton=False))['compilers'].level == WARN
    compiled = MoshiConfig(device='cuda', compile=True)
    assert told(compiled, on=machine(compiler=False))['compilers'].level == LACK


def test_a_cpu_has_its_ram():
    config = MoshiConfig(device='cpu')
    verdict = told(config, on=machine(gpus=()))['RAM']
    assert verdict.level == LACK
    assert 'bfloat16' in verdict.remedy
    half = replace(config, dtype='bfloat16', context=750)
    assert told(half, on=machine(gpus=()))['RAM'].level == OK
    assert told(MoshiConfig(device='auto'), on=machine(gpus=()))['RAM'].level == LACK


def test_the_disk_is_asked_before_anything_comes():
    model = replace(KAME, to_come=31.6 * GB, command='kame get kame')
    assert told(model=model)['weights'].remedy == 'kame get kame'
    assert told(model=model, on=machine(disk=20 * GB))['disk'].level == LACK
    assert 31 * GB < memory.file_bytes(moshi_7b.LM) < 32 * GB


def test_a_remedy_names_the_node_and_makes_it_fit():
    config = MoshiConfig(device='cuda', slots=400)
    found = {v.what: v for v in fits.verdicts(config, KAME, machine(80.0), 's2s_slots')}
    assert found['GPU memory'].remedy == '--set s2s_slots.moshi.slots=1'
    none = {v.what: v for v in fits.verdicts(config, KAME, machine(gpus=()), 's2s_slots')}
    assert '--set s2s_slots.moshi.device=cpu' in none['GPU'].remedy
    half = MoshiConfig(device='cpu', dtype='bfloat16', slots=400)
    on_cpu = told(half, on=machine(gpus=()))['RAM'].remedy
    assert on_cpu == '--set s2s.moshi.slots=1'
    assert 'a machine with more memory' in told(half, on=machine(gpus=(), ram=8 * GB))['RAM'].remedy


@pytest.mark.parametrize(
    'wrong',
    [
        {'dim': -5},
        {'dim': 'big'},
        {'dim': float('nan')},
        {'num_layers': 10**11},
        {'depformer_dim': None},
        {'n_q': 0},
        {'card': True},
        {'hidden_scale': float('inf')},
        {'context': 'long'},
        {'depformer_weights_per_step_schedule': 'x'},
        {'depformer_weights_per_step_schedule': [0, -1]},
    ],
)
def test_sizes_of_which_no_sum_can_be_made_are_named(wrong):
    assert not memory.bad_size(moshi_7b.LM)
    assert next(iter(wrong)) in memory.bad_size({**moshi_7b.LM, **wrong})


def test_a_size_that_is_left_to_moshi_is_no_fault():
    assert not memory.untold_size(moshi_7b.LM)
    left = {key: value for key, value in moshi_7b.LM.items() if key != 'dim'}
    assert memory.untold_size(left) == 'dim'
    assert not memory.bad_size(left)
