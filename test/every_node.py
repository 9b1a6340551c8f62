"""Every node class of the package, by the name of its program."""

from kame_ros.nodes.audio_capture_node import AudioCaptureNode
from kame_ros.nodes.audio_playback_node import AudioPlaybackNode
from kame_ros.nodes.bridge_node import BridgeNode
from kame_ros.nodes.oracle_node import OracleNode
from kame_ros.nodes.page_node import PageNode
from kame_ros.nodes.recorder_node import RecorderNode
from kame_ros.nodes.s2s_node import S2SNode
from kame_ros.nodes.s2s_slots_node import S2SSlotsNode
from kame_ros.nodes.stt_node import SttNode

NODES = {
    'audio_capture': AudioCaptureNode,
    'audio_playback': AudioPlaybackNode,
    'bridge': BridgeNode,
    'oracle': OracleNode,
    'page': PageNode,
    'recorder': RecorderNode,
    's2s': S2SNode,
    's2s_slots': S2SSlotsNode,
    'stt': SttNode,
}
