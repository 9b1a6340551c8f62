"""A running graph: spoken to by other nodes, killed in part, shut down."""

import os
import re
import signal
import time

import pytest
import rclpy

from kame_ros.processes import environment

pytestmark = [pytest.mark.graph, pytest.mark.models]


def up(kame, name, *args):
    process = kame.start(name, 'up', *args)
    assert kame.until_printed(name, 'nodes are up'), kame.printed(name)
    domain = int(re.search(r'ROS_DOMAIN_ID (\d+)', kame.printed(name)).group(1))
    return process, domain


def names_in(domain, wanted, patience=20.0):
    """The full names of the nodes in a domain, once `wanted` of them are seen."""
    context = rclpy.Context()
    before = os.environ.get('ROS_AUTOMATIC_DISCOVERY_RANGE')
    os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = environment(domain)[
        'ROS_AUTOMATIC_DISCOVERY_RANGE'
    ]
    rclpy.init(context=context, domain_id=domain)
    node = rclpy.create_node('looker', context=context)
    try:
        end = time.monotonic() + patience
        while True:
            found = {
                f'{space.rstrip("/")}/{name}'
                for name, space in node.get_node_names_and_namespaces()
                if not name.startswith(('looker', 'kame_'))
            }
            if len(found) >= wanted or time.monotonic() > end:
                return found
            time.sleep(0.1)
    finally:
        node.destroy_node()
        rclpy.shutdown(context=context)
        if before is not None:
            os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = before


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


def test_a_killed_node_comes_back(kame, light):
    process, _ = up(kame, 'kill', '--config', light)
    before = kame.pid_of('s2s')
    os.kill(before, signal.SIGKILL)
    assert kame.until_printed('kill', 's2s has ended with status -9')
    assert kame.run('say', '--patience', 60, 'I am back.').returncode == 0
    assert kame.pid_of('s2s') != before
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


def test_a_node_that_ends_again_and_again_is_given_up(kame, light):
    process = kame.start('hopeless', 'up', '--config', light, '--set', 'audio_capture.source=wav')
    assert process.wait(120) == 1
    assert 'audio_capture: cannot configure' in kame.printed('hopeless')
    assert kame.processes() == {}
