"""The same CMakeLists in a colcon workspace, with a C++ package that uses the messages."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = ('CMakeLists.txt', 'package.xml')
FOLDERS = ('kame_ros', 'msg', 'action', 'config', 'launch')

pytestmark = [pytest.mark.graph, pytest.mark.long]  # C++ is compiled


@pytest.fixture(scope='module')
def workspace(tmp_path_factory):
    pytest.importorskip('colcon_core', reason='pip install colcon-common-extensions')
    root = tmp_path_factory.mktemp('ws')
    package = root / 'src' / 'kame_ros'
    package.mkdir(parents=True)
    for name in FILES:
        shutil.copy(ROOT / name, package / name)
    for name in FOLDERS:
        ignore = shutil.ignore_patterns('__pycache__')
        shutil.copytree(ROOT / name, package / name, ignore=ignore)
    shutil.copytree(Path(__file__).parent / 'cpp_consumer', root / 'src' / 'cpp_consumer')
    prefix = str(Path(sys.prefix))
    env = {**os.environ, 'AMENT_PREFIX_PATH': prefix, 'CMAKE_PREFIX_PATH': prefix}
    env['PATH'] = f'{prefix}/bin:{env["PATH"]}'
    build = [sys.executable, '-m', 'colcon', 'build', '--cmake-args', '-DBUILD_TESTING=OFF']
    done = subprocess.run(build, cwd=root, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    yield root / 'install', env
    shutil.rmtree(root)


def test_cpp_code_uses_the_messages(workspace):
    install, env = workspace
    library = f'{install}/kame_ros/lib:{env.get("LD_LIBRARY_PATH", "")}'
    done = subprocess.run(
        [install / 'cpp_consumer' / 'lib' / 'cpp_consumer' / 'consumer'],
        env={**env, 'LD_LIBRARY_PATH': library},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == '1920 1 My battery is low.\n'


def test_python_finds_messages_nodes_and_configurations(workspace):
    install, env = workspace
    version = f'python{sys.version_info[0]}.{sys.version_info[1]}'
    site = install / 'kame_ros' / 'lib' / version / 'site-packages'
    code = (
        'import kame_ros.nodes.audio_capture_node as node, kame_ros.graph.description as graph;'
        'from kame_ros.msg import AudioFrame; print(node.__file__, graph.config_folder())'
    )
    done = subprocess.run(
        [sys.executable, '-c', code],
        env={**env, 'PYTHONPATH': str(site)},
        cwd=install,
        capture_output=True,
        text=True,
        check=True,
    )
    node, configurations = done.stdout.split()
    assert node == str(site / 'kame_ros' / 'nodes' / 'audio_capture_node.py')
    assert configurations == str(install / 'kame_ros' / 'share' / 'kame_ros' / 'config')


def test_every_node_is_a_program_for_ros2_run(workspace):
    install, _ = workspace
    programs = {path.name for path in (install / 'kame_ros' / 'lib' / 'kame_ros').iterdir()}
    nodes = {path.name.removesuffix('_node.py') for path in ROOT.glob('kame_ros/nodes/*_node.py')}
    assert programs == nodes | {'kame'}
