"""A running graph: spoken to by other nodes, killed in part, shut down."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import wave
from pathlib import Path

import outside
import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from std_msgs.msg import Bool
from std_srvs.srv import SetBool, Trigger

from kame_ros import msg
from kame_ros.consumers.door import CONSUMERS
from kame_ros.nodes.common import convert, qos
from kame_ros.wire.transcript import Transcript

pytestmark = [pytest.mark.graph, pytest.mark.models]


@pytest.fixture(autouse=True)
def nothing_goes_on(kame):
    yield
    kame.end()


def up(kame, name, *args, **env):
    process = kame.start(name, 'up', *args, **env)
    assert kame.until_printed(name, 'nodes are up'), kame.printed(name)
    domain = int(re.search(r'ROS_DOMAIN_ID (\d+)', kame.printed(name)).group(1))
    return process, domain


@contextlib.contextmanager
def looking(domain):
    """A node in a domain, and a way to wait for something there."""
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=domain)
    node = rclpy.create_node('looker', context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)

    def until(condition, patience=20.0):
        end = time.monotonic() + patience
        while not condition() and time.monotonic() < end:
            executor.spin_once(timeout_sec=0.1)
        return condition()

    yield node, until
    node.destroy_node()
    rclpy.shutdown(context=context)


def names_in(domain, wanted):
    """The full names of the nodes in a domain, once `wanted` of them are seen."""
    with looking(domain) as (node, until):

        def found():
            return {
                f'{space.rstrip("/")}/{name}'
                for name, space in node.get_node_names_and_namespaces()
                if not name.startswith(('looker', 'kame_'))
            }

        until(lambda: len(found()) >= wanted)
        return found()


@pytest.mark.long
def test_two_graphs_do_not_hear_each_other(kame, light):
    first, one = up(kame, 'one', '--config', light)
    second, other = up(kame, 'two', '--config', light, '--namespace', 'r2')
    try:
        assert one != other
        nodes = ('audio_capture', 's2s', 'audio_playback')
        assert names_in(one, 3) == {f'/robot/{name}' for name in nodes}
        assert names_in(other, 3) == {f'/r2/{name}' for name in nodes}
        assert kame.run('say', '--namespace', 'r2', 'Hello.').returncode == 0
        nobody = kame.run('say', '--namespace', 'r3', '--patience', 1, 'Hello.')
        assert nobody.returncode == 1
        assert 'is there a robot?' in nobody.stdout
    finally:
        for process in (first, second):
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
    assert kame.processes() == {}


def test_say_follows_the_words_and_can_be_stopped(kame, light):
    process, _ = up(kame, 'say', '--config', light)
    done = kame.run('say', 'My battery is low.')
    assert done.returncode == 0
    assert done.stdout.strip() == 'My battery is low.'
    assert kame.run('say', ' ').returncode == 1
    speaking = kame.start('long', 'say', 'one two three four five six seven, ' * 20)
    assert kame.until_printed('long', 'two')
    speaking.send_signal(signal.SIGINT)
    assert speaking.wait(20) == 1
    assert 'cancelled' in kame.printed('long')
    assert kame.run('say', 'I can still speak.').returncode == 0
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0


def test_any_node_speaks_through_the_oracle(kame, light):
    process, domain = up(kame, 'node', '--config', light)
    example = Path(__file__).parents[2] / 'examples' / 'say_from_a_node.py'
    with looking(domain) as (node, until):
        said = []
        node.create_subscription(msg.MonologueToken, '/robot/monologue', said.append, qos.TEXT)
        assert until(lambda: node.count_publishers('/robot/monologue'))
        subprocess.run(
            [sys.executable, example],
            env={**os.environ, 'ROS_DOMAIN_ID': str(domain)},
            check=True,
            timeout=60,
        )
        text = 'My battery is low. I am going home.'
        assert until(lambda: ''.join(token.text for token in said).strip() == text)
        assert {token.source for token in said} == {'battery'}
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0


@pytest.mark.long
def test_a_consumer_of_another_package_is_told_what_the_robot_hears(kame, light, tmp_path):
    outside.install(tmp_path, CONSUMERS.group, outside.recipe('consumer'), toy='MyConsumer')
    file = tmp_path / 'said.txt'
    wanted = ['--config', light, '--consumer', f'toy:file={file}']
    path = outside.path_with(tmp_path)
    process, domain = up(kame, 'consumer', *wanted, PYTHONPATH=path)
    with looking(domain) as (node, until):
        heard = node.create_publisher(msg.Transcript, '/robot/transcript', qos.TEXT)
        said = Transcript(0, 0, 'Where is the exit?', 18, True, 1.0, 2.0)

        def told():  # again and again, as nobody tells when the consumer has found us
            heard.publish(convert.transcript_to_message(said, 2.0))
            return file.exists() and file.read_text().startswith('Where is the exit?\n')

        assert until(told)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0


@pytest.mark.long
def test_the_services_of_a_running_robot(kame, light):
    process, domain = up(kame, 'services', '--config', light)
    with looking(domain) as (node, until):
        told = []
        node.create_subscription(msg.TurnEvent, '/robot/turn', told.append, qos.TEXT)

        def call(kind, name, request):
            client = node.create_client(kind, f'/robot/{name}')
            assert until(client.service_is_ready)
            future = client.call_async(request)
            assert until(future.done)
            return future.result().success

        assert call(SetBool, 'mute', SetBool.Request(data=True))
        assert call(Trigger, 'reset', Trigger.Request())
        speaking = kame.start('cut', 'say', 'one two three four five six seven, ' * 20)
        assert kame.until_printed('cut', 'two')
        assert call(Trigger, 'interrupt', Trigger.Request())
        assert speaking.wait(20) == 1
        assert 'interrupted' in kame.printed('cut')
        kinds = {msg.TurnEvent.RESET, msg.TurnEvent.BARGE_IN, msg.TurnEvent.ROBOT_SPEECH_START}
        assert until(lambda: kinds <= {event.kind for event in told})
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0


@pytest.mark.long
def test_killed_nodes_come_back_as_often_as_they_are_killed(kame, light):
    """Two at once, one of them while it comes back; the one that was muted still is."""
    process, domain = up(kame, 'kill', '--config', light)
    with looking(domain) as (node, until):
        client = node.create_client(SetBool, '/robot/mute')
        assert until(client.service_is_ready)
        future = client.call_async(SetBool.Request(data=True))
        assert until(future.done)
    before = kame.pid_of('s2s')
    for number in range(4):
        os.kill(kame.pid_of('s2s'), signal.SIGKILL)
        if number == 0:
            os.kill(kame.pid_of('audio_capture'), signal.SIGKILL)
        wanted = number + 1
        end = time.monotonic() + 60
        while kame.printed('kill').count('s2s has ended with status -9') < wanted:
            assert time.monotonic() < end
            time.sleep(0.1)
        while number < 3 and not any('s2s_node' in line for line in kame.processes().values()):
            assert time.monotonic() < end
            time.sleep(0.1)
    assert kame.run('say', '--patience', 60, 'I am back.').returncode == 0
    assert kame.pid_of('s2s') != before
    with looking(domain) as (node, until):
        muted = []
        node.create_subscription(Bool, '/robot/muted', muted.append, qos.STATE)
        assert until(lambda: muted and muted[-1].data)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert kame.processes() == {}


def test_nodes_do_not_outlive_a_killed_parent(kame, light):
    process, _ = up(kame, 'orphan', '--config', light)
    assert len(kame.processes()) == 4
    process.kill()
    process.wait(10)
    end = time.monotonic() + 20
    while kame.processes() and time.monotonic() < end:
        time.sleep(0.1)
    assert kame.processes() == {}


@pytest.mark.long
def test_one_namespace_holds_one_robot(kame, light):
    process, domain = up(kame, 'first', '--config', light)
    before = kame.processes()
    again = kame.run('up', '--config', light, '--domain', domain)
    assert again.returncode == 1
    assert 'a robot runs already as /robot' in ' '.join(again.stdout.split())
    assert kame.processes() == before  # nobody was touched
    assert kame.run('say', '--patience', 30, 'Still here.').returncode == 0
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0


def importing(process):
    """Whether a process has begun to import ROS."""
    try:
        return 'librcl' in Path(f'/proc/{process.pid}/maps').read_text()
    except OSError:
        return False


@contextlib.contextmanager
def early(kame, config, moment):
    """`kame up` at a moment of its first second: as ROS is imported, or nodes are started."""
    process = kame.start('early', 'up', '--config', config)
    end = time.monotonic() + 60
    while not (importing(process) if moment == 0 else len(kame.processes()) > moment):
        assert time.monotonic() < end
        time.sleep(0.001)
    yield process
    end = time.monotonic() + 20
    while kame.processes() and time.monotonic() < end:
        time.sleep(0.1)
    assert kame.processes() == {}


@pytest.mark.parametrize('moment', [0, 1, 3])
def test_ctrl_c_in_the_first_second_ends_in_a_word(kame, light, moment):
    with early(kame, light, moment) as process:
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert 'stopped' in kame.printed('early')
        assert 'Traceback' not in kame.printed('early')


@pytest.mark.parametrize('moment', [1, 3])
def test_no_orphan_outlives_a_parent_that_is_killed_at_once(kame, light, moment):
    with early(kame, light, moment) as process:
        process.kill()
        process.wait(10)


@pytest.mark.long
def test_a_node_that_is_refused_in_its_second_life_comes_when_it_can(kame, tmp_path):
    """As with a microphone that is unplugged: here it is a file that is not there."""
    wav = tmp_path / 'mic.wav'
    with wave.open(str(wav), 'wb') as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(32_000))
    config = tmp_path / 'mic.yaml'
    config.write_text(
        f'audio_capture: {{ros__parameters: {{source: wav, wav: {wav}}}}}\n'
        'audio_playback: {ros__parameters: {sink: "null"}}\n'
    )
    process, domain = up(kame, 'unplugged', '--config', config)
    content = wav.read_bytes()
    wav.unlink()
    os.kill(kame.pid_of('audio_capture'), signal.SIGKILL)
    assert kame.until_printed('unplugged', 'audio_capture: cannot configure')
    assert process.poll() is None
    assert kame.pid_of('audio_playback')
    wav.write_bytes(content)
    with looking(domain) as (node, until):
        muted = []
        node.create_subscription(Bool, '/robot/muted', muted.append, qos.STATE)
        assert until(lambda: muted, 60)  # it is told once the node is configured
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0


def test_a_node_that_ends_again_and_again_is_given_up(kame, light):
    process = kame.start('hopeless', 'up', '--config', light, '--set', 'audio_capture.source=wav')
    assert process.wait(120) == 1
    assert 'audio_capture: cannot configure' in kame.printed('hopeless')
    assert kame.processes() == {}
