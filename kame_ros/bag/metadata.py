"""The metadata.yaml of a bag, as `ros2 bag` of every ROS 2 since Humble reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

# Of rosbag2: the newest that Humble reads; later ones read it too.
_VERSION = 5
FILE = 'metadata.yaml'
_FOREVER = {'sec': 9_223_372_036, 'nsec': 854_775_807}


@dataclass(frozen=True)
class Topic:
    """A topic of a bag: its full name, the type of its messages, and how it was published."""

    name: str
    kind: str
    latched: bool = False
    reliable: bool = True
    depth: int = 50

    @property
    def profile(self) -> str:
        """The quality of service as a bag tells it."""
        return yaml.safe_dump(
            [
                {
                    'history': 1,  # keep last
                    'depth': self.depth,
                    'reliability': 1 if self.reliable else 2,
                    'durability': 1 if self.latched else 2,
                    'deadline': dict(_FOREVER),
                    'lifespan': dict(_FOREVER),
                    'liveliness': 1,
                    'liveliness_lease_duration': dict(_FOREVER),
                    'avoid_ros_namespace_conventions': False,
                }
            ],
            sort_keys=False,
        )


@dataclass
class Part:
    """One file of a bag; times in nanoseconds."""

    name: str
    start: int = 0
    end: int = 0
    count: int = 0
    bytes: int = 0


def metadata(parts: Sequence[Part], counts: dict[Topic, int]) -> str:
    """The text of the file."""
    told = [part for part in parts if part.count]
    start = min((part.start for part in told), default=0)
    end = max((part.end for part in told), default=0)
    inside: dict[str, Any] = {
        'version': _VERSION,
        'storage_identifier': 'mcap',
        'duration': {'nanoseconds': end - start},
        'starting_time': {'nanoseconds_since_epoch': start},
        'message_count': sum(counts.values()),
        'topics_with_message_count': [
            {
                'topic_metadata': {
                    'name': topic.name,
                    'type': topic.kind,
                    'serialization_format': 'cdr',
                    'offered_qos_profiles': topic.profile,
                },
                'message_count': count,
            }
            for topic, count in counts.items()
        ],
        'compression_format': '',
        'compression_mode': '',
        'relative_file_paths': [part.name for part in parts],
        'files': [
            {
                'path': part.name,
                'starting_time': {'nanoseconds_since_epoch': part.start},
                'duration': {'nanoseconds': part.end - part.start},
                'message_count': part.count,
            }
            for part in parts
        ],
    }
    return yaml.safe_dump({'rosbag2_bagfile_information': inside}, sort_keys=False)
