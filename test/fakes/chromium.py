"""A real browser without a window, driven by its own protocol (CDP): for tests of the page."""

import contextlib
import itertools
import json
import shutil
import subprocess
import tempfile
import time
from base64 import b64decode
from pathlib import Path

PROGRAM = next(
    filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), ''
)
MISSING = 'needs a browser: apt install chromium'


class Browser:
    """One page of a browser."""

    def __init__(self, socket):
        self._socket, self._numbers = socket, itertools.count(1)
        self.told = []  # what the page wrote to its console, and errors
        for domain in ('Runtime', 'Page', 'Log', 'Network'):
            self.call(f'{domain}.enable')

    def call(self, method, **params):
        number = next(self._numbers)
        self._socket.send(json.dumps({'id': number, 'method': method, 'params': params}))
        while True:
            message = json.loads(self._socket.recv(timeout=30))
            if message.get('id') == number:
                assert 'error' not in message, message
                return message['result']
            self._note(message)

    def _note(self, message):
        params = message.get('params', {})
        if message.get('method') == 'Runtime.exceptionThrown':
            details = params['exceptionDetails']
            self.told.append(details.get('exception', {}).get('description', details['text']))
        elif message.get('method') == 'Log.entryAdded':
            self.told.append(params['entry']['text'])

    def open(self, url):
        self.call('Page.navigate', url=url)
        self.until(f"document.readyState === 'complete' && location.href === '{url}'")

    def run(self, script):
        """The value of an expression; promises are waited for."""
        result = self.call(
            'Runtime.evaluate', expression=script, awaitPromise=True, returnByValue=True,
            userGesture=True,
        )  # fmt: skip
        assert 'exceptionDetails' not in result, result
        return result['result'].get('value')

    def until(self, script, patience=20.0):
        """Waits until an expression is true; gives its value."""
        end = time.monotonic() + patience
        while not (value := self.run(script)):
            if time.monotonic() > end:
                return value
            time.sleep(0.05)
        return value

    def size(self, width, height, scale=1, dark=False):
        self.call(
            'Emulation.setDeviceMetricsOverride', width=width, height=height,
            deviceScaleFactor=scale, mobile=width < 600,
        )  # fmt: skip
        scheme = 'dark' if dark else 'light'
        features = [{'name': 'prefers-color-scheme', 'value': scheme}]
        self.call('Emulation.setEmulatedMedia', features=features)

    def picture(self, path):
        kind = Path(path).suffix[1:]
        quality = {'quality': 82} if kind == 'webp' else {}
        shot = self.call('Page.captureScreenshot', format=kind, **quality)
        Path(path).write_bytes(b64decode(shot['data']))

    def tree(self):
        """What a screen reader finds: (role, name) of each node that is not ignored."""
        nodes = self.call('Accessibility.getFullAXTree')['nodes']
        return [
            (n['role']['value'], n.get('name', {}).get('value', ''))
            for n in nodes
            if not n['ignored']
        ]


@contextlib.contextmanager
def browser(microphone=''):
    """A browser whose microphone is a sound file, heard once."""
    from websockets.sync.client import connect

    # What the browser started ends a little after it, and may write until then.
    with tempfile.TemporaryDirectory(prefix='kame-browser-', ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(
            [
                'nice', '-n', '10', PROGRAM, '--headless=new', '--no-sandbox', '--disable-gpu',
                '--no-first-run',
                '--disable-background-networking', '--disable-component-update',
                '--disable-dev-shm-usage', '--mute-audio', f'--user-data-dir={folder}',
                '--remote-debugging-port=0', '--autoplay-policy=no-user-gesture-required',
                '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream',
                *([f'--use-file-for-fake-audio-capture={microphone}%noloop'] if microphone else []),
                'about:blank',
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            port = Path(folder, 'DevToolsActivePort')
            end = time.monotonic() + 30
            while not (port.is_file() and port.read_text().count('\n')):
                assert time.monotonic() < end, 'the browser does not start'
                time.sleep(0.05)
            with connect(_page_socket(int(port.read_text().split()[0])), max_size=None) as socket:
                yield Browser(socket)
        finally:
            process.terminate()
            process.wait(10)


def _page_socket(port):
    from http.client import HTTPConnection

    connection = HTTPConnection('127.0.0.1', port, timeout=10)
    connection.request('GET', '/json/list')
    pages = json.loads(connection.getresponse().read())
    return next(page['webSocketDebuggerUrl'] for page in pages if page['type'] == 'page')
