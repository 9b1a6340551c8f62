"""Loading checkpoints: the same weights as moshi's own loader, little memory, clear refusals."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip('torch', reason='needs torch (the extra "moshi")')
pytest.importorskip('moshi', reason='needs moshi (the extra "moshi")')
from moshi.models import loaders  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

from kame_ros.s2s.moshi.model import OracleLMModel  # noqa: E402
from kame_ros.s2s.moshi.weights.checkpoint import find  # noqa: E402
from kame_ros.s2s.moshi.weights.errors import CheckpointError  # noqa: E402
from kame_ros.s2s.moshi.weights.load import load_lm, load_mimi, load_tokenizer  # noqa: E402
from kame_ros.s2s.moshi.weights.random_checkpoint import write  # noqa: E402
from kame_ros.s2s.moshi.weights.safetensors_file import SafetensorsFile  # noqa: E402


def weights(folder: Path) -> dict:
    return load_file(folder / 'model.safetensors')


def test_same_seed_same_checkpoint(random_folder, tmp_path):
    again, other = write(tmp_path / 'a'), write(tmp_path / 'b', seed=1)
    for name in ('model.safetensors', 'mimi.safetensors', 'config.json', 'tokenizer.model'):
        assert (again / name).read_bytes() == (random_folder / name).read_bytes(), name
    assert (other / 'model.safetensors').read_bytes() != (again / 'model.safetensors').read_bytes()


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_a_kame_checkpoint_is_loaded_as_it_is(random_folder, dtype):
    lm = load_lm(find(str(random_folder)), dtype=dtype)
    assert isinstance(lm, OracleLMModel)
    assert not lm.training
    want = weights(random_folder)
    state = lm.state_dict()
    assert set(state) == set(want)
    for key, value in want.items():
        assert torch.equal(state[key], value.to(dtype)), key


def test_a_plain_moshi_checkpoint_stays_moshi(folder):
    state = weights(folder)
    del state['oracle_emb.weight']
    save_file(state, folder / 'model.safetensors')
    checkpoint = find(str(folder))
    ours = load_lm(checkpoint, dtype=torch.float32)
    assert not isinstance(ours, OracleLMModel)
    theirs = loaders.get_moshi_lm(
        folder / 'model.safetensors', checkpoint.lm_kwargs, dtype=torch.float32
    )
    assert type(ours) is type(theirs)
    for key, value in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[key], value), key


def test_shards_and_older_names(folder):
    """Attention saved in one matrix, as in older checkpoints, and split over two files."""
    state = weights(folder)
    for layer in range(4):
        prefix = f'transformer.layers.{layer}.self_attn.'
        state[f'{prefix}in_proj_weight'] = state.pop(f'{prefix}in_projs.0.weight')
    prefix = 'depformer.layers.0.self_attn.'
    steps = [state.pop(f'{prefix}in_projs.{step}.weight') for step in range(8)]
    state[f'{prefix}in_proj_weight'] = torch.cat(steps)
    want = load_lm(find(str(folder)), dtype=torch.float32).state_dict()
    (folder / 'model.safetensors').unlink()
    keys = sorted(state)
    index = {}
    for name, part in (('a.safetensors', keys[::2]), ('b.safetensors', keys[1::2])):
        save_file({key: state[key] for key in part}, folder / name)
        index |= dict.fromkeys(part, name)
    (folder / 'model.safetensors.index.json').write_text(json.dumps({'weight_map': index}))
    got = load_lm(find(str(folder)), dtype=torch.float32).state_dict()
    assert set(got) == set(want)
    assert all(torch.equal(got[key], want[key]) for key in want)


def test_shorter_context(random_folder):
    lm = load_lm(find(str(random_folder)), context=40)
    assert lm.transformer.layers[0].self_attn.context == 40
    assert load_lm(find(str(random_folder)), context=9999).context == 250


def lora_for(folder: Path, rank: int = 4) -> dict:
    generator = torch.Generator().manual_seed(7)
    lora = {}
    for key, value in weights(folder).items():
        if value.ndim == 2 and 'emb' not in key:
            name = key.removesuffix('.weight')
            for half, shape in (('A', (rank, value.shape[1])), ('B', (value.shape[0], rank))):
                lora[f'{name}.lora_{half}.weight'] = torch.randn(shape, generator=generator) * 0.1
    return lora


def test_lora_is_what_moshi_makes_of_it(folder):
    state = weights(folder)
    oracle = state.pop('oracle_emb.weight')
    save_file(state, folder / 'plain.safetensors')
    save_file(lora_for(folder), folder / 'lora.safetensors')
    config = json.loads((folder / 'config.json').read_text())
    config |= {'lora': True, 'lora_rank': 4, 'lora_scaling': 3.0, 'lora_name': 'lora.safetensors'}
    (folder / 'config.json').write_text(json.dumps(config))
    checkpoint = find(str(folder))
    ours = load_lm(checkpoint, dtype=torch.float32).state_dict()
    theirs = loaders.get_moshi_lm(
        folder / 'plain.safetensors',
        checkpoint.lm_kwargs | {'lora': True, 'lora_rank': 4, 'lora_scaling': 3.0},
        dtype=torch.float32,
        lora_weights=folder / 'lora.safetensors',
        fuse_lora=True,
    ).state_dict()
    assert torch.equal(ours.pop('oracle_emb.weight'), oracle)
    assert set(ours) == set(theirs)
    for key, value in theirs.items():
        torch.testing.assert_close(ours[key], value, msg=key)


def test_lora_may_bring_an_oracle_table_of_its_own(folder):
    table = torch.randn(401, 128)
    save_file({'oracle_emb.weight': table}, folder / 'lora.safetensors')
    lm = load_lm(find(str(folder), lora=str(folder / 'lora.safetensors')), dtype=torch.float32)
    assert torch.equal(lm.oracle_emb.weight, table)


@pytest.mark.parametrize(
    ('change', 'complaint'),
    [
        (lambda s: s.pop('text_linear.weight'), r'has no weight text_linear\.weight'),
        (lambda s: s.update(extra=torch.zeros(2)), r'has an unknown weight extra'),
        (
            lambda s: s.update({'emb.3.weight': torch.zeros(9, 128)}),
            r'emb\.3\.weight.*\[9, 128\].*\[257, 128\]',
        ),
    ],
)
def test_weights_that_do_not_fit_are_refused_by_name(folder, change, complaint):
    state = weights(folder)
    change(state)
    save_file(state, folder / 'model.safetensors')
    with pytest.raises(CheckpointError, match=complaint):
        load_lm(find(str(folder)))


@pytest.mark.parametrize(
    ('spoil', 'complaint'),
    [
        (
            lambda s: s.pop('linears.0.lora_A.weight'),
            r'linears\.0\.lora_B\.weight, but no .*lora_A',
        ),
        (
            lambda s: s.pop('linears.0.lora_B.weight'),
            r'linears\.0\.lora_A\.weight, but no .*lora_B',
        ),
        (
            lambda s: s.update({'linears.0.lora_A.weight': torch.zeros(4, 64, 1)}),
            r'linears\.0\.lora_A\.weight is of shape \[4, 64, 1\]',
        ),
        (
            lambda s: s.update({'linears.0.lora_B.weight': torch.zeros(4)}),
            r'linears\.0\.lora_B\.weight is of shape \[4\]',
        ),
    ],
)
def test_lora_weights_that_are_no_pairs_are_refused(folder, spoil, complaint):
    state = {'linears.0.lora_A.weight': torch.zeros(4, 64)}
    state['linears.0.lora_B.weight'] = torch.zeros(256, 4)
    file = folder / 'lora.safetensors'
    save_file(state, file)
    load_lm(find(str(folder), lora=str(file)))
    spoil(state)
    save_file(state, file)
    with pytest.raises(CheckpointError, match=complaint):
        load_lm(find(str(folder), lora=str(file)))


@pytest.mark.parametrize(
    'header',
    [
        '[' * 100_000,
        '[]',
        '{"a": {"dtype": "F32", "shape": [-1, -1], "data_offsets": [0, 4]}}',
        '{"a": {"dtype": "F32", "shape": [Infinity], "data_offsets": [0, 4]}}',
        '{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, Infinity]}}',
        '{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0]}}',
        '{"a": {"dtype": [], "shape": [1], "data_offsets": [0, 4]}}',
        '{"a": 5}',
    ],
)
def test_a_header_that_is_none_is_refused(tmp_path, header):
    path = tmp_path / 'model.safetensors'
    path.write_bytes(len(header).to_bytes(8, 'little') + header.encode() + bytes(4))
    with pytest.raises(CheckpointError, match=r'model\.safetensors'):
        SafetensorsFile(path)


@pytest.mark.parametrize('config', [{}, {'seanet': 1}, {'sample_rate': 24000}])
def test_a_description_of_no_codec_is_refused(folder, config):
    file = folder / 'mimi.json'
    file.unlink()
    file.write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match='describes no Mimi'):
        load_mimi(find(str(folder)))


@pytest.mark.parametrize('keep', [0, 5, 100, 3_000_000, -1])
def test_a_truncated_file_is_refused(folder, keep):
    file = folder / 'model.safetensors'
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match=r'cut off.*download it again'):
        load_lm(find(str(folder)))


def test_a_truncated_codec_is_refused(folder):
    file = folder / 'mimi.safetensors'
    data = file.read_bytes()
    file.unlink()
    file.write_bytes(data[:-10])
    with pytest.raises(CheckpointError, match=r'mimi\.safetensors was cut off'):
        load_mimi(find(str(folder)))


@pytest.mark.parametrize(
    ('change', 'complaint'),
    [
        ({'conditioners': {'a': {}}}, 'conditioned model'),
        ({'colour': 'red'}, r'describes no Moshi model.*colour'),
        ({'dim': 130}, 'describes no Moshi model'),
        ({'dim': 0}, 'describes no Moshi model'),
        ({'dim': -1}, 'describes no Moshi model'),
        ({'hidden_scale': float('inf')}, 'describes no Moshi model'),
        ({'layer_scale': 10**30}, 'describes no Moshi model'),
        ({'fuser': 'x'}, 'fuser .*should be a JSON object'),
        ({'card': 'x'}, "no whole number 'card'"),
        ({'text_card': None}, "no whole number 'text_card'"),
        ({'lora_scaling': float('nan')}, 'lora_scaling .*should be a number, not nan'),
        ({'lora_scaling': 10**400}, 'lora_scaling .*should be a number'),
        ({'dep_q': None}, "no whole number 'dep_q'"),
        ({'mimi_name': 'nowhere.safetensors'}, r'has no nowhere\.safetensors'),
        ({'moshi_name': 'nowhere.safetensors'}, r'has no nowhere\.safetensors'),
        ({'tokenizer_name': 'config.json'}, 'is no SentencePiece model'),
        ({'text_card': 100}, 'has 400 pieces, the model only 100'),
    ],
)
def test_a_config_that_does_not_fit_is_refused(folder, change, complaint):
    config = json.loads((folder / 'config.json').read_text())
    (folder / 'config.json').write_text(json.dumps(config | change))
    with pytest.raises(CheckpointError, match=complaint):  # noqa: PT012
        checkpoint = find(str(folder))
        load_tokenizer(checkpoint)
        load_lm(checkpoint)


def test_no_such_folder():
    with pytest.raises(CheckpointError, match='no folder /nowhere/at/all'):
        find('/nowhere/at/all')


@pytest.mark.parametrize('dtype', [torch.float32, torch.float16, torch.bfloat16, torch.int64])
def test_the_reader_gives_what_the_library_gives(tmp_path, dtype):
    torch.manual_seed(0)
    want = {'a': (torch.randn(1500, 1700) * 9).to(dtype), 'b': torch.zeros(0, 3, dtype=dtype)}
    save_file(want, tmp_path / 'x.safetensors')
    with SafetensorsFile(tmp_path / 'x.safetensors') as file:
        for key, value in want.items():
            assert torch.equal(file.read(key), value)
            if dtype.is_floating_point:
                assert torch.equal(file.read(key, torch.bfloat16), value.to(torch.bfloat16))


MEASURE = """
import resource, sys, torch
torch.set_num_threads(1)
from kame_ros.s2s.moshi.weights.checkpoint import find
from kame_ros.s2s.moshi.weights.load import load_lm
from kame_ros.s2s.moshi.model import OracleLMModel
checkpoint = find(sys.argv[1])
torch.zeros(4, 4).bfloat16() @ torch.zeros(4, 4).bfloat16()  # lets torch load what it loads lazily
OracleLMModel(device='meta', **checkpoint.lm_kwargs)
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
now = lambda: int(open('/proc/self/statm').read().split()[1]) * resource.getpagesize()
before = now()
open('/proc/self/clear_refs', 'w').write('5')  # the peak starts again from here
lm = load_lm(checkpoint, dtype=torch.bfloat16)
high = [int(l.split()[1]) * 1024 for l in open('/proc/self/status') if l.startswith('VmHWM')][0]
print(high - before, sum(p.numel() * p.element_size() for p in lm.parameters()))
"""


@pytest.mark.skipif(not Path('/proc/self/clear_refs').exists(), reason='needs Linux')
def test_peak_memory_is_at_most_1_2_times_the_cast_model(random_folder, tmp_path, make_lm, tiny):
    for file in random_folder.iterdir():
        (tmp_path / file.name).symlink_to(file)
    big = {'dim': 512, 'num_layers': 16, 'text_card': 4000, 'num_heads': 8}
    lm = make_lm(**big)
    (tmp_path / 'model.safetensors').unlink()
    save_file(
        {k: v.contiguous() for k, v in lm.state_dict().items()}, tmp_path / 'model.safetensors'
    )
    config = json.loads((tmp_path / 'config.json').read_text())
    (tmp_path / 'config.json').unlink()
    (tmp_path / 'config.json').write_text(json.dumps(config | tiny | big))
    done = subprocess.run(
        [sys.executable, '-c', MEASURE, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(p for p in sys.path if p)},
        timeout=120,
    )
    peak, model = map(int, done.stdout.split())
    print(f'peak {peak / 1e6:.0f} MB, model {model / 1e6:.0f} MB, {peak / model:.3f}')
    assert model > 100e6
    assert peak <= 1.2 * model, f'{peak / model:.2f} times the model'
