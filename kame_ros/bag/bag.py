"""Reads a bag: a folder of `ros2 bag record` or of `kame up --record`, or one of its files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from mcap.records import Schema
from mcap_ros2.decoder import DecoderFactory

from kame_ros.bag.metadata import FILE
from kame_ros.bag.stored import SUFFIXES, BadBag, Cut, Stored, stored
from kame_ros.consumers.consumer import Consumer
from kame_ros.wire.from_message import health_from_status
from kame_ros.wire.topics import TOPICS, node_below

_NUMBER = re.compile(r'(\d+)')
_SCANNED = 20_000  # messages, some minutes: by then each robot of a bag has said something
_METHODS = {topic.name: method for method, topic in TOPICS.items()}
_DIAGNOSTICS = '/diagnostics'


class Bag:
    """The messages of a bag, in the order in which they were recorded.

    After they were read, `problems` says what could not be: a file that was cut off, messages that
    are none. `path` is the folder or file.

    Raises BadBag for what is none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files = _files(path)
        self.problems: list[str] = []
        self.t = 0.0  # s, when what consumers are just told was recorded
        self._unread: dict[str, int] = {}
        self._decoders: dict[tuple[str, str], Callable[[bytes], Any] | None] = {}
        self._factory = DecoderFactory()
        self._ids = 0

    def messages(self) -> Iterator[Stored]:
        """All messages; one file after the other."""
        self.problems.clear()
        found = False
        for path in self.files:
            cut = Cut()
            try:
                for message in stored(path, cut):
                    found = True
                    yield message
            except BadBag as error:
                if len(self.files) == 1:
                    raise
                self.problems.append(str(error))
            if cut.why:
                self.problems.append(f'{path.name} was cut off ({cut.why}); read as far as it goes')
        if not found:
            raise BadBag(f'there is no message in {self.path}')

    def namespaces(self) -> list[str]:
        """The robots whose conversation is in the bag, by namespace without slashes around it."""
        found = set()
        for message in islice(self.messages(), _SCANNED):
            for name, kind, _ in TOPICS.values():
                if message.kind == f'kame_ros/msg/{kind}' and message.topic.endswith(f'/{name}'):
                    found.add(message.topic[: -len(name)].strip('/'))
        return sorted(found)

    def namespace(self, wanted: str | None = None) -> str:
        """The robot that is meant; raises BadBag if that is not clear."""
        found = self.namespaces()
        if wanted is not None:
            wanted = wanted.strip('/')
            if wanted not in found:
                raise BadBag(f'{self.path} has no robot /{wanted}, but {_listed(found)}')
            return wanted
        if not found:
            raise BadBag(f'{self.path} has no topic of a robot of kame_ros')
        if len(found) > 1:
            raise BadBag(
                f'{self.path} has several robots: choose one with --namespace: {_listed(found)}'
            )
        return found[0]

    def tell(self, namespace: str, *consumers: Consumer) -> None:
        """Tells consumers all that is in the bag of one robot."""
        prefix = f'/{namespace}/' if namespace else '/'
        self._unread.clear()
        for message in self.messages():
            self.t = message.t_ns * 1e-9
            if message.topic == _DIAGNOSTICS:
                self._tell_health(message, prefix.lstrip('/'), consumers)
                continue
            method = _METHODS.get(message.topic.removeprefix(prefix))
            if method is None or not message.topic.startswith(prefix):
                continue
            topic = TOPICS[method]
            if message.kind != f'kame_ros/msg/{topic.kind}':
                continue
            hearers = [consumer for consumer in consumers if method in consumer.hears]
            value = self._value(message, topic.read) if hearers else None
            if value is not None:
                for consumer in hearers:
                    getattr(consumer, method)(value)
        self.problems += [f'{n} messages on {name} are none' for name, n in self._unread.items()]

    def _tell_health(self, message: Stored, prefix: str, consumers: tuple[Consumer, ...]) -> None:
        hearers = [consumer for consumer in consumers if 'on_health' in consumer.hears]
        array = self._value(message, lambda array: array) if hearers else None
        for status in array.status if array is not None else ():
            name = node_below(prefix, status.name)
            if name is not None:
                for consumer in hearers:
                    consumer.on_health(name, health_from_status(status))

    def _value(self, message: Stored, read: Callable[[Any], Any]) -> Any:
        """What a message says; None, and counted, if it says nothing that can be read."""
        try:
            decode = self._decoder(message)
            if decode is None:
                raise ValueError('its type is not known here')
            return read(decode(message.data))
        except Exception:  # a file may hold anything
            self._unread[message.topic] = self._unread.get(message.topic, 0) + 1
            return None

    def _decoder(self, message: Stored) -> Callable[[bytes], Any] | None:
        key = message.kind, message.definition
        if key not in self._decoders:
            self._decoders[key] = None
            if message.definition:
                self._ids += 1
                schema = Schema(self._ids, message.definition.encode(), 'ros2msg', message.kind)
                self._decoders[key] = self._factory.decoder_for('cdr', schema)
        return self._decoders[key]


def _files(path: Path) -> list[Path]:
    """The files of a bag in their order; of a folder of bags, those of the newest."""
    if path.is_file():
        return _files(path.parent) if path.name == FILE else [path]
    if not path.is_dir():
        raise BadBag(f'there is no bag {path}')
    files = [each for each in path.iterdir() if each.suffix in SUFFIXES and each.is_file()]
    if files:
        return sorted(files, key=_in_order)
    bags = [each for each in path.iterdir() if each.is_dir() and _has_bag(each)]
    if not bags:
        raise BadBag(f'{path} holds no bag: no file in it ends with {" or ".join(SUFFIXES)}')
    return _files(max(bags, key=lambda bag: (bag.stat().st_mtime, bag.name)))


def _has_bag(folder: Path) -> bool:
    return any(each.suffix in SUFFIXES for each in folder.iterdir())


def _in_order(path: Path) -> list[Any]:
    """name_10 behind name_9."""
    return [int(part) if part.isdigit() else part for part in _NUMBER.split(path.name)]


def _listed(names: list[str]) -> str:
    return ', '.join(f'/{name}' for name in names) or 'none'
