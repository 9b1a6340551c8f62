"""Whether a result could be written, told before the work."""

from __future__ import annotations

import os

import pytest

from kame_ros.commands.writable import check_writable


def test_a_file_in_a_folder_that_is_there(tmp_path):
    check_writable(tmp_path / 'new.json')
    (tmp_path / 'old.json').write_text('old')
    check_writable(tmp_path / 'old.json')
    assert (tmp_path / 'old.json').read_text() == 'old'
    with pytest.raises(OSError, match='is a folder, not a file'):
        check_writable(tmp_path)


def test_a_folder_that_is_not_there_is_made_or_missed(tmp_path):
    path = tmp_path / 'deep' / 'er' / 'new.json'
    with pytest.raises(OSError, match=r'there is no folder .*er'):
        check_writable(path)
    check_writable(path, makes_folder=True)
    assert not (tmp_path / 'deep').exists()
    (tmp_path / 'deep').write_text('no folder')
    with pytest.raises(OSError, match=r'there is no folder .*deep'):
        check_writable(path, makes_folder=True)


@pytest.mark.skipif(os.geteuid() == 0, reason='root may write everywhere')
def test_a_folder_that_nobody_may_write_into(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OSError, match='permission denied'):
        check_writable(tmp_path / 'new.json')
