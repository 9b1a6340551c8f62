"""One process with the speech model, two robots elsewhere that have none."""

import re
import signal
import time

import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import SingleThreadedExecutor

pytest.importorskip('torch', reason='the moshi front-end needs torch: make setup-moshi')
pytest.importorskip('moshi', reason='the moshi front-end needs moshi: make setup-moshi')

pytestmark = [pytest.mark.graph, pytest.mark.models, pytest.mark.long]

SERVER = """
/**/s2s_slots:
  ros__parameters:
    robots: [/r1, r2]
    leave_after_s: 1.0
    moshi: {weights: random, device: cpu, slots: 2, barge_in: false}
"""
BODY = """
/**/audio_capture: {ros__parameters: {source: silence}}
/**/audio_playback: {ros__parameters: {sink: "null"}}
"""


@pytest.fixture
def health():
    """What the speech model tells on /diagnostics, newest last, and a way to wait for it."""
    context, told = rclpy.Context(), []

    def on_array(array):
        for status in array.status:
            if status.name == 'robot/s2s_slots':
                values = {item.key: item.value for item in status.values}
                values.pop('model', None)
                state = values.pop('state')
                told.append({'state': state, **{k: float(v) for k, v in values.items()}})

    def look(domain, condition, patience=40.0):
        if not context.ok():
            rclpy.init(context=context, domain_id=domain)
            node = rclpy.create_node('looker', context=context)
            node.create_subscription(DiagnosticArray, '/diagnostics', on_array, 50)
            look.executor = SingleThreadedExecutor(context=context)
            look.executor.add_node(node)
        end = time.monotonic() + patience
        while not (told and condition(told[-1])):
            assert time.monotonic() < end, told[-1:]
            look.executor.spin_once(timeout_sec=0.1)
        return told[-1]

    yield look
    rclpy.try_shutdown(context=context)


def test_two_robots_speak_through_one_model(kame, tmp_path, health, most_lost):
    (tmp_path / 'server.yaml').write_text(SERVER)
    (tmp_path / 'body.yaml').write_text(BODY)

    def up(name, config, *args):
        process = kame.start(name, 'up', '--config', tmp_path / f'{config}.yaml', *args)
        assert kame.until_printed(name, 'nodes are up'), kame.printed(name)
        return process

    server = up('server', 'server')
    domain = int(re.search(r'ROS_DOMAIN_ID (\d+)', kame.printed('server')).group(1))
    one = up('one', 'body', '--domain', domain, '--namespace', 'r1')
    two = up('two', 'body', '--domain', domain, '--namespace', 'robot/r2')
    both = health(domain, lambda h: min(h['r1.frames_out'], h['robot/r2.frames_out']) > 40)
    assert both['slots_taken'] == 2
    assert both['frames_dropped'] + both['frames_unanswered'] <= most_lost
    one.send_signal(signal.SIGINT)
    assert one.wait(30) == 0
    left = health(domain, lambda h: h['slots_taken'] == 1)
    after = health(domain, lambda h: h['robot/r2.frames_out'] > left['robot/r2.frames_out'] + 12)
    assert after['r1.frames_in'] == after['r1.frames_out'] == left['r1.frames_out']
    assert after['steps'] < after['frames_out']  # some steps were for both
    for process in (two, server):
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
