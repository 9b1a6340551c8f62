"""The quality of service of each kind of topic, and why.

Sound is offered RELIABLE, because a best-effort publisher reaches no reliable subscriber, which
is what most nodes of other packages are; it is asked for BEST_EFFORT, because a frame that
comes late is worth nothing. Two seconds of it are kept, as many as in the nodes' own queues: these
count what they drop, while DDS drops in silence.

Text must arrive, all of it and in order: RELIABLE, with room for 50 messages.

State (speaking, muted) is latched, so that a node which joins late knows it at once.

Fast DDS keeps each buffer of a topic as large as the largest message that it once held: whoever
sends messages of 10 MB makes a node larger by up to 10 MB for each of the depth, once and for all.
It is no leak; `historyMemoryPolicy` DYNAMIC in an XML profile of yours avoids it.
"""

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions


def _profile(reliability: ReliabilityPolicy, depth: int, latched: bool = False) -> QoSProfile:
    return QoSProfile(
        reliability=reliability,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
    )


_SOUND = 25  # frames of 80 ms
AUDIO_OFFER = _profile(ReliabilityPolicy.RELIABLE, _SOUND)
AUDIO_ASK = _profile(ReliabilityPolicy.BEST_EFFORT, _SOUND)
TEXT = _profile(ReliabilityPolicy.RELIABLE, 50)
# Beside TEXT, for publishers that it does not match (nodes/listen.py).
TEXT_ASK_ANY = _profile(ReliabilityPolicy.BEST_EFFORT, 50)
LATCHED = _profile(ReliabilityPolicy.RELIABLE, 50, latched=True)
STATE = _profile(ReliabilityPolicy.RELIABLE, 1, latched=True)
# A record of a session must be whole, and may be late.
RECORD = _profile(ReliabilityPolicy.RELIABLE, 500)
# History, depth and reliability can be set from outside, by ROS's own parameters, such as
# `qos_overrides./robot/audio/mic.publisher.depth`.
OVERRIDABLE = QoSOverridingOptions.with_default_policies()
