"""A port for the server: the one that is wanted or the next free one, and who has the other."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

TRIES = 20
_LISTENS = '0A'  # the state of a socket in /proc/net/tcp


class NoPort(OSError):
    """None of the ports is free; the text says who has the first."""


def bound(host: str, port: int, tries: int = TRIES) -> tuple[socket.socket, str]:
    """A socket that listens, and who has the port that was wanted; empty: it was free.

    Port 0 is any. Raises NoPort, and OSError for an address that is not of this machine.
    """
    taken = ''
    for number in range(port, min(port + tries, 65_536)) if port else [0]:
        try:
            return _listening(host, number), taken
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise OSError(
                    error.errno, f'no page can be served on {host}: {error.strerror or error}'
                ) from error
            taken = taken or f'port {number} is taken by {owner(number)}'
    raise NoPort(f'{taken}, and no other of {tries} is free: choose one with page.port')


def _listening(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(64)
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made


def owner(port: int, proc: Path = Path('/proc')) -> str:
    """Who listens on a port of this machine, in words."""
    inodes = {inode for name in ('tcp', 'tcp6') for inode in _inodes(proc / 'net' / name, port)}
    for folder in proc.glob('[0-9]*/fd'):
        try:
            links = [os.readlink(link) for link in folder.iterdir()]
            if any(f'socket:[{inode}]' in links for inode in inodes):
                words = (folder.parent / 'cmdline').read_bytes().split(b'\0')
                name = ' '.join(word.decode('utf-8', 'replace') for word in words[:3] if word)
                return f'process {folder.parent.name} ({name[:80]})'
        except OSError:
            continue  # of another user, or gone
    return 'another program'


def _inodes(table: Path, port: int) -> list[str]:
    try:
        lines = table.read_text().splitlines()[1:]
    except OSError:
        return []
    rows = [line.split() for line in lines]
    return [row[9] for row in rows if row[3] == _LISTENS and int(row[1].split(':')[1], 16) == port]
