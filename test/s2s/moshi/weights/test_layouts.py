"""Every layout in which Moshi's kin are published: the same model comes out, or a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

torch = pytest.importorskip('torch', reason='needs torch (the extra "moshi")')
pytest.importorskip('moshi', reason='needs moshi (the extra "moshi")')
from fake_hub import COMMIT  # noqa: E402
from moshi.models import loaders  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

from kame_ros.s2s.moshi.config import MoshiConfig, Sampling  # noqa: E402
from kame_ros.s2s.moshi.weights import moshi_7b  # noqa: E402
from kame_ros.s2s.moshi.weights.checkpoint import find  # noqa: E402
from kame_ros.s2s.moshi.weights.errors import CheckpointError, NotHere  # noqa: E402
from kame_ros.s2s.moshi.weights.load import load_lm, load_mimi, load_tokenizer  # noqa: E402
from kame_ros.s2s.moshi.weights.random_checkpoint import write  # noqa: E402


@pytest.fixture(scope='module')
def made(tmp_path_factory) -> Path:
    return write(tmp_path_factory.mktemp('made'))


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """An empty cache of the hub."""
    from huggingface_hub import constants, file_download

    folder = tmp_path / 'cache'
    monkeypatch.setattr(constants, 'HF_HUB_CACHE', str(folder))
    monkeypatch.setattr(file_download.constants, 'HF_HUB_CACHE', str(folder))
    return folder


@pytest.fixture
def folder(made, tmp_path, cache) -> Path:
    """A copy of the checkpoint that a test may break."""
    own = tmp_path / 'own'
    own.mkdir()
    for file in made.iterdir():
        (own / file.name).write_bytes(file.read_bytes())
    return own


def put(cache: Path, repository: str, files: dict[str, Path], commit: str = COMMIT) -> Path:
    """Puts files into the cache as `kame get` does."""
    place = cache / f'models--{repository.replace("/", "--")}'
    snapshot = place / 'snapshots' / commit
    for name, source in files.items():
        (snapshot / name).parent.mkdir(parents=True, exist_ok=True)
        (snapshot / name).symlink_to(source)
    (place / 'refs').mkdir(parents=True, exist_ok=True)
    (place / 'refs/main').write_text(commit)
    return snapshot


def put_mimi(cache: Path, made: Path) -> None:
    put(
        cache,
        moshi_7b.REPOSITORY,
        {
            moshi_7b.MIMI: made / 'mimi.safetensors',
            moshi_7b.TOKENIZER: made / 'tokenizer.model',
        },
    )


def change(folder: Path, drop=(), name='config.json', **values) -> dict:
    path = folder / 'config.json'
    config = json.loads(path.read_text()) | values
    for key in drop:
        del config[key]
    path.unlink()
    (folder / name).write_text(json.dumps(config))
    return config


def same(got, want) -> None:
    got, want = got.state_dict(), want.state_dict()
    assert set(got) == set(want)
    for key, value in want.items():
        assert torch.equal(got[key], value), key


@pytest.fixture(scope='module')
def want(made):
    return load_lm(find(str(made)), dtype=torch.float32)


def test_moshi_is_what_the_library_says_it_is():
    assert loaders._lm_kwargs == moshi_7b.LM
    assert moshi_7b.MIMI == loaders.MIMI_NAME
    assert moshi_7b.TOKENIZER == loaders.TEXT_TOKENIZER_NAME
    assert moshi_7b.WEIGHTS == loaders.MOSHI_NAME
    assert moshi_7b.REPOSITORY == loaders.DEFAULT_REPO


# Where the files are.


def test_a_repository_in_the_cache_is_found_without_a_call(cache, made, want, monkeypatch):
    import socket

    put(cache, 'SakanaAI/kame', {path.name: path for path in made.iterdir()})
    monkeypatch.setattr(socket, 'create_connection', None)
    monkeypatch.setattr(socket.socket, 'connect', None)
    checkpoint = find('SakanaAI/kame')
    same(load_lm(checkpoint, dtype=torch.float32), want)
    assert find('SakanaAI/kame', revision=COMMIT).lm_files == checkpoint.lm_files


def test_a_repository_that_is_not_here_names_the_command(cache):
    with pytest.raises(NotHere, match=r'"kame get SakanaAI/kame"; .*"hf download SakanaAI/kame '):
        find('SakanaAI/kame')
    with pytest.raises(NotHere, match=r'"kame get SakanaAI/kame --revision v2"') as caught:
        find('SakanaAI/kame', revision='v2')
    assert (caught.value.name, caught.value.revision) == ('SakanaAI/kame', 'v2')


@pytest.mark.parametrize('lacks', ['model.safetensors', 'tokenizer.model', 'mimi.safetensors'])
def test_a_repository_of_which_a_file_is_missing_is_to_be_got(cache, made, lacks):
    put(cache, 'a/b', {path.name: path for path in made.iterdir() if path.name != lacks})
    with pytest.raises(NotHere, match=f'{lacks} is missing') as caught:
        find('a/b')
    assert caught.value.name == 'a/b'


def test_names_of_other_repositories_and_of_this_machine(folder, cache, made, want):
    put(cache, 'some/codec', {'deep/mimi.safetensors': made / 'mimi.safetensors'})
    change(
        folder,
        mimi_name='hf://some/codec/deep/mimi.safetensors',
        tokenizer_name=f'file://{made}/tokenizer.model',
    )
    checkpoint = find(str(folder))
    assert checkpoint.mimi_file.samefile(made / 'mimi.safetensors')
    assert load_tokenizer(checkpoint).vocab_size() == 400
    load_mimi(checkpoint)
    (cache / 'models--some--codec/refs/main').unlink()
    with pytest.raises(NotHere, match=r'some/codec/deep/mimi.*kame get') as caught:
        find(str(folder))
    assert caught.value.name == str(folder)


def test_a_file_of_another_machine_says_so(cache, made):
    files = {path.name: path for path in made.iterdir()}
    own = cache.parent / 'config.json'
    own.write_text((made / 'config.json').read_text())
    change(own.parent, mimi_name='file:///home/somebody/mimi.safetensors')
    put(cache, 'a/b', files | {'config.json': own})
    with pytest.raises(CheckpointError, match='a file of the machine on which it was written'):
        find('a/b')


@pytest.mark.parametrize(
    'name', ['../mimi.safetensors', '/etc/passwd', 'hf://owner', 'hf://a/b/../c']
)
def test_names_that_lead_elsewhere_are_refused(folder, name):
    change(folder, mimi_name=name)
    with pytest.raises(CheckpointError, match=r'leads out of its folder|names no file'):
        find(str(folder))


def test_what_is_neither_there_nor_named_is_moshis(folder, cache, made, want):
    for name in ('mimi.safetensors', 'tokenizer.model'):
        (folder / name).unlink()
    change(folder, drop=('mimi_name', 'tokenizer_name'))
    with pytest.raises(NotHere, match=r'no Mimi of its own .*"kame get mimi"'):
        find(str(folder))
    put_mimi(cache, made)
    checkpoint = find(str(folder))
    load_mimi(checkpoint)
    same(load_lm(checkpoint, dtype=torch.float32), want)


def test_a_repository_without_a_word_is_moshi(cache, made):
    """kyutai/moshiko-pytorch-bf16 as it was; PersonaPlex tells only of its kind."""
    put_mimi(cache, made)
    put(cache, moshi_7b.REPOSITORY, {moshi_7b.WEIGHTS: made / 'model.safetensors'})
    assert find(moshi_7b.REPOSITORY).lm_kwargs == loaders._lm_kwargs
    told = made.parent / 'told.json'
    told.write_text('{"model_type": "personaplex", "version": "7b-v1"}')
    put(cache, moshi_7b.REPOSITORY, {'config.json': told})
    assert find(moshi_7b.REPOSITORY).lm_kwargs == loaders._lm_kwargs


def test_what_kame_finetune_writes(folder, cache, made, want):
    """moshi_lm_kwargs.json and model.safetensors, and nothing else."""
    names = [key for key in json.loads((folder / 'config.json').read_text()) if '_name' in key]
    change(folder, [*names, 'model_type'], 'moshi_lm_kwargs.json', depformer_causal=True)
    for name in ('mimi.safetensors', 'tokenizer.model', 'mimi.json'):
        (folder / name).unlink()
    put_mimi(cache, made)
    same(load_lm(find(str(folder)), dtype=torch.float32), want)
    state = load_file(folder / 'model.safetensors')
    state['depformer.layers.0.self_attn.in_projs.weight'] = torch.zeros(2)
    save_file(state, folder / 'model.safetensors')
    with pytest.raises(CheckpointError, match=r'unknown weight.*run clean_moshi of kame_finetune'):
        load_lm(find(str(folder)))


# What is in the weights.


def test_shards_in_a_folder_of_their_own(folder, want):
    state = load_file(folder / 'model.safetensors')
    (folder / 'model.safetensors').unlink()
    (folder / 'lm').mkdir()
    places = {}
    for number, key in enumerate(sorted(state)):
        places[key] = f'part-{number % 3}.safetensors'
    for name in set(places.values()):
        save_file({k: state[k] for k, at in places.items() if at == name}, folder / 'lm' / name)
    (folder / 'lm/index.json').write_text(json.dumps({'weight_map': places}))
    change(folder, moshi_name='lm/index.json')
    same(load_lm(find(str(folder)), dtype=torch.float32), want)
    for spoilt in ({'a': 5}, {'a': ['b']}, {'a': 'b', 'c': None}, ['a'], {}):
        (folder / 'lm/index.json').write_text(json.dumps({'weight_map': spoilt}))
        with pytest.raises(CheckpointError, match=r'no weight_map|no name of a file'):
            find(str(folder))
    (folder / 'lm/index.json').write_text(json.dumps({'weight_map': places}))
    (folder / 'lm/part-1.safetensors').unlink()
    with pytest.raises(CheckpointError, match=r'no lm/part-1\.safetensors: the checkpoint is not'):
        find(str(folder))


def fuse(state: dict, prefix: str, steps: int) -> None:
    """Attention in one matrix, under the two names that there are."""
    for kind, name in (('in', 'in_proj_weight'), ('out', 'out_proj.weight')):
        parts = [state.pop(f'{prefix}{kind}_projs.{step}.weight') for step in range(steps)]
        state[f'{prefix}{name}'] = torch.cat(parts)


@pytest.mark.parametrize('dtype', [torch.float32, torch.float16, torch.bfloat16])
def test_split_or_fused_in_any_float(folder, want, dtype):
    state = {key: value.to(dtype) for key, value in load_file(folder / 'model.safetensors').items()}
    for layer in range(4):
        fuse(state, f'transformer.layers.{layer}.self_attn.', 1)
    for layer in range(2):
        fuse(state, f'depformer.layers.{layer}.self_attn.', 8)
    save_file(state, folder / 'model.safetensors')
    got = load_lm(find(str(folder)), dtype=torch.float32).state_dict()
    for key, value in want.state_dict().items():
        assert torch.equal(got[key], value.to(dtype).float()), key


@pytest.mark.parametrize('fused', [False, True])
def test_int8_of_bitsandbytes_is_unpacked(folder, want, fused):
    """As moshi/utils/quantize.py has it: rows of int8, and the largest number of each row."""
    state = load_file(folder / 'model.safetensors')
    linear = [k for k, v in state.items() if v.ndim == 2 and 'emb' not in k]
    if fused:
        for layer in range(2):
            fuse(state, f'depformer.layers.{layer}.self_attn.', 8)
        linear = [k for k, v in state.items() if v.ndim == 2 and 'emb' not in k]
    packed = {k: v for k, v in state.items() if k not in linear}
    for key in linear:
        largest = state[key].abs().amax(dim=1)
        packed[key] = (state[key] * 127 / largest[:, None]).round().to(torch.int8)
        packed[f'{key}_scb'] = largest
    save_file(packed, folder / 'model.safetensors')
    change(folder, quantize=True)
    got = load_lm(find(str(folder)), dtype=torch.float32).state_dict()
    for key, value in want.state_dict().items():
        step = value.abs().amax(dim=-1, keepdim=True) / 127 if value.ndim == 2 else 1.0
        assert ((got[key] - value).abs() <= 0.501 * step).all(), key


def test_a_model_that_also_says_the_users_part_says_its_own_alike(folder, made):
    """PersonaPlex: 16 codebooks are predicted; the first 8 are the same without the others."""
    config = json.loads((folder / 'config.json').read_text())
    names = {key for key in config if '_name' in key} | {'model_type'}
    kwargs = {key: value for key, value in config.items() if key not in names}
    kwargs |= {'dep_q': 16, 'depformer_context': 16}
    torch.manual_seed(3)
    from kame_ros.s2s.moshi.weights.upstream import LMModel

    whole = LMModel(device='cpu', dtype=torch.float32, **kwargs).eval()
    for fused in (False, True):
        state = {key: value.clone() for key, value in whole.state_dict().items()}
        if fused:
            for layer in range(2):
                fuse(state, f'depformer.layers.{layer}.self_attn.', 16)
        save_file(state, folder / 'model.safetensors')
        (folder / 'config.json').write_text(json.dumps(config | kwargs))
        checkpoint = find(str(folder))
        assert (checkpoint.lm_kwargs['dep_q'], checkpoint.codebooks) == (8, 8)
        ours = load_lm(checkpoint, dtype=torch.float32)
        codes = torch.randint(0, 256, (1, 17, 12))
        with torch.inference_mode():
            theirs, own = whole(codes), ours(codes)
        assert torch.equal(own.text_logits.nan_to_num(), theirs.text_logits.nan_to_num())
        want = theirs.logits[:, :8].nan_to_num()
        torch.testing.assert_close(own.logits.nan_to_num(), want, rtol=1e-5, atol=1e-5)


def state_with(**more):
    return lambda state: state.update(more)


@pytest.mark.parametrize(
    ('spoil', 'complaint'),
    [
        (
            state_with(**{'transformer.layers.0.gating.linear_in.lora_A.weight': torch.ones(2, 2)}),
            'LoRA weights only: give what they were trained on as s2s.moshi.weights',
        ),
        (
            state_with(
                **{
                    'text_linear.lora_A.weight': torch.ones(2, 2),
                    'text_linear.frozen_W.weight': torch.ones(2, 2),
                }
            ),
            'beside each other: merge them',
        ),
        (state_with(**{'text_linear.scales': torch.ones(2)}), 'quantised for MLX'),
        (
            state_with(**{'text_linear.weight': torch.ones(400, 128, dtype=torch.int8)}),
            'is of int8, without the scales',
        ),
    ],
)
def test_weights_of_another_kind_say_what_to_take(folder, spoil, complaint):
    state = load_file(folder / 'model.safetensors')
    spoil(state)
    save_file(state, folder / 'model.safetensors')
    with pytest.raises(CheckpointError, match=complaint):
        load_lm(find(str(folder)))


@pytest.mark.parametrize(
    ('instead', 'complaint'),
    [
        ('lora.safetensors', 'only LoRA weights'),
        ('zero_to_fp32.py', 'run zero_to_fp32 and then clean_moshi'),
        ('pytorch_model.bin', 'save pytorch_model.bin as safetensors'),
        ('other', 'has no model.safetensors: the checkpoint is not whole'),
    ],
)
def test_a_folder_with_something_else_says_what_to_do(folder, instead, complaint):
    (folder / 'model.safetensors').rename(folder / instead)
    with pytest.raises(CheckpointError, match=complaint):
        find(str(folder))


@pytest.mark.parametrize(('name', 'complaint'), [('m.gguf', 'GGUF'), ('m.pth', 'pickles')])
def test_formats_that_are_not_read(folder, name, complaint):
    (folder / name).write_bytes(b'')
    change(folder, moshi_name=name)
    with pytest.raises(CheckpointError, match=complaint):
        find(str(folder))


def test_a_file_instead_of_a_folder(folder):
    with pytest.raises(CheckpointError, match='is a file: give the folder'):
        find(str(folder / 'model.safetensors'))


@pytest.mark.parametrize('text', ['[1]', '{', '{"lm_gen_config": 3}', '{"moshi_name": 3}'])
def test_a_config_that_is_none(folder, text):
    (folder / 'config.json').write_text(text)
    with pytest.raises(CheckpointError):
        find(str(folder))


# How tokens are drawn.


def test_the_sampling_of_the_checkpoint_holds_unless_the_user_sets_it(folder):
    change(folder, lm_gen_config={'temp': 0.5, 'temp_text': 0.4, 'top_k': 100, 'top_k_text': 7})
    told = find(str(folder)).lm_gen_config
    assert MoshiConfig().completed(told) == Sampling(
        temperature=0.5, temperature_text=0.4, top_k=100, top_k_text=7
    )
    assert MoshiConfig(temperature=0.0, top_k_text=9).completed(told) == Sampling(
        temperature=0.0, temperature_text=0.4, top_k=100, top_k_text=9
    )
    assert MoshiConfig().completed({}) == Sampling(
        temperature=0.8, temperature_text=0.7, top_k=250, top_k_text=25
    )


def test_the_front_end_is_built_with_it(folder):
    from kame_ros.s2s.moshi.build import build_slots

    change(folder, lm_gen_config={'temp': 0.5, 'top_k_text': 7})
    slots = build_slots(MoshiConfig(weights=str(folder), device='cpu', temperature_text=0.25))
    gen = slots._gen
    assert (gen.temp, gen.temp_text, gen.top_k, gen.top_k_text) == (0.5, 0.25, 250, 7)
    slots.stop()


@pytest.mark.parametrize('bad', ['warm', -1, float('nan'), True, None])
def test_a_sampling_that_cannot_be(bad):
    with pytest.raises(ValueError, match='lm_gen_config of the checkpoint has temp='):
        MoshiConfig().completed({'temp': bad})
