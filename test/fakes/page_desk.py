"""A desk without a robot behind it, and a server of the page in a thread of its own."""

import asyncio
import contextlib
import shutil
import subprocess
import threading
import time

from realtime_robot import NotingRobot

from kame_ros.page.access import Access
from kame_ros.page.port import bound
from kame_ros.page.server import PageServer
from kame_ros.realtime.refusal import Refused

TOKEN = 'a-token-for-tests-only'


class NotingDesk:
    """Notes what it is asked for. `problem`: why nobody can talk."""

    def __init__(self):
        self.orders, self.audiences, self.heard = [], [], []
        self.problem, self.sessions, self.noting = '', 0, NotingRobot()

    def about(self):
        backends = ['embedded:smollm2-135m-instruct', 'ollama:llama3.2', 'openai:gpt-4.1']
        return {'namespace': '/robot', 'talks': True, 'backends': backends}

    async def order(self, order):
        self.orders.append(order)
        if order.get('do') == 'raise':
            raise RuntimeError('a fault of ours')
        if order.get('do') == 'refuse':
            raise Refused('this is not done')
        if order.get('do') == 'settings':
            return {'text': '', 'values': {'backend': 'ollama:llama3.2', 'persona': ''}}
        return {'text': f'done: {order.get("do")}'}

    def audience(self, pages, talks):
        self.audiences.append((pages, talks))

    def talk_problem(self):
        return self.problem

    def robot(self):
        return self.noting

    async def begun(self):
        self.sessions += 1
        return 'tiny', 'robot', 'You are Robi.'

    def hear(self, frame):
        self.heard.append(frame)

    def ended(self):
        self.sessions -= 1


class RunningPage:
    """The server, its desk, its address and the errors that it told."""

    def __init__(self, server, desk, port, errors, tls):
        self.server, self.desk, self.port, self.errors = server, desk, port, errors
        self._tls = tls

    def url(self, path='/', scheme='ws'):
        return f'{scheme}{"s" if self._tls else ""}://127.0.0.1:{self.port}{path}'

    def until(self, condition, patience=10.0):
        end = time.monotonic() + patience
        while not condition():
            if time.monotonic() > end:
                return False
            time.sleep(0.01)
        return True


@contextlib.contextmanager
def running_page(origins=(), clock=time.monotonic, tls=None):
    desk, errors = NotingDesk(), []
    server = PageServer(
        Access(TOKEN, origins), desk, clock, lambda error, where: errors.append((where, error)), tls
    )
    listening, _ = bound('127.0.0.1', 0)
    stop = threading.Event()
    thread = threading.Thread(
        target=lambda: asyncio.run(server.run(listening.dup(), stop.is_set)), daemon=True
    )
    thread.start()
    page = RunningPage(server, desk, listening.getsockname()[1], errors, tls)
    page.until(lambda: server._loop is not None)
    try:
        yield page
    finally:
        stop.set()
        thread.join(10.0)
        listening.close()


def certificate(folder):
    """A PEM file of a certificate of 127.0.0.1 and its key, for this test; None: no openssl."""
    program = shutil.which('openssl')
    if not program:
        return None
    path, key = folder / 'page.pem', folder / 'key.pem'
    subprocess.run(
        [
            program, 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1',
            '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1', '-addext',
            'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', path,
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    path.write_text(path.read_text() + key.read_text())
    return path
