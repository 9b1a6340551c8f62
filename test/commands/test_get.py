"""`kame get` and what `kame up` offers, against a hub on this machine."""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

pytest.importorskip('huggingface_hub', reason='needs huggingface-hub')
from fake_hub import COMMIT, FakeRepository, serving
from huggingface_hub import constants

from kame_ros import cli
from kame_ros.commands import get as command
from kame_ros.fetch import checkpoint_files, needs
from kame_ros.fetch.errors import FetchError
from kame_ros.fetch.hub import Hub
from kame_ros.fetch.report import Notes
from kame_ros.graph.description import load_graph
from kame_ros.s2s.moshi.weights import checkpoint, moshi_7b
from kame_ros.s2s.moshi.weights.errors import NotHere

WEIGHTS = bytes(range(256)) * 4000
CONFIG = (
    b'{"dep_q": 8, "n_q": 16, "moshi_name": "model.safetensors",'
    b' "mimi_name": "hf://kyutai/moshiko-pytorch-bf16/' + moshi_7b.MIMI.encode() + b'"}'
)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    for name in ('HF_TOKEN', 'KAME_CACHE'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, 'HF_HUB_CACHE', str(tmp_path / 'hub'))
    monkeypatch.setattr(constants, 'HF_TOKEN_PATH', str(tmp_path / 'no-token'))
    with serving() as server:
        monkeypatch.setattr(constants, 'ENDPOINT', server.url)
        server.repositories['SakanaAI/kame'] = FakeRepository(
            {
                'README.md': b'What it is.',
                'config.json': CONFIG,
                'model.safetensors': WEIGHTS,
                'pictures/much.png': b'x' * 5000,
            },
            licence='apache-2.0',
        )
        server.repositories[moshi_7b.REPOSITORY] = FakeRepository(
            {
                moshi_7b.MIMI: b'mimi' * 1000,
                moshi_7b.TOKENIZER: b'pieces' * 1000,
                'model.safetensors': b'moshi' * 1000,
            }
        )
        yield server


def kame(capsys, *words):
    status = cli.main(list(words))
    return status, ' '.join(capsys.readouterr().err.split())


def cached(tmp_path):
    return {
        str(path).rpartition(f'{COMMIT}/')[2]
        for path in (tmp_path / 'hub').rglob('snapshots/*/*')
        if path.is_symlink()
    }


def test_kame_brings_what_it_names_and_no_more(hub, capsys, tmp_path):
    status, told = kame(capsys, 'get', 'kame')
    assert status == 0
    assert cached(tmp_path) == {
        'README.md', 'config.json', 'model.safetensors', moshi_7b.MIMI, moshi_7b.TOKENIZER,
    }  # fmt: skip
    assert 'SakanaAI/kame 1.02 MB in 3 files' in told
    assert 'licence: apache-2.0' in told
    assert 'licence: cc-by-4.0' in told
    assert re.search(r'1\.03 MB to come, [\d.]+ [GT]B free', told)
    assert told.endswith('used without asking the hub')
    found = checkpoint.find('SakanaAI/kame')
    assert found.lm_files[0].read_bytes() == WEIGHTS
    assert found.mimi_file.read_bytes() == b'mimi' * 1000


def test_what_is_here_is_not_got_again(hub, capsys):
    kame(capsys, 'get', 'kame')
    served = hub.served
    status, told = kame(capsys, 'get', 'kame')
    assert (status, hub.served) == (0, served)
    assert '0 B to come' in told


def test_without_a_hub_what_is_here_is_enough(hub, capsys, monkeypatch):
    kame(capsys, 'get', 'kame')
    asked = len(hub.asked)
    monkeypatch.setattr(constants, 'HF_HUB_OFFLINE', True)
    status, told = kame(capsys, 'get', 'kame')
    assert status == 0
    assert 'is here, and whole; not looked for a newer one' in told
    assert checkpoint.find('SakanaAI/kame').lm_files
    assert not needs.needs(load_graph('kame'))
    assert len(hub.asked) == asked


