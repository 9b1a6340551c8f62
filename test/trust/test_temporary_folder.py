"""Folders of processes that were killed are removed, and no others."""

import json
import os
import subprocess
import sys

from kame_ros.trust import temporary_folder


def planted(root, name, note):
    folder = root / name
    folder.mkdir()
    (folder / 'deep').mkdir()
    (folder / 'deep' / 'log').write_text('x')
    if note is not None:
        (folder / '.made-by.json').write_text(note)
    return folder


def test_what_a_dead_process_left_is_removed_at_the_next_start(tmp_path, monkeypatch):
    code = (
        'import os; from kame_ros.trust import temporary_folder; temporary_folder.make(); '
        'os.kill(os.getpid(), 9)'
    )
    subprocess.run([sys.executable, '-c', code], env={**os.environ, 'TMPDIR': str(tmp_path)})
    (left,) = tmp_path.iterdir()
    monkeypatch.setattr(temporary_folder.tempfile, 'tempdir', str(tmp_path))
    made = temporary_folder.make('log-')
    assert list(tmp_path.iterdir()) == [made]
    assert made != left


def test_all_that_may_be_in_use_or_is_somebody_elses_is_left_alone(tmp_path):
    me = {'pid': os.getpid(), 'began': temporary_folder.began(os.getpid())}
    outside = tmp_path / 'outside'
    outside.mkdir()
    (outside / 'precious').write_text('x')
    root = tmp_path / 'tmp'
    root.mkdir()
    planted(root, 'kame-mine', json.dumps(me))
    planted(root, 'kame-no-note', None)
    planted(root, 'kame-null', 'null')
    planted(root, 'kame-junk', '{"pid": "x", "began": "1"}')
    planted(root, 'kame-cannot-tell', json.dumps({'pid': 2**22 + 5, 'began': ''}))
    planted(root, 'other', json.dumps({'pid': 2**22 + 5, 'began': '1'}))
    (root / 'kame-link').symlink_to(outside)
    before = sorted(root.iterdir())
    dead = planted(root, 'kame-dead', json.dumps({'pid': 2**22 + 5, 'began': '1'}))
    again = planted(root, 'kame-number-given-again', json.dumps({**me, 'began': '1'}))
    (dead / 'link').symlink_to(outside)
    assert temporary_folder.sweep(root) == [dead, again]
    assert sorted(root.iterdir()) == before
    assert (outside / 'precious').exists()
