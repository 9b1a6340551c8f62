"""What needs no ROS works where there is none, and importing the package loads nothing."""

import ast
import json
import subprocess
import sys

import pytest

# Stands before all finders: whatever belongs to ROS is not there.
WITHOUT_ROS = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        root = name.split('.')[0]
        if root in ('rclpy', 'launch', 'launch_ros') or root.endswith(('_msgs', '_srvs')):
            raise ModuleNotFoundError(f'No module named {root!r}', name=root)
        if name in ('kame_ros.msg', 'kame_ros.action'):
            raise ModuleNotFoundError(f'No module named {name!r}', name=name)

sys.meta_path.insert(0, Blocked())
from kame_ros.cli import main
sys.exit(main(sys.argv[1:]))
"""


def kame(*arguments):
    return subprocess.run(
        [sys.executable, '-c', WITHOUT_ROS, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    'arguments',
    [
        (),
        *[(name,) for name in ('ask', 'up', 'conduct', 'say', 'doctor', 'devices', 'train')],
        *[('train', name) for name in ('oracles', 'prepare', 'run', 'small', 'measure', 'look')],
    ],
    ids=' '.join,
)
def test_help(arguments):
    done = kame(*arguments, '--help')
    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout.startswith('usage: kame')


def test_devices_are_listed():
    done = kame('devices', '--json')
    assert 'package of' not in done.stderr  # none, or no PyAudio, are answers
    assert 'Traceback' not in done.stderr


def test_oracles_for_training_are_written(tmp_path):
    words = [['A', 'Hello there.', 0.0, 1.0], ['B', 'How are you today?', 1.5, 3.0]]
    rows = [dict(zip(('speaker', 'word', 'start', 'end'), row, strict=True)) for row in words]
    (tmp_path / 'one.json').write_text(json.dumps(rows))
    done = kame('train', 'oracles', str(tmp_path / 'one.json'), '-o', str(tmp_path), '--random')
    assert done.returncode == 0, done.stderr


def test_what_needs_ros_says_so():
    done = kame('say', 'Hello.')
    assert done.returncode == 1
    assert 'is not installed; kame doctor tells how to get it' in done.stderr
    assert 'Traceback' not in done.stderr


def test_importing_the_package_loads_nothing_of_others():
    code = (
        'import sys; before = set(sys.modules); import kame_ros;'
        'print(sorted(m.split(".")[0] for m in set(sys.modules) - before))'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    loaded = set(ast.literal_eval(done.stdout)) - {'kame_ros'}
    assert loaded <= set(sys.stdlib_module_names)