def test_a_newer_commit_counts_once_it_is_whole(hub, capsys):
    kame(capsys, 'get', 'kame')
    old = checkpoint.find('SakanaAI/kame').lm_files
    repository = hub.repositories['SakanaAI/kame']
    repository.commit = 'd00d' + '0' * 36
    repository.files['model.safetensors'] = WEIGHTS + b'newer'
    repository.gone.add('model.safetensors')
    status, told = kame(capsys, 'get', 'kame')
    assert status == 1
    assert 'has no file model.safetensors: it is gone' in told
    assert checkpoint.find('SakanaAI/kame').lm_files == old
    repository.gone.clear()
    assert kame(capsys, 'get', 'kame')[0] == 0
    assert checkpoint.find('SakanaAI/kame').lm_files[0].read_bytes() == WEIGHTS + b'newer'


def test_the_codec_alone(hub, capsys, tmp_path):
    assert kame(capsys, 'get', 'mimi')[0] == 0
    assert cached(tmp_path) == {moshi_7b.MIMI, moshi_7b.TOKENIZER}


def test_a_repository_of_another_kind_is_got_whole_or_in_part(hub, capsys, tmp_path):
    hub.repositories['a/whisper'] = FakeRepository(
        {'model.bin': b'x' * 9000, 'config.json': b'{"alignment_heads": []}', 'deep/a.txt': b'y'}
    )
    assert kame(capsys, 'get', 'a/whisper', 'deep/a.txt')[0] == 0
    assert [path.name for path in (tmp_path / 'hub').rglob('snapshots/*/**/*.txt')] == ['a.txt']
    assert not list((tmp_path / 'hub').rglob('snapshots/*/model.bin'))
    assert kame(capsys, 'get', 'a/whisper')[0] == 0
    assert list((tmp_path / 'hub').rglob('snapshots/*/model.bin'))
    status, told = kame(capsys, 'get', 'a/whisper', 'nothing.bin')
    assert status == 1
    assert 'has no file nothing.bin' in told


def test_a_folder_gets_what_it_names_and_lacks(hub, capsys, tmp_path):
    folder = tmp_path / 'finetuned'
    folder.mkdir()
    (folder / 'moshi_lm_kwargs.json').write_text('{"dep_q": 8, "n_q": 16}')
    (folder / 'model.safetensors').write_bytes(b'')
    assert kame(capsys, 'get', str(folder))[0] == 0
    assert cached(tmp_path) == {moshi_7b.MIMI, moshi_7b.TOKENIZER}
    assert checkpoint.find(str(folder)).mimi_file.read_bytes() == b'mimi' * 1000


def test_a_folder_may_have_any_name(hub, capsys, tmp_path):
    folder = tmp_path / '[' / 'b] of mine'  # markup, to rich
    folder.mkdir(parents=True)
    (folder / 'config.json').write_bytes(CONFIG)
    (folder / 'model.safetensors').write_bytes(WEIGHTS)
    with pytest.raises(NotHere) as lacks:
        checkpoint.find(str(folder))
    assert f"kame get '{folder}'" in str(lacks.value)
    status, told = kame(capsys, 'get', str(folder))
    assert (status, f'{folder} is here, and whole' in told) == (0, True)


@pytest.mark.parametrize('name', ['silero-vad', 'ollama:x'])
def test_what_is_no_repository_has_no_files_to_choose(hub, capsys, name):
    for more in (['a.txt'], ['--revision', 'main']):
        status, told = kame(capsys, 'get', name, *more)
        assert status == 1
        assert 'is no repository of the hub' in told


def test_what_goes_on_after_ctrl_c_is_the_whole_command(hub, capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, 'get_named', interrupted)
    status, told = kame(capsys, 'get', 'a/b', 'my file', '--revision', 'v1')
    assert status == 130
    assert """"kame get a/b 'my file' --revision v1" goes on""" in told


def test_terms_are_told_before_anything_comes(hub, capsys):
    hub.repositories['SakanaAI/kame'].gated = True
    status, told = kame(capsys, 'get', 'kame')
    assert status == 1
    assert 'asks you to accept its terms: do so at' in told
    assert 'export HF_TOKEN' in told


