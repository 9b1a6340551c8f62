"""The launch file, where ros2 launch is installed."""

import importlib.util
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip('launch_ros', reason='ros2 launch is not installed')
pytestmark = [pytest.mark.graph, pytest.mark.models]

FILE = Path(__file__).parents[2] / 'launch' / 'kame.launch.py'
LAUNCH = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource

ours = IncludeLaunchDescription(
    PythonLaunchDescriptionSource(sys.argv[1]),
    launch_arguments=[tuple(arg.split(':=', 1)) for arg in sys.argv[2:]],
)
service = LaunchService()
service.include_launch_description(LaunchDescription([ours]))
sys.exit(service.run())
"""


class Launched:
    def __init__(self, folder, *args):
        self._path = folder / 'launch.txt'
        with self._path.open('w') as output:
            self.process = subprocess.Popen(
                [sys.executable, '-c', LAUNCH, FILE, *args],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def printed(self):
        return self._path.read_text()

    def until(self, condition, patience=60.0):
        end = time.monotonic() + patience
        while not condition() and time.monotonic() < end:
            time.sleep(0.1)
        return condition()


@pytest.fixture
def launch(tmp_path):
    launched = []

    def launch(*args):
        launched.append(Launched(tmp_path, *args))
        return launched[-1]

    yield launch
    for one in launched:
        if one.process.poll() is None:
            one.process.send_signal(signal.SIGINT)
        one.process.wait(60)


@pytest.mark.parametrize(
    ('args', 'says'),
    [
        (['oracle_backend:=telepathy:x'], "no back-end is called 'telepathy'"),
        (['set:=s2s.tts.sped=1'], 'did you mean tts.speed'),
        (['autostart:=maybe'], "autostart is true or false, not 'maybe'"),
        (['namespace:=my-robot'], 'is no namespace'),
        (['discovery:=OFF'], 'do not find each other'),
    ],
)
def test_what_cannot_be_right_ends_the_launch_in_words(launch, args, says):
    launched = launch('source:=silence', 'sink:=null', *args)
    launched.process.wait(90)
    assert says in launched.printed()


def test_what_includes_it_keeps_its_own_environment():
    from launch.actions import DeclareLaunchArgument, OpaqueFunction

    spec = importlib.util.spec_from_file_location('kame_launch', FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    kinds = {type(entity) for entity in module.generate_launch_description().entities}
    assert kinds == {DeclareLaunchArgument, OpaqueFunction}  # the nodes have an environment each


def test_a_killed_node_is_brought_up_again(launch, light):
    launched = launch(f'config:={light}', 'autostart:=True', 'use_sim_time:=False', 'namespace:=r7')
    assert launched.until(lambda: 'nodes are up in /r7' in launched.printed())
    pid = int(re.search(r'\[s2s-\d+\]: process started with pid \[(\d+)\]', launched.printed())[1])
    os.kill(pid, signal.SIGKILL)
    assert launched.until(lambda: launched.printed().count('[r7.s2s]: active') == 2)
