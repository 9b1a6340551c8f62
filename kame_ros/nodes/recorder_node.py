"""The recorder: writes all that passes in a graph into a bag."""

from __future__ import annotations

import importlib
import os
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import Log
from std_msgs.msg import Bool, Float32, String

import kame_ros.msg as msg
from kame_ros.bag.definitions import NoDefinition
from kame_ros.bag.hidden import Hider
from kame_ros.bag.metadata import Topic
from kame_ros.bag.writer import BagConfig, BagWriter
from kame_ros.nodes.common.base import KameNode
from kame_ros.nodes.common.raw_topics import RawTopics
from kame_ros.nodes.common.run import run
from kame_ros.runtime.inbox import Inbox
from kame_ros.runtime.owner import OwnerThread
from kame_ros.settings.param import RECORDING, BadParameter, Param, filled

_BOUND = 2_000  # messages: with sound, 25 s
_POLL_S = 0.1
# Known from the start, so that the first message is not missed. The rest is found.
_TOPICS: dict[str, type] = {
    'audio/in': msg.AudioFrame,
    'audio/mic': msg.AudioFrame,
    'audio/speech': msg.AudioFrame,
    'audio/played': msg.AudioFrame,
    'audio/gain': Float32,
    'transcript': msg.Transcript,
    'oracle': msg.OracleChunk,
    'monologue': msg.MonologueToken,
    'turn': msg.TurnEvent,
    'facts': String,
    'typed': String,
    'action_request': msg.ActionRequest,
    'action_result': msg.ActionResult,
    'speaking': Bool,
    'muted': Bool,
    '/diagnostics': DiagnosticArray,
    '/rosout': Log,
}
_LATCHED = ('speaking', 'muted', '/rosout')

Item = tuple[Topic, bytes, int]


class RecorderNode(KameNode):
    """Each activation begins a bag: a folder of its own below `folder`.

    Messages are written as they come, without being read. `/rosout` and `/diagnostics` are in it,
    and each topic in the namespace that is found later, too.
    """

    PARAMETERS = (
        Param(
            'folder',
            'recordings',
            'Where the bags go: a folder of its own for each recording.',
            names=RECORDING,
        ),
        *Param.of(BagConfig),
    )
    WARN_WHEN_GROWING = ('lost', 'messages_dropped', 'secrets_hidden')

    def __init__(self, **options: Any) -> None:
        self._inbox: Inbox[Item] = Inbox(_BOUND)
        self._writer: BagWriter | None = None
        self._thread: OwnerThread | None = None
        self._topics: RawTopics | None = None
        self._hider = Hider(os.environ)
        super().__init__('recorder', **options)

    def load(self) -> None:
        importlib.import_module('mcap.writer')  # what is not installed is said now
        self._config = filled(BagConfig, self.param)
        self._folder = Path(self.param('folder')).expanduser().resolve()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadParameter(f'{self._folder} cannot be made: {error.strerror}') from error
        self._inbox = Inbox(_BOUND)
        self._topics = RawTopics(self, _TOPICS, _LATCHED, self._take)

    def start(self) -> None:
        self._writer = BagWriter(self._folder, self._config)
        self.get_logger().info(f'records into {self._writer.folder}')
        self._thread = self.owner('recorder', partial(self._record, self._writer))
        self._thread.start()

    def stop(self) -> None:
        if self._thread:
            self._thread.stop()
            self._thread = None

    def counters(self) -> dict[str, float | str]:
        writer = self._writer
        return {
            'bag': str(writer.folder) if writer else '',
            'bag_mb': round(writer.bytes / 1e6, 1) if writer else 0.0,
            'written': writer.written if writer else 0,
            'lost': writer.lost if writer else 0,
            'files_deleted': writer.deleted_files if writer else 0,
            'secrets_hidden': self._hider.hidden,
            'topics_unknown': len(self._topics.unknown) if self._topics else 0,
            **self._inbox.counters('messages'),
        }

    def complaint(self) -> str:
        return self._writer.trouble if self._writer and self.active else ''

    def _take(self, topic: Topic, message: bytes) -> None:
        self._inbox.put((topic, message, round(self.clock.now() * 1e9)))

    # -- the owner thread -------------------------------------------------------------------

    def _record(self, writer: BagWriter, stop: threading.Event) -> None:
        while not stop.is_set() or len(self._inbox):
            item = self._inbox.get(_POLL_S)
            now = self.clock.now()
            if item is None:
                writer.tick(now)
                continue
            topic, data, t = item
            try:
                writer.write(topic, self._hider.without_secrets(data), t, t, now)
            except NoDefinition as error:
                self.survive(error, topic.name)
        writer.close()


def main(args: Sequence[str] | None = None) -> int:
    """Runs the node."""
    return run(RecorderNode, args)


if __name__ == '__main__':
    raise SystemExit(main())
