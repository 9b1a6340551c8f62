import os
import stat
import tempfile

import pytest

from kame_ros.graph.processes import Domain
from kame_ros.trust import private_folder
from kame_ros.trust.private_folder import (
    NoPrivateFolder,
    open_private,
    read_private,
    write_private,
)


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """The shared temporary folder, and two that are the user's own."""
    for name in ('shared', 'runtime', 'cache'):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(tempfile, 'gettempdir', lambda: str(tmp_path / 'shared'))
    monkeypatch.setenv('XDG_RUNTIME_DIR', str(tmp_path / 'runtime'))
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    return tmp_path


@pytest.fixture
def guessed(places):
    """The path that somebody else could take first."""
    return places / 'shared' / f'kame_ros-{os.getuid()}'


def test_it_is_made_for_this_user_alone(guessed):
    old = os.umask(0)
    try:
        assert private_folder.private_folder() == guessed
    finally:
        os.umask(old)
    assert stat.S_IMODE(guessed.stat().st_mode) == 0o700


def test_one_that_others_can_read_is_closed(guessed):
    guessed.mkdir(mode=0o755)
    assert private_folder.private_folder() == guessed
    assert stat.S_IMODE(guessed.stat().st_mode) == 0o700


def _others_can_write(path):
    path.mkdir()
    path.chmod(0o777)


def _a_link(path):
    elsewhere = path.with_name('elsewhere')
    elsewhere.mkdir()
    path.symlink_to(elsewhere)


def _a_file(path):
    path.write_text('')


@pytest.mark.parametrize('plant', [_others_can_write, _a_link, _a_file])
def test_what_is_not_trusted_is_passed_over(guessed, places, plant):
    plant(guessed)
    assert private_folder.private_folder() == places / 'runtime' / 'kame_ros'
    (places / 'runtime' / 'kame_ros').rmdir()
    plant(places / 'runtime' / 'kame_ros')
    assert private_folder.private_folder() == places / 'cache' / 'kame_ros' / 'run'


def test_another_users_folder_is_passed_over(guessed, places, monkeypatch):
    guessed.mkdir(mode=0o700)
    real = os.getuid()
    monkeypatch.setattr(os, 'getuid', lambda: real + 1)
    (places / 'shared' / f'kame_ros-{real + 1}').mkdir(mode=0o700)  # ours, for that user
    with pytest.raises(NoPrivateFolder, match='belongs to another user'):
        private_folder.private_folder()


def test_a_planted_link_cuts_off_no_file(guessed, places):
    victim = places / 'victim.txt'
    victim.write_text('of great value')
    guessed.mkdir(mode=0o700)
    for number in range(1, 102):
        (guessed / f'domain-{number}').symlink_to(victim)
    with pytest.raises(RuntimeError, match='in use'):
        Domain()
    assert victim.read_text() == 'of great value'
    (guessed / 'domain-7').unlink()
    domain = Domain()
    assert domain.number == 7
    domain.close()


def test_a_file_is_opened_without_cutting_it_off(places):
    path = places / 'file'
    path.write_text('old')
    with open_private(path) as file:
        assert file.read() == b'old'


def test_notes_follow_no_link_and_are_replaced_as_a_whole(places):
    victim, path = places / 'victim', places / 'note'
    victim.write_text('{}')
    path.symlink_to(victim)
    with pytest.raises(OSError, match='symbolic link'):
        read_private(path)
    write_private(path, 'new')
    assert (victim.read_text(), read_private(path)) == ('{}', 'new')
    assert {p.name for p in places.iterdir() if p.is_file()} == {'victim', 'note'}
