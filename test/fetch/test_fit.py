"""`kame doctor --config`: what it says of a machine, and what it reads of one."""

import json
import re
import shutil
from dataclasses import replace

import pytest

from kame_ros import cli, doctor
from kame_ros.fetch import fit, needs
from kame_ros.graph.description import load_graph
from kame_ros.s2s.moshi.fits import Gpu, Machine
from kame_ros.s2s.moshi.weights import moshi_7b
from kame_ros.s2s.small import can_run

SMI = """\
NVIDIA GeForce RTX 4090, 24564, 1024, 580.65.06, 8.9
NVIDIA H100 80GB HBM3, 81559, 0, 550.90.07, 9.0
Orin (nvgpu), [N/A], [N/A], 540.4.0, 8.7
nonsense
"""
BIG = Machine(
    ram=64e9,
    disk=500e9,
    gpus=(Gpu('a card', 80e9, driver='580.1', capability=(9, 0)),),
    torch='2.13.0',
    torch_cuda='13.0',
    torch_kinds=('sm_90',),
)


@pytest.fixture(autouse=True)
def empty_cache(monkeypatch, tmp_path):
    constants = pytest.importorskip('huggingface_hub.constants', reason='needs huggingface-hub')
    monkeypatch.setattr(constants, 'HF_HUB_CACHE', str(tmp_path))


def told(monkeypatch, config, have=BIG, **overrides):
    monkeypatch.setattr(fit, 'machine', lambda: have)
    findings = list(doctor.examine_fit(load_graph(config, overrides=overrides)))
    for finding in findings:
        assert finding.remedy or finding.level == doctor.OK, finding
    return {finding.what: finding for finding in findings}


def test_what_nvidia_smi_tells_is_read():
    card, server = fit.read_gpus(SMI)
    assert card.capability == (8, 9)
    assert card.used == 1024 * 2**20
    assert server.driver == '550.90.07'


def test_the_real_machine_is_looked_at():
    have = fit.machine()
    assert have.ram > 1e8
    assert have.disk > 0


def test_kame_on_a_large_gpu(monkeypatch):
    pytest.importorskip('torch', reason='needs torch (the extra "moshi")')
    found = told(monkeypatch, 'kame')
    assert found['GPU memory'].level == doctor.OK
    assert '18.8 GB' in found['GPU memory'].detail
    assert found['weights'].detail.startswith('31.7 GB to come')
    assert found['weights'].remedy == 'kame get SakanaAI/kame'
    moshi = told(monkeypatch, 'moshi')
    assert moshi['weights'].detail.startswith('15.8 GB to come')


def test_many_robots(monkeypatch):
    pytest.importorskip('torch', reason='needs torch (the extra "moshi")')
    found = told(monkeypatch, 'kame-slots', s2s_slots={'moshi.slots': '400'})
    assert found['GPU memory'].level == doctor.LACK
    assert '400 conversations' in found['GPU memory'].detail


def test_a_graph_without_it_needs_no_gpu(monkeypatch):
    assert told(monkeypatch, 'tandem')['GPU'].level == doctor.OK


def test_what_is_in_the_package_is_there(monkeypatch):
    on_cpu = replace(BIG, gpus=())
    found = told(monkeypatch, 'kame-random', on_cpu)
    assert found['weights'].detail == 'on this machine'
    assert found['RAM'].level == doctor.OK


def test_kame_small_is_read_before_it_is_brought_up(monkeypatch, tmp_path):
    if why := can_run.why_not():
        pytest.skip(why)
    found = told(monkeypatch, 'kame-small')
    assert (found['weights'].level, found['weights'].detail) == (doctor.OK, 'kame-small')
    found = told(monkeypatch, 'kame-small', s2s={'small.weights': str(tmp_path)})
    assert found['weights'].level == doctor.LACK
    assert found['weights'].detail == f'there is no model of kame-small in {tmp_path}'
    shutil.copytree(can_run.FOLDER, tmp_path, dirs_exist_ok=True)
    (tmp_path / 'model.safetensors').write_bytes(b'cut off')
    found = told(monkeypatch, 'kame-small', s2s={'small.weights': str(tmp_path)})
    assert 'model.safetensors is no whole safetensors file' in found['weights'].detail
    assert found['weights'].remedy == 'correct s2s.small.weights'


def test_a_bad_parameter_and_a_bad_folder_are_sentences(monkeypatch):
    found = told(monkeypatch, 'kame', s2s={'moshi.quantise': 'int99'})
    assert 'quantise is one of' in found['kame'].detail
    found = told(monkeypatch, 'kame', s2s={'moshi.weights': '/nix'})
    assert 'there is no folder /nix' in found['weights'].detail
    found = told(monkeypatch, 'kame', s2s={'moshi.contxt': '750'})
    assert found['s2s'].level == doctor.LACK
    assert 'no parameter moshi.contxt; did you mean moshi.context?' in found['s2s'].detail


