"""What lies in the files of a bag, message by message: MCAP and SQLite, and what was cut off."""

from __future__ import annotations

import sqlite3
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from mcap.exceptions import EndOfFile, McapError
from mcap.records import Channel, Footer, Message, Schema
from mcap.stream_reader import StreamReader

from kame_ros.bag.definitions import NoDefinition, definition

_MAGIC = b'\x89MCAP0\r\n'
SUFFIXES = ('.mcap', '.db3')
_MOST_BYTES = 64_000_000  # of one record: what claims more is no bag


class BadBag(ValueError):
    """What is no bag, or one that cannot be read."""


@dataclass(frozen=True)
class Stored:
    """A message as it lies in a bag: CDR, with the time at which it was recorded in nanoseconds."""

    topic: str
    kind: str
    definition: str
    t_ns: int
    data: bytes


@dataclass
class Cut:
    """Why a file ends too early; empty: it does not."""

    why: str = ''


def stored(path: Path, cut: Cut) -> Iterator[Stored]:
    """The messages of one file; `cut` says at the end whether it was whole.

    Raises BadBag for a file that is none.
    """
    if path.suffix == '.mcap':
        yield from _mcap(path, cut)
    elif path.suffix == '.db3':
        yield from _sqlite(path, cut)
    elif path.suffix in ('.zstd', '.zst'):
        raise BadBag(f'{path} is compressed as a whole: unpack it with `zstd -d`')
    else:
        raise BadBag(f'{path} is no bag: it ends with neither {" nor ".join(SUFFIXES)}')


def _mcap(path: Path, cut: Cut) -> Iterator[Stored]:
    schemas: dict[int, Schema] = {}
    channels: dict[int, Channel] = {}
    with open(path, 'rb') as file:
        try:
            records = StreamReader(file, record_size_limit=_MOST_BYTES).records
            for record in records:
                if isinstance(record, Schema):
                    schemas[record.id] = record
                elif isinstance(record, Channel):
                    channels[record.id] = record
                elif isinstance(record, Message):
                    channel = channels.get(record.channel_id)
                    schema = schemas.get(channel.schema_id) if channel else None
                    if channel is None or schema is None or channel.message_encoding != 'cdr':
                        continue
                    text = (
                        schema.data.decode(errors='replace') if schema.encoding == 'ros2msg' else ''
                    )
                    yield Stored(channel.topic, schema.name, text, record.log_time, record.data)
                elif isinstance(record, Footer):
                    return
            cut.why = 'it has no end'
        except (McapError, ValueError, EOFError, struct.error, zlib.error, OSError) as error:
            if not channels and not schemas:
                if isinstance(error, (EndOfFile, struct.error)) and _begins_as_mcap(path):
                    raise BadBag(f'{path} was cut off before its first message') from error
                raise BadBag(f'{path} is no MCAP file ({_named(error)})') from error
            cut.why = _named(error)
        except Exception as error:  # of the decompressor: its classes are its own
            cut.why = _named(error)


def _sqlite(path: Path, cut: Cut) -> Iterator[Stored]:
    try:
        # Immutable: a bag that was cut off has a journal that nobody may write back.
        data = sqlite3.connect(f'file:{quote(str(path.resolve()))}?mode=ro&immutable=1', uri=True)
    except sqlite3.Error as error:
        raise BadBag(f'{path} cannot be opened: {error}') from error
    try:
        try:
            rows = data.execute('SELECT id, name, type FROM topics').fetchall()
        except sqlite3.Error as error:
            raise BadBag(f'{path} is no bag of ROS 2 ({error})') from error
        topics = {number: (name, kind) for number, name, kind in rows}
        texts = _definitions(data)
        messages = data.execute('SELECT topic_id, timestamp, data FROM messages ORDER BY id')
        while True:
            try:
                row = messages.fetchone()
            except sqlite3.Error as error:
                cut.why = _named(error)
                return
            if row is None:
                return
            name, kind = topics.get(row[0], ('', ''))
            if kind:
                if kind not in texts:
                    texts[kind] = _installed(kind)
                yield Stored(name, kind, texts[kind], int(row[1]), bytes(row[2]))
    finally:
        data.close()


def _definitions(data: sqlite3.Connection) -> dict[str, str]:
    """What the bag says of its messages: since Iron."""
    try:
        rows = data.execute(
            'SELECT topic_type, encoded_message_definition FROM message_definitions '
            "WHERE encoding = 'ros2msg'"
        ).fetchall()
    except sqlite3.Error:
        return {}
    return {kind: text for kind, text in rows if text}


def _installed(kind: str) -> str:
    try:
        return definition(kind)
    except NoDefinition:
        return ''


def _begins_as_mcap(path: Path) -> bool:
    with open(path, 'rb') as file:
        return file.read(len(_MAGIC)) == _MAGIC


def _named(error: BaseException) -> str:
    return f'{type(error).__name__}: {error}' if str(error) else type(error).__name__