def test_the_token_is_never_shown(hub, capsys, monkeypatch):
    hub.repositories['SakanaAI/kame'].gated = True
    monkeypatch.setenv('HF_TOKEN', 'hf_fake')
    status, told = kame(capsys, 'get', 'kame')
    assert status == 0
    assert 'accept its terms first' in told
    assert 'hf_fake' not in told


@pytest.mark.parametrize(
    ('name', 'complaint'),
    [
        ('nonsense', "'nonsense' is no name of weights: give one of kame, moshi, mimi, whisper"),
        ('a/b/c', 'is no name of weights'),
        ('../x', 'is no name of weights'),
        ('nobody/nothing', 'there is no repository nobody/nothing'),
        ('', 'is no name of weights'),
        ('ö/ü', 'is no name of weights'),
        ('a--b/c', 'is no name of weights'),
        ('a/b.', 'is no name of weights'),
        ('a' * 20_000 + '/b', 'is no name of weights'),
        ('https://huggingface.co/SakanaAI/kame/tree/main', 'kame get SakanaAI/kame'),
        ('ollama:', 'names a model of ollama'),
        ('\x1b[31m', 'is no name of weights'),
    ],
)
def test_names_that_are_none(hub, capsys, name, complaint):
    status, told = kame(capsys, 'get', name)
    assert status == 1
    assert complaint in told
    assert '\x1b[31m' not in told


def test_kame_without_its_weights_is_not_called_whole(hub, capsys):
    for files in ({}, {'README.md': b'Moved.'}):
        hub.repositories['SakanaAI/kame'].files = files
        status, told = kame(capsys, 'get', 'kame')
        assert status == 1
        assert 'is here' not in told
        assert told.startswith('error: ')


def test_no_room_is_said_before_anything_comes(hub, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr('kame_ros.fetch.sizes.free_bytes', lambda folder: 1_000_000)
    status, told = kame(capsys, 'get', 'kame')
    assert status == 1
    assert 'MB are to come, and the disk of' in told
    assert 'set HF_HOME to a folder of another disk' in told
    assert not list((tmp_path / 'hub').rglob('snapshots/*/model.safetensors'))


# Ends of a process.


def process(hub, tmp_path, *words):
    return subprocess.Popen(
        [sys.executable, '-m', 'kame_ros.cli', 'get', *words],
        env={**os.environ, 'HF_ENDPOINT': hub.url, 'HF_HUB_CACHE': str(tmp_path / 'hub')},
        stderr=subprocess.PIPE,
        text=True,
    )


def coming(tmp_path):
    """How much there is of each file that is being got."""
    for path in (tmp_path / 'hub').rglob('*.incomplete'):
        with suppress(FileNotFoundError):  # it was whole meanwhile
            yield path.stat().st_size


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGKILL])
def test_whatever_ends_it_the_next_one_goes_on(hub, tmp_path, capsys, number):
    hub.speed = 200_000
    running = process(hub, tmp_path, 'kame')
    end = time.monotonic() + 30
    while not any(size > 10_000 for size in coming(tmp_path)):  # of the weights, no small file
        assert time.monotonic() < end
        time.sleep(0.05)
    running.send_signal(number)
    told = running.communicate(timeout=30)[1]
    if number == signal.SIGINT:
        assert running.returncode == 130
        assert 'what has come stays, and "kame get kame" goes on' in ' '.join(told.split())
    assert 'Traceback' not in told
    (partial,) = (tmp_path / 'hub').rglob('*.incomplete')
    have = partial.stat().st_size
    hub.speed = 0.0
    assert kame(capsys, 'get', 'kame')[0] == 0
    assert hub.of('GET', '/cdn/SakanaAI/kame/model')[-1].range == f'bytes={have}-'
    assert not list((tmp_path / 'hub').rglob('*.incomplete'))


# What is offered.


def kame_graph(**more):
    return load_graph('kame', overrides={'oracle': {'backend': 'ollama:x'}, **more})


