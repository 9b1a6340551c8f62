"""What passes on which topic of a robot, and how it is read; which node a status is of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from kame_ros.wire import from_message


class ReadTopic(NamedTuple):
    """A topic below a robot's namespace: the type of its messages, and what reads one of them."""

    name: str
    kind: str  # of kame_ros/msg
    read: Callable[[Any], Any]


# By the method of a consumer that is told what passes there.
TOPICS = {
    'on_mic': ReadTopic('audio/mic', 'AudioFrame', from_message.frame_from_message),
    'on_played': ReadTopic('audio/played', 'AudioFrame', from_message.frame_from_message),
    'on_transcript': ReadTopic('transcript', 'Transcript', from_message.transcript_from_message),
    'on_oracle': ReadTopic('oracle', 'OracleChunk', from_message.chunk_from_message),
    'on_monologue': ReadTopic('monologue', 'MonologueToken', from_message.monologue_from_message),
    'on_turn': ReadTopic('turn', 'TurnEvent', from_message.turn_from_message),
}


def node_below(prefix: str, status: str) -> str | None:
    """The node that a status in diagnostics is named by, without the robot's `prefix`.

    None where it is of another robot, or of a part of a node.
    """
    name = status.removeprefix(prefix)
    return name if status.startswith(prefix) and '/' not in name else None
