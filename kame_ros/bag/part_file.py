"""One MCAP file of a bag while it is written: whole up to its last flush, whatever happens."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from kame_ros.bag.metadata import Part, Topic

_CHUNK = 256 * 1024  # bytes; a flush closes a smaller one
Opener = Callable[[Path], IO[bytes]]


def unbuffered(path: Path) -> IO[bytes]:
    """A new file; what is written to it is the system's at once, so that no kill -9 loses it."""
    return open(path, 'xb', buffering=0)  # type: ignore[return-value]


class _Whole:
    """Writes all that it is given, or raises: a file that is unbuffered may take only a part."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.size = 0

    def write(self, data: bytes) -> int:
        view = memoryview(data)
        while len(view):
            taken = self._file.write(view)
            view = view[taken:]
            self.size += taken
        return len(data)

    def tell(self) -> int:
        return self.size

    def flush(self) -> None:
        self._file.flush()

    def close_at(self, size: int | None) -> None:
        """Closes the file; what lies behind `size` is cut off."""
        try:
            if size is not None and size < self.size:
                self._file.truncate(size)
        finally:
            self._file.close()


class PartFile:
    """Writes messages to a new file. What it raises (OSError) ends it: then call `give_up`."""

    def __init__(self, path: Path, opener: Opener = unbuffered) -> None:
        from mcap.writer import CompressionType, Writer

        self.part = Part(path.name)
        self._stream = _Whole(opener(path))
        self._whole_at = 0  # bytes that are a file without its end
        self._channels: dict[Topic, int] = {}
        self._sequence: dict[int, int] = {}
        self._writer = Writer(self._stream, _CHUNK, CompressionType.ZSTD)  # type: ignore[arg-type]
        try:
            self._writer.start('ros2', 'kame_ros')
            self.flush()
        except OSError:  # not even the first bytes: no file is better than one that is none
            self.give_up()
            path.unlink(missing_ok=True)
            raise

    def write(self, topic: Topic, definition: str, data: bytes, log: int, published: int) -> None:
        """Takes a message, CDR; times in nanoseconds."""
        channel = self._channels.get(topic)
        if channel is None:
            schema = self._writer.register_schema(topic.kind, 'ros2msg', definition.encode())
            channel = self._writer.register_channel(
                topic.name, 'cdr', schema, {'offered_qos_profiles': topic.profile}
            )
            self._channels[topic] = channel
        number = self._sequence[channel] = self._sequence.get(channel, 0) + 1
        self._writer.add_message(channel, log, data, published, number)
        part = self.part
        part.start = min(part.start, log) if part.count else log
        part.end = max(part.end, log)
        part.count += 1
        part.bytes = self._stream.size

    def flush(self) -> None:
        """What was taken until now is in the file."""
        self._writer.flush()
        self._whole_at = self.part.bytes = self._stream.size

    def close(self) -> None:
        """Writes the index, and closes the file."""
        self._writer.finish()
        self._stream.flush()
        self.part.bytes = self._stream.size
        self._stream.close_at(None)

    def give_up(self) -> None:
        """Closes the file without its end, as whole as it is."""
        with contextlib.suppress(OSError):
            self._stream.close_at(self._whole_at)
        self.part.bytes = self._whole_at


def free_bytes(folder: Path) -> int:
    """How much room there is for this user on the disk of a folder."""
    disk: Any = os.statvfs(folder)
    return int(disk.f_bavail * disk.f_frsize)
