"""No parameter makes a node read any file."""

import os
import subprocess
import sys

import pytest

from kame_ros.oracle.settings import read_settings
from kame_ros.trust.files import NotTrusted, TrustedFiles


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / 'work'
    folder.mkdir()
    (folder / 'prompt.txt').write_text('You are Kim.')
    (tmp_path / 'secret.txt').write_text('the key')
    return TrustedFiles(folders=(folder,)), folder


def test_a_file_below_a_trusted_folder_is_read(files):
    trusted, folder = files
    (folder / 'deep').mkdir()
    (folder / 'deep' / 'a.txt').write_text('deep')
    assert trusted.read(str(folder / 'prompt.txt')) == 'You are Kim.'
    assert trusted.read(f'{folder}/deep/../deep/a.txt') == 'deep'


@pytest.mark.parametrize(
    'path',
    ['{0}/../secret.txt', '/etc/passwd', '{0}/link', '{0}/.ssh/id', '/proc/self/environ',
     '~/.bashrc', '{0}', '/dev/zero', '\x00', '{0}/pipe', '{0}/large', '{0}/bytes'],
)  # fmt: skip
def test_anything_else_is_refused_in_a_sentence(path, files, tmp_path):
    trusted, folder = files
    (folder / 'link').symlink_to(tmp_path / 'secret.txt')
    (folder / '.ssh').mkdir()
    (folder / '.ssh' / 'id').write_text('the key')
    os.mkfifo(folder / 'pipe')
    (folder / 'large').write_bytes(b'a' * 1_000_001)
    (folder / 'bytes').write_bytes(b'\xff\xfe the key')
    with pytest.raises(NotTrusted) as caught:
        trusted.read(path.format(folder))
    assert '\n' not in str(caught.value)
    assert 'the key' not in str(caught.value)


def test_what_was_given_at_start_is_read_wherever_it_lies(files, tmp_path):
    secret = str(tmp_path / 'secret.txt')
    trusted = TrustedFiles.at_start(('', secret))
    assert trusted.read(secret) == 'the key'
    with pytest.raises(NotTrusted, match='KAME_FILES'):
        trusted.read(str(tmp_path / 'other.txt'))


def test_the_home_of_nobody_is_no_end_of_a_process():
    code = 'import kame_ros.trust.files as t; t.TrustedFiles.at_start(["~nobody-here/a"])'
    env = {**os.environ, 'KAME_FILES': '~nobody-here/x:/tmp'}
    subprocess.run([sys.executable, '-c', code], env=env, check=True)


@pytest.mark.parametrize('tag', ['bool', 'int', 'float', 'timestamp'])
def test_a_tag_that_does_not_fit_is_one_sentence(tag, tmp_path):
    path = tmp_path / 'mine.yaml'
    path.write_text(f'names: [!!{tag} ""]')
    with pytest.raises(ValueError, match=r'mine\.yaml'):
        read_settings(str(path))


def test_settings_are_read_through_the_same_gate(files, tmp_path):
    trusted, folder = files
    (tmp_path / 'out.yaml').write_text('names: [kim]')
    (folder / 'in.yaml').write_text('names: [kim, "\\ud800"]')
    assert read_settings(str(folder / 'in.yaml'), trusted).stop_words.names == ('kim', '\ufffd')
    with pytest.raises(NotTrusted):
        read_settings(str(tmp_path / 'out.yaml'), trusted)
