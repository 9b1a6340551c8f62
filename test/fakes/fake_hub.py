"""A Hugging Face hub on this machine: its protocol as far as `kame get` and its library speak it.

It can be slow, break the line, be gated, have lost a file, or give another file than it tells.
`python test/fakes/fake_hub.py FOLDER owner/name` serves a folder, to try things by hand.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

COMMIT = 'c0ffee' + '0' * 34
_PIECE = 1 << 14


@dataclass
class FakeRepository:
    """What the hub has under a name; `broken` files are told of, and given otherwise."""

    files: dict[str, bytes | Path]
    licence: str = 'cc-by-4.0'
    gated: bool = False  # whoever has no token is sent away
    commit: str = COMMIT
    gone: set[str] = field(default_factory=set)
    broken: dict[str, bytes] = field(default_factory=dict)
    small_bytes: int = 1000  # as with git-LFS: what is larger lies elsewhere, under its sha256

    def content(self, path: str) -> bytes:
        data = self.files[path]
        return data if isinstance(data, bytes) else data.read_bytes()

    def etag(self, path: str) -> str:
        data = self.content(path)
        if len(data) > self.small_bytes:
            return hashlib.sha256(data).hexdigest()
        return hashlib.sha1(b'blob %d\0' % len(data) + data).hexdigest()


@dataclass
class Asked:
    """A request that came."""

    method: str
    path: str
    range: str = ''
    token: str = ''


class FakeHub:
    """The server; `asked` are the requests that came, in order.

    `breaks`: after so many bytes of a large file, counted over all requests, the line breaks; each
    entry is used once. `speed`: bytes a second. `token`: the only one that is taken, if any.
    `ranges`: whether it can begin in the middle; `begins`: where it does whatever was asked for.
    `errors`: statuses to answer with, one a request.
    """

    def __init__(self) -> None:
        self.repositories: dict[str, FakeRepository] = {}
        self.asked: list[Asked] = []
        self.breaks: list[int] = []
        self.errors: list[int] = []
        self.speed = 0.0
        self.token = 'hf_fake'
        self.ranges = True
        self.begins: int | None = None
        self.served = 0
        self.lock = threading.Lock()
        self.server = _Server(('127.0.0.1', 0), _handler(self))
        self.port = self.server.server_address[1]

    @property
    def url(self) -> str:
        return f'http://127.0.0.1:{self.port}'

    @property
    def elsewhere(self) -> str:
        """Where large files are: another host, as far as a client can tell."""
        return f'http://localhost:{self.port}'

    def of(self, method: str, part: str = '') -> list[Asked]:
        return [asked for asked in self.asked if asked.method == method and part in asked.path]


@contextmanager
def serving() -> Iterator[FakeHub]:
    hub = FakeHub()
    thread = threading.Thread(target=hub.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.server.shutdown()
        hub.server.hang_up()
        hub.server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    """One that can end the connections that clients keep alive, and so their threads."""

    daemon_threads = True

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._connections: list[socket.socket] = []

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._connections.append(connection)
        return connection, address

    def hang_up(self) -> None:
        for connection in self._connections:
            with suppress(OSError):  # the client, or an answer, has ended it
                connection.shutdown(socket.SHUT_RDWR)


class _Broken(Exception):
    pass


def _handler(hub: FakeHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'

        def log_message(self, *_: Any) -> None:
            pass

        def do_HEAD(self) -> None:
            self.answer()

        def do_GET(self) -> None:
            self.answer()

        def answer(self) -> None:
            path = unquote(urlparse(self.path).path)
            token = self.headers.get('Authorization', '').removeprefix('Bearer ')
            with hub.lock:
                hub.asked.append(Asked(self.command, path, self.headers.get('Range', ''), token))
                error = hub.errors.pop(0) if hub.errors else 0
            try:
                if error:
                    self.refuse(error)
                elif match := re.fullmatch(r'/api/models/([^/]+/[^/]+)(?:/revision/(.+))?', path):
                    self.describe(match[1], match[2] or 'main', token)
                elif match := re.fullmatch(r'/([^/]+/[^/]+)/resolve/([^/]+)/(.+)', path):
                    self.resolve(match[1], match[2], match[3], token)
                elif match := re.fullmatch(r'/cdn/([^/]+/[^/]+)/(.+)', path):
                    self.give(match[1], match[2])
                else:
                    self.refuse(404)
            except (_Broken, BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def known(self, name: str, revision: str, token: str) -> FakeRepository | None:
            if token and token != hub.token:
                self.refuse(401, message='Invalid credentials in Authorization header')
                return None
            repository = hub.repositories.get(name)
            if repository is None:
                self.refuse(401 if not token else 404, 'RepoNotFound')
                return None
            if revision not in ('main', repository.commit):
                self.refuse(404, 'RevisionNotFound')
                return None
            return repository

        def describe(self, name: str, revision: str, token: str) -> None:
            repository = self.known(name, revision, token)
            if repository is None:
                return
            siblings = []
            for path in repository.files:
                data = repository.content(path)
                sibling: dict[str, Any] = {'rfilename': path, 'size': len(data)}
                if len(data) > repository.small_bytes:
                    digest = hashlib.sha256(data).hexdigest()
                    sibling['lfs'] = {'sha256': digest, 'size': len(data), 'pointerSize': 134}
                    sibling['blobId'] = 'b' * 40
                else:
                    sibling['blobId'] = repository.etag(path)
                siblings.append(sibling)
            told = {
                'id': name,
                'modelId': name,
                'sha': repository.commit,
                'gated': 'auto' if repository.gated else False,
                'private': False,
                'tags': [f'license:{repository.licence}'],
                'cardData': {'license': repository.licence},
                'siblings': siblings,
                'downloads': 0,
                'likes': 0,
            }
            self.send(200, json.dumps(told).encode(), {'Content-Type': 'application/json'})

        def resolve(self, name: str, revision: str, path: str, token: str) -> None:
            repository = self.known(name, revision, token)
            if repository is None:
                return
            if repository.gated and token != hub.token:
                self.refuse(403 if token else 401, 'GatedRepo')
                return
            if path not in repository.files or path in repository.gone:
                self.refuse(404, 'EntryNotFound', {'X-Repo-Commit': repository.commit})
                return
            data = repository.content(path)
            told = {'X-Repo-Commit': repository.commit, 'ETag': f'"{repository.etag(path)}"'}
            if len(data) <= repository.small_bytes:
                self.send(200, repository.broken.get(path, data), told)
                return
            told |= {
                'X-Linked-Etag': told['ETag'],
                'X-Linked-Size': str(len(data)),
                'Location': f'{hub.elsewhere}/cdn/{name}/{path}',
            }
            self.send(302, b'', told)

        def give(self, name: str, path: str) -> None:
            repository = hub.repositories[name]
            data = repository.broken.get(path, repository.content(path))
            begin = 0
            match = re.fullmatch(r'bytes=(\d+)-', self.headers.get('Range', ''))
            if match and hub.ranges:
                begin = int(match[1])
                if begin >= len(data):
                    self.refuse(416)
                    return
            partial = begin > 0
            if partial and hub.begins is not None:
                begin = hub.begins
            headers = {'Accept-Ranges': 'bytes'}
            if partial:
                headers['Content-Range'] = f'bytes {begin}-{len(data) - 1}/{len(data)}'
            self.send(206 if partial else 200, data[begin:], headers, paced=True)

        def send(
            self, status: int, body: bytes, headers: dict[str, str], paced: bool = False
        ) -> None:
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header('Content-Length', str(len(body)))
            self.end_headers()
            if self.command == 'HEAD':
                return
            if not paced:
                self.wfile.write(body)
                return
            for at in range(0, len(body), _PIECE):
                piece = body[at : at + _PIECE]
                with hub.lock:
                    room = hub.breaks[0] - hub.served if hub.breaks else len(piece)
                    breaks = room < len(piece)
                    piece = piece[: max(0, room)] if breaks else piece
                    hub.served += len(piece)
                    if breaks:
                        hub.breaks.pop(0)
                self.wfile.write(piece)
                self.wfile.flush()
                if breaks:
                    raise _Broken
                if hub.speed:
                    time.sleep(len(piece) / hub.speed)

        def refuse(
            self,
            status: int,
            code: str = '',
            headers: dict[str, str] | None = None,
            message: str = '',
        ) -> None:
            told = dict(headers or {})
            if code:
                told['X-Error-Code'] = code
            if message:
                told['X-Error-Message'] = message
            self.send(status, b'{"error": "no"}', told)

    return Handler


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('folder', type=Path)
    parser.add_argument('name')
    parser.add_argument('--speed', type=float, default=0.0, help='bytes a second')
    parser.add_argument('--break-at', type=int, action='append', default=[], help='bytes')
    parser.add_argument('--licence', default='cc-by-4.0')
    args = parser.parse_args()
    files: dict[str, bytes | Path] = {
        str(path.relative_to(args.folder)): path
        for path in sorted(args.folder.rglob('*'))
        if path.is_file()
    }
    with serving() as hub:
        hub.repositories[args.name] = FakeRepository(files, args.licence)
        hub.speed, hub.breaks = args.speed, args.break_at
        print(f'HF_ENDPOINT={hub.url}', flush=True)
        threading.Event().wait()


if __name__ == '__main__':
    main()
