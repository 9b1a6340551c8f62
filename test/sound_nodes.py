"""Nodes of sound for a test: made, started, listened to."""

from __future__ import annotations

from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter

import kame_ros.msg as msg
from kame_ros.nodes.common import qos

OK, REFUSED = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


def make(ros, node, **parameters):
    overrides = [Parameter(name, value=value) for name, value in parameters.items()]
    return ros.add(node(parameter_overrides=overrides))


def start(ros, node, **parameters):
    node = make(ros, node, **parameters)
    assert node.trigger_configure() == OK, node.fault
    assert node.trigger_activate() == OK, node.fault
    return node


def heard(node, topic='audio/mic'):
    frames = []
    node.create_subscription(msg.AudioFrame, topic, frames.append, qos.AUDIO_ASK)
    return frames
