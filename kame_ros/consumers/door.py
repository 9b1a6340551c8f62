"""The door for those who want to follow a conversation.

A new consumer is one file, with a class that derives from `Consumer` and takes `ConsumerSettings`,
and one line: in `CONSUMERS`, or in the pyproject.toml of another package:

    [project.entry-points.'kame_ros.consumer']
    mine = 'my_package.my_consumer:MyConsumer'

`kame up --consumer mine` and `kame ask --consumer mine` attach it then, and
`--consumer 'mine:key=value; key=value'` gives it options.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kame_ros.consumers.consumer import Consumer
from kame_ros.runtime.doors import Door
from kame_ros.settings.options import options_of, refuse_unread


@dataclass(frozen=True)
class ConsumerSettings:
    """What a consumer is told: the namespace of the robot, its nodes, and its own options."""

    namespace: str = ''
    nodes: Sequence[str] = ()
    options: Mapping[str, str] = field(default_factory=dict)


CONSUMERS = Door(
    'consumer',
    'kame_ros.consumer',
    {'captions': 'kame_ros.consumers.captions:Captions'},
    Consumer,
    'does not derive from kame_ros.consumers.consumer.Consumer',
)


def make_consumer(text: str, namespace: str, nodes: Sequence[str]) -> tuple[str, Consumer]:
    """The name, and the consumer itself, of 'NAME' or 'NAME:key=value; key=value'.

    Raises ValueError for what cannot be read, a name or an option that is none, ImportError for
    what cannot be loaded, and what the consumer raises.
    """
    name, _, options = text.partition(':')
    settings = ConsumerSettings(namespace, tuple(nodes), options_of(options, 'a consumer'))
    consumer: Consumer = CONSUMERS.make(name.strip(), settings)
    try:
        refuse_unread(settings.options, CONSUMERS.label(name.strip()))
    except ValueError:
        consumer.close()
        raise
    return name.strip(), consumer
