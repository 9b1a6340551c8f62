import os
import subprocess
import sys
import time

import pytest

from kame_ros.runtime.work_folder import sweep, work_folder

MAKES_ONE_AND_WAITS = """
import sys, time
from pathlib import Path
from kame_ros.runtime.work_folder import work_folder
with work_folder(Path(sys.argv[1]), 'joining-') as work:
    (work / 'half').touch()
    print('made', flush=True)
    sys.stdin.read()
"""


def left(folder):
    return sorted(path.name for path in folder.glob('joining-*'))


def test_it_is_removed_at_the_end_also_after_an_error(tmp_path):
    with work_folder(tmp_path, 'joining-') as work:
        (work / 'x').touch()
        assert list(work.iterdir()) == [work / 'x']
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match='no'), work_folder(tmp_path, 'joining-'):
        raise ValueError('no')
    assert not list(tmp_path.iterdir())


def test_what_was_made_in_it_can_be_moved_away(tmp_path):
    with work_folder(tmp_path, 'joining-') as work:
        (work / 'x').touch()
        work.rename(tmp_path / 'whole')
    assert [path.name for path in (tmp_path / 'whole').iterdir()] == ['x']
    assert not left(tmp_path)


def test_that_of_a_killed_process_is_swept_and_of_a_living_one_is_not(tmp_path):
    command = [sys.executable, '-c', MAKES_ONE_AND_WAITS, str(tmp_path)]
    pipes = {'stdin': subprocess.PIPE, 'stdout': subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as process:
        assert process.stdout.readline() == b'made\n'
        (name,) = left(tmp_path)
        sweep(tmp_path, 'joining-')
        assert left(tmp_path) == [name]
        process.kill()
        process.wait()
    assert left(tmp_path) == [name]
    with work_folder(tmp_path, 'joining-'):
        assert len(left(tmp_path)) == 1
        assert left(tmp_path) != [name]
    assert not left(tmp_path)


def test_one_without_a_lock_is_swept_when_it_is_old(tmp_path):
    for name, age_s in (('joining-old', 100_000), ('joining-new', 0), ('another', 100_000)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (time.time() - age_s,) * 2)
    sweep(tmp_path, 'joining-')
    assert sorted(path.name for path in tmp_path.iterdir()) == ['another', 'joining-new']


def test_a_link_is_left_alone(tmp_path):
    (tmp_path / 'somewhere').mkdir()
    (tmp_path / 'joining-x').symlink_to(tmp_path / 'somewhere')
    sweep(tmp_path, 'joining-')
    assert (tmp_path / 'joining-x').is_symlink()
