"""Names are relative: a namespace moves them all, a remapping moves one."""

from rclpy.parameter import Parameter

from kame_ros.nodes.audio_capture_node import AudioCaptureNode
from kame_ros.nodes.audio_playback_node import AudioPlaybackNode

SILENT = [Parameter('source', value='silence')]


def topics(node):
    return {name for name, _ in node.get_publisher_names_and_types_by_node(*identity(node))}


def heard(node):
    return {name for name, _ in node.get_subscriber_names_and_types_by_node(*identity(node))}


def identity(node):
    return node.get_name(), node.get_namespace()


def test_a_namespace_moves_all_names_but_diagnostics(ros):
    node = ros.add(AudioCaptureNode(namespace='/r9', parameter_overrides=SILENT))
    node.trigger_configure()
    names = topics(node)
    assert {'/r9/audio/mic', '/r9/muted', '/r9/turn', '/diagnostics'} <= names
    global_names = {'/diagnostics', '/rosout', '/parameter_events'}
    assert all(name.startswith('/r9/') for name in names - global_names)


def test_a_remapping_moves_one_name(ros):
    remapped = ['--ros-args', '-r', 'audio/speech:=voice/out', '-r', '__ns:=/r9']
    node = ros.add(
        AudioPlaybackNode(cli_args=remapped, parameter_overrides=[Parameter('sink', value='null')])
    )
    node.trigger_configure()
    assert '/r9/voice/out' in heard(node)
    assert '/r9/audio/played' in topics(node)
