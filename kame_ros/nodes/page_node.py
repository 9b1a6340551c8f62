"""The page: shows the conversation in a browser, and lets anybody join it from there."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import threading
from collections.abc import Sequence
from typing import Any

from kame_ros.graph.page import page_link
from kame_ros.nodes.common.base import KameNode
from kame_ros.nodes.common.run import run
from kame_ros.nodes.page.robot_desk import RobotDesk
from kame_ros.nodes.page.senses import Senses
from kame_ros.page import access, port
from kame_ros.runtime.owner import OwnerThread
from kame_ros.settings.param import FILE, HOST, Param


class PageNode(KameNode):
    """Serves a page, and a WebSocket of OpenAI's Realtime protocol, to who knows the token.

    The token comes from the environment (KAME_PAGE_TOKEN), or is made anew and printed. While
    no page is open and nobody talks, the node listens to no topic.
    """

    PARAMETERS = (
        Param(
            'host',
            '127.0.0.1',
            'The address to serve on: this machine only, an address of it, or 0.0.0.0.',
            names=HOST,
        ),
        Param('port', 8_100, 'The port; if it is taken, the next free one.', 0, 65_535),
        Param(
            'talk',
            False,
            'Whether the ear and the mouth of the robot are who talks through the socket '
            '(audio_capture.source is topic, audio_playback.sink null).',
        ),
        Param(
            'origins',
            [''],
            'Other web sites whose pages may connect, and further names of this machine: '
            'https://example.org.',
        ),
        Param(
            'certificate',
            '',
            'A PEM file of a certificate and its key: the page is https then, which browsers want '
            'for a microphone that is not of this machine.',
            names=FILE,
        ),
    )
    WARN_WHEN_GROWING = (
        'pages_cut',
        'sessions_cut',
        'sockets_failed',
        'refused_tokens',
        'refused_origins',
        'refused_hosts',
        'page_dropped',
    )

    def __init__(self, **options: Any) -> None:
        self._server: Any = None
        self._desk: RobotDesk | None = None
        self._senses: Senses | None = None
        self._listening: socket.socket | None = None
        self._thread: OwnerThread | None = None
        self._address = ''
        super().__init__('page', **options)

    def load(self) -> None:
        try:
            from kame_ros.page.server import PageServer
        except ModuleNotFoundError as error:
            raise ImportError(
                f'the page needs the package {error.name}; get it with: pip install websockets'
            ) from error
        token = self._token()
        tls = self._tls()
        self._listening, taken = port.bound(self.param('host'), self.param('port'))
        self._address = self._address_of(self._listening, tls is not None)
        if taken:
            self.get_logger().warning(f'{taken}: the page is on {self._address}')
        if not access.is_here(self.param('host')) and tls is None:
            self.get_logger().warning(
                'the token and the sound pass through the network as plain text: give it a '
                'certificate, or use a tunnel (ssh -L)'
            )
        self._desk = RobotDesk(self, self.param('talk'), self._on_audience, self._show)
        self._server = PageServer(
            access.Access(token, filter(None, self.param('origins'))),
            self._desk,
            self.clock.now,
            self.survive,
            tls,
        )
        self._senses = Senses(self, self._server.tell, self._show)
        self._server.show(talks=self.param('talk'))
        if not os.environ.get(access.TOKEN_VARIABLE):
            # To the terminal of who started it, not to a log that others read.
            print(f'the page: {page_link(self._address, token)}', flush=True)

    def start(self) -> None:
        self._thread = self.owner('page', self._serve)
        self._thread.start()

    def stop(self) -> None:
        if self._thread:
            self._thread.stop()
            self._thread = None
        if self._senses:
            self._senses.want(False, False)

    def unload(self) -> None:
        if self._listening:
            self._listening.close()
        self._server = self._desk = self._senses = self._listening = None

    def counters(self) -> dict[str, float | str]:
        desk, server = self._desk, self._server
        return {
            'address': self._address,
            'sound_frames': desk.frames_heard if desk else 0,
            **(server.counters() if server else {}),
        }

    def _token(self) -> str:
        """That of the environment, or of an earlier life of this node, or a new one."""
        try:
            given = access.given_token()
        except access.BadToken as error:
            raise ValueError(str(error)) from error
        kept = given or str(self.memory.get('token') or '') or access.new_token()
        if not given:
            self.memory.set(token=kept)
        return kept

    def _tls(self) -> ssl.SSLContext | None:
        path = self.param('certificate')
        if not path:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(path, password=lambda: '')
        except (OSError, ssl.SSLError) as error:
            raise ValueError(f'{path} is no certificate with its key: {error}') from error
        return context

    def _address_of(self, listening: socket.socket, tls: bool) -> str:
        host, number = listening.getsockname()[:2]
        if host in ('0.0.0.0', '::'):
            host = socket.gethostname()
        host = f'[{host}]' if ':' in host else host
        return f'{"https" if tls else "http"}://{host}:{number}/'

    def _serve(self, stop: threading.Event) -> None:
        """The owner of the server and of the model that it shows."""
        assert self._server is not None
        assert self._listening is not None
        # The server closes the socket that it gets: a node that is activated again needs one, too.
        asyncio.run(self._server.run(self._listening.dup(), stop.is_set))

    def _show(self, **state: Any) -> None:
        if self._server:
            self._server.show(**state)

    def _on_audience(self, pages: int, talks: bool) -> None:
        """In the server's thread: the subscriptions are made and ended in the executor's."""
        executor = self.executor
        if executor is not None:
            executor.create_task(self._listen, pages > 0, talks)

    def _listen(self, pages: bool, talks: bool) -> None:
        if self._senses and self.active:
            self._senses.want(pages, talks)


def main(args: Sequence[str] | None = None) -> int:
    """Runs the node."""
    return run(PageNode, args)


if __name__ == '__main__':
    raise SystemExit(main())