def test_up_says_which_command_gets_them_where_nobody_can_be_asked(hub, capsys):
    pytest.importorskip('torch', reason='needs torch (the extra "moshi")')
    status, told = kame(capsys, 'up', '--config', 'kame', '--for', '1')
    assert status == 1
    assert 's2s: the weights SakanaAI/kame are not (all) on this machine' in told
    assert '"kame get SakanaAI/kame"' in told
    assert not hub.asked


class Terminal:
    """Somebody who types."""

    def __init__(self, text):
        self._lines = text.splitlines(keepends=True)

    def isatty(self):
        return True

    def readline(self, *_):
        return self._lines.pop(0) if self._lines else ''


@pytest.mark.parametrize(
    ('typed', 'gets'), [('y\n', True), ('\n', True), ('n\n', False), ('', False)]
)
def test_on_a_terminal_it_is_offered(hub, monkeypatch, typed, gets):
    pytest.importorskip('torch', reason='needs torch (the extra "moshi")')
    from io import StringIO

    from rich.console import Console

    shown = StringIO()
    screen = Console(file=shown, force_terminal=True, width=200)
    monkeypatch.setattr(command, 'console', screen)
    monkeypatch.setattr(sys, 'stdin', Terminal(typed))
    lines = Terminal(typed)
    monkeypatch.setattr('builtins.input', lambda *_: lines.readline().rstrip('\n') or _eof(typed))
    if gets:
        command.get_missing(kame_graph(), unasked=False)
        assert checkpoint.find('SakanaAI/kame')
    else:
        with pytest.raises(FetchError, match='nothing was got; "kame get SakanaAI/kame"'):
            command.get_missing(kame_graph(), unasked=False)
        assert not hub.of('GET', '/cdn/SakanaAI')
    assert 'which is not on this machine' in shown.getvalue()


def _eof(typed):
    if not typed:
        raise EOFError
    return ''


def test_it_can_be_told_not_to_ask(hub):
    pytest.importorskip('torch', reason='needs torch (the extra "moshi")')
    command.get_missing(kame_graph(), unasked=True)
    assert checkpoint.find('SakanaAI/kame')
    assert not needs.needs(kame_graph())


def test_without_torch_nothing_is_offered(hub, monkeypatch):
    monkeypatch.setattr(needs.importlib.util, 'find_spec', lambda name: None)
    with pytest.raises(FetchError, match='needs torch and moshi, which are not installed'):
        needs.needs(kame_graph())


@pytest.mark.parametrize(
    ('config', 'more', 'names'),
    [
        ('tandem', {}, []),
        ('tandem', {'oracle': {'backend': 'embedded:qwen2.5-1.5b'}}, ['qwen2.5-1.5b']),
        ('tandem', {'oracle': {'fallback': 'ollama:x, embedded:qwen2.5-1.5b'}}, ['qwen2.5-1.5b']),
        ('tandem', {'oracle': {'backend': 'embedded:/some/file.gguf'}}, []),
        ('kame-small', {}, []),
        ('kame-random', {}, []),
        ('kame', {'s2s': {'moshi.weights': '/no/such/folder'}}, []),
    ],
)
def test_what_each_graph_needs(hub, monkeypatch, tmp_path, config, more, names):
    monkeypatch.setenv('KAME_CACHE', str(tmp_path / 'none'))
    assert [need.name for need in needs.needs(load_graph(config, overrides=more))] == names


def test_leftovers_of_other_programs_are_named(hub, tmp_path):
    blobs = tmp_path / 'hub/models--SakanaAI--kame/blobs'
    blobs.mkdir(parents=True)
    left = blobs / f'{"a" * 64}.1234abcd.incomplete'
    left.write_bytes(b'x' * 2000)
    os.utime(left, (1e9, 1e9))
    watch = Notes()
    server = Hub(hub.url)
    checkpoint_files.get(server, checkpoint_files.plan(server, 'kame'), watch)
    assert any('1 unfinished files of other programs (2.00 kB)' in note for note in watch.notes)
    assert Path(left).exists()