def whole(folder):
    """A checkpoint with nothing in its files."""
    for name in (moshi_7b.WEIGHTS, moshi_7b.MIMI, moshi_7b.TOKENIZER):
        (folder / name).write_bytes((2).to_bytes(8, 'little') + b'{}')


@pytest.mark.parametrize(
    'weights',
    [
        b'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 31000000000\n',
        b'',
        b'x' * 1000,
        (1).to_bytes(8, 'little') + b'5',
        (9).to_bytes(8, 'little') + b'{}',
    ],
)
def test_weights_that_are_none_are_told_before_anything_is_loaded(monkeypatch, tmp_path, weights):
    whole(tmp_path)
    assert told(monkeypatch, 'kame', s2s={'moshi.weights': str(tmp_path)})['GPU memory']
    (tmp_path / moshi_7b.WEIGHTS).write_bytes(weights)
    found = told(monkeypatch, 'kame', s2s={'moshi.weights': str(tmp_path)})
    assert found['weights'].level == doctor.LACK
    assert 'is no safetensors file' in found['weights'].detail


@pytest.mark.parametrize(
    ('config', 'says'),
    [
        ('{"dim": -5, "n_q": 16, "dep_q": 8}', 'is a whole number between 1 and'),
        (
            '{"dim": "x", "n_q": 16, "dep_q": 8, "moshi_name": "hf://a/b/m.safetensors"}',
            'is a whole number between 1 and',
        ),
        ('{"n_q": 16, "dep_q": 8, "num_layers": NaN}', 'is a whole number between 1 and'),
        ('{"lora_scaling": "high"}', 'lora_scaling .* should be a number'),
        ('{"lora_scaling": [1]}', 'lora_scaling .* should be a number'),
        ('{"moshi_name": "hf://ö/ü/x.safetensors"}', 'ö/ü cannot be looked for'),
        ('{"moshi_name": "%s"}' % ('a' * 400), 'the checkpoint is not whole'),
        ('{"moshi_name": "a\\u0000b"}', 'the checkpoint is not whole'),
        ('{"moshi_name": "../x"}', 'moshi_name of .* leads out of its folder'),
        ('{"mimi_name": ["x"]}', 'mimi_name of .* is no name of a file'),
        ('{"mimi_name": "file:///nix"}', 'a file of the machine on which it was written'),
        ('{oops', 'is not JSON'),
    ],
)
def test_a_config_that_cannot_be_is_a_sentence(monkeypatch, tmp_path, config, says):
    whole(tmp_path)
    (tmp_path / 'config.json').write_text(config, encoding='utf-8')
    found = told(monkeypatch, 'kame', s2s={'moshi.weights': str(tmp_path)})
    assert found['weights'].level == doctor.LACK
    assert re.search(says, found['weights'].detail)


def test_what_is_wrong_with_a_finetuned_folder_names_its_file(monkeypatch, tmp_path):
    (tmp_path / 'moshi_lm_kwargs.json').write_text('{"n_q": 16}')
    found = told(monkeypatch, 'kame', s2s={'moshi.weights': str(tmp_path)})
    assert 'moshi_lm_kwargs.json of' in found['weights'].detail


@pytest.mark.parametrize('more', ['', ', "moshi_name": "hf://a/b/m.safetensors"'])
def test_a_config_that_leaves_sizes_to_moshi_is_no_fault(monkeypatch, tmp_path, more):
    whole(tmp_path)
    (tmp_path / 'config.json').write_text('{"n_q": 16, "dep_q": 8' + more + '}')
    found = told(monkeypatch, 'kame', s2s={'moshi.weights': str(tmp_path)})
    assert found['memory'].level == doctor.WARN
    assert found['memory'].remedy.startswith('--set s2s.moshi.fit=off')


def test_lora_weights_that_are_not_there_are_told_before_anything_comes(monkeypatch):
    found = told(monkeypatch, 'kame', s2s={'moshi.lora': '/nix.safetensors'})
    assert 'there is no file /nix.safetensors' in found['weights'].detail


@pytest.mark.parametrize('name', ['ö/ü', 'a--b/c', 'a' * 300 + '/b'])
def test_a_name_that_is_none_is_a_sentence(monkeypatch, name):
    found = told(monkeypatch, 'kame', s2s={'moshi.weights': name})
    assert 'cannot be looked for' in found['weights'].detail
    assert not needs.needs(load_graph('kame', overrides={'s2s': {'moshi.weights': name}}))


def test_the_command(monkeypatch, capsys):
    monkeypatch.setattr(fit, 'machine', lambda: BIG)
    assert cli.main(['doctor', '--config', 'tandem', '--json']) == 0
    assert json.loads(capsys.readouterr().out)[0]['area'] == 'fit'
    assert cli.main(['doctor', '--config', 'nix']) == 2
