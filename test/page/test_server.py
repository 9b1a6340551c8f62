"""The server of the page: who is let in, what pages and talkers are told, and what harms nobody."""

import contextlib
import http.client
import json
import socket
import time

import numpy as np
import pytest
from page_desk import TOKEN, running_page
from realtime_robot import LOUD
from scripted_conversation import QUESTION, play
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from kame_ros.page.watching import MOST_PAGES

KEY = {'additional_headers': {'Authorization': f'Bearer {TOKEN}'}}


def watch(page, **options):
    options = {'subprotocols': ['kame', f'kame-token.{TOKEN}'], **options}
    return connect(page.url('/watch'), **options)


def talk(page, **options):
    return connect(page.url('/v1/realtime?model=tiny'), **{**KEY, **options})


def told(socket, patience=5.0):
    return json.loads(socket.recv(timeout=patience))


def next_of(socket, kind, name='kind'):
    """The next message of this kind."""
    for _ in range(500):
        message = told(socket)
        if message[name] == kind:
            return message
    raise AssertionError(f'no {kind} came')


def hang_up(socket, text='', times=1):
    """Sends a text so often, if it is one; gives the code with which the server hangs up."""
    try:
        for _ in range(times if text else 0):
            socket.send(text)
        while True:
            told(socket)
    except ConnectionClosed as closed:
        return closed.rcvd.code


def get(page, path, **headers):
    connection = http.client.HTTPConnection('127.0.0.1', page.port, timeout=5)
    connection.request('GET', path, headers=headers)
    response = connection.getresponse()
    return response, response.read()


@pytest.mark.parametrize(
    ('path', 'kind'),
    [('/', 'text/html'), ('/page.js', 'text/javascript'), ('/page.css', 'text/css')],
)
def test_the_files_are_served_with_a_policy_and_without_a_token(page, path, kind):
    response, body = get(page, path)
    assert (response.status, response.headers.get_content_type()) == (200, kind)
    assert len(body) > 500
    assert "default-src 'self'" in response.headers['Content-Security-Policy']
    assert 'http://' not in body.decode().replace('http://www.w3.org/2000/svg', '')


@pytest.mark.parametrize(
    'path', ['/../server.py', '/files', '/page.js/', '//etc/passwd', '/%2e%2e']
)
def test_there_are_no_other_files(page, path):
    assert get(page, path)[0].status == 404


def test_a_name_that_is_led_here_by_a_strangers_dns_is_refused(page):
    for host in ('evil.example', 'evil.example:80', '127.0.0.1.evil.example', '', '[', 'x:y:z'):
        assert get(page, '/', Host=host)[0].status == 403, host
    for host in ('localhost:9', '127.0.0.1', '[::1]:5', '192.168.1.2', socket.gethostname()):
        assert get(page, '/', Host=host)[0].status == 200, host
    assert page.server.counters()['refused_hosts'] == 6


def raw(page, *parts):
    """What the server answers to these bytes, all of it: status, headers and body."""
    with socket.create_connection(('127.0.0.1', page.port), timeout=5.0) as client:
        for part in parts:
            client.sendall(part)
        response = http.client.HTTPResponse(client)
        response.begin()
        return response, response.read()


@pytest.mark.parametrize('method', ['POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'BREW', 'get'])
@pytest.mark.parametrize('path', ['/', '/v1/realtime', '/v1/chat/completions'])
def test_another_method_is_told_which_there_are(page, method, path):
    connection = http.client.HTTPConnection('127.0.0.1', page.port, timeout=5)
    connection.request(method, path, body=None if method == 'HEAD' else b'x' * 300_000)
    response = connection.getresponse()
    assert (response.status, response.headers['Allow']) == (405, 'GET')
    assert (response.read() == b'') == (method == 'HEAD')
    assert page.server.counters()['refused_requests'] == 1


@pytest.mark.parametrize(
    'parts',
    [
        (b'hello\r\n\r\n',),
        (b'hello\n',),
        (b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',),  # TLS on a port without it
        (b'\r\n\r\n',),
        (b'GET / HTTP/2.0\r\n\r\n',),
        (b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',),
        (b'GET  / HTTP/1.1\r\n\r\n',),
        (b'GET / HTTP/1.1\nHost: localhost\n\n',),
        (b'GET /\xc3\xb6 HTTP/1.1\r\n\r\n',),
        (b'GET / HTTP/1.1\r\nno field\r\n\r\n',),
        (b'GET / HTTP/1.1\r\nA: \x00\r\n\r\n',),
        (b'GET / HTTP/1.1\r\nContent-Length: 3\r\n\r\n', b'abc'),
        (b'GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n', b'0\r\n\r\n'),
    ],
)
def test_what_is_no_request_is_answered(page, parts):
    response, body = raw(page, *parts)
    assert response.status == 400
    assert body.strip()
    assert page.server.counters()['refused_requests'] == 1


@pytest.mark.parametrize('size', [1, 7, 40])
def test_a_request_may_come_in_pieces(page, size):
    head = b'GET /page.css HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nX-Y: a b\r\n\r\n'
    response, body = raw(page, *(head[at : at + size] for at in range(0, len(head), size)))
    assert (response.status, len(body) > 500) == (200, True)


@pytest.mark.parametrize(
    ('head', 'status'),
    [
        (b'GET /%b HTTP/1.1\r\n\r\n' % (b'a' * 100_000), 414),
        (b'GET / HTTP/1.1\r\nA: %b\r\n\r\n' % (b'a' * 100_000), 431),
        (b'GET / HTTP/1.1\r\n%b\r\n' % (b'A: b\r\n' * 1_000), 431),
    ],
)
def test_a_head_that_is_too_long_is_answered(page, head, status):
    assert raw(page, head)[0].status == status


def test_a_socket_that_is_asked_for_as_a_page_is_told_what_it_is(page):
    response, body = get(page, '/v1/realtime')
    assert (response.status, response.headers['Upgrade']) == (426, 'websocket')
    assert b'WebSocket' in body


@pytest.mark.parametrize('path', ['/watch', '/v1/realtime'])
@pytest.mark.parametrize(
    'headers',
    [
        {},
        {'Authorization': 'Bearer wrong'},
        {'Authorization': f'Basic {TOKEN}'},
        {'Authorization': f'Bearer {TOKEN[:-1]}'},
        {'Authorization': 'Bearer ö'},
        {'Sec-WebSocket-Protocol': 'kame, kame-token.'},
    ],
)
def test_without_the_token_nobody_comes_in(page, path, headers):
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(page.url(path), additional_headers=headers),
    ):
        pass
    assert refused.value.response.status_code == 401
    assert b'link' in refused.value.response.body
    assert page.server.counters()['refused_tokens'] == 1
    assert page.desk.audiences == []


def test_the_token_is_told_in_any_way_that_clients_know(page):
    for options in (
        {'additional_headers': {'api-key': TOKEN}},
        {'subprotocols': ['realtime', f'openai-insecure-api-key.{TOKEN}']},
    ):
        with connect(page.url('/watch'), **options) as socket:
            assert told(socket)['kind'] == 'all'
    with connect(page.url(f'/watch?token={TOKEN}')) as socket:
        assert told(socket)['kind'] == 'all'


def test_pages_of_other_web_sites_may_not_connect():
    with running_page(origins=['https://friend.example']) as page:
        for origin in ('http://evil.example', 'null', f'http://localhost:{page.port}', 'file://'):
            with pytest.raises(InvalidStatus) as refused, watch(page, origin=origin):
                pass
            assert refused.value.response.status_code == 403
        assert page.server.counters()['refused_origins'] == 4
        for origin in (f'http://127.0.0.1:{page.port}', 'https://friend.example'):
            with watch(page, origin=origin) as socket:
                assert told(socket)['kind'] == 'all'


def test_a_page_is_told_what_passes():
    t = [1_000.0]
    with running_page(clock=lambda: t[0]) as page, watch(page) as socket:
        assert next_of(socket, 'all')['happenings'] == []
        t[0] = 1_012.0
        play(Feeding(page.server), QUESTION, user=[(1.0, 3.0)], robot=[(3.84, 5.1)])
        happenings = []
        while 'latency' not in [each['what'] for each in happenings]:
            message = told(socket)
            happenings += message.get('happenings', [])
        kinds = [each['what'] for each in happenings]
        for kind in ('partial', 'asked', 'first_word', 'adopted', 'dropped', 'word', 'final'):
            assert kind in kinds
        assert -90 <= message['heard'] <= 0
        with watch(page) as late:
            everything = told(late)
        assert everything['turns'][0]['said'] == 'The capital is Paris.'
        assert [e['number'] for e in everything['happenings']] == [e['number'] for e in happenings]
    assert page.errors == []


class Feeding:
    """Tells a server what a consumer is told."""

    def __init__(self, server):
        self._server = server

    def __getattr__(self, name):
        return lambda *told: self._server.tell(name, *told)


def test_nobody_is_listened_to_when_nobody_looks(page):
    with watch(page) as first, watch(page) as second:
        assert told(first)['kind'] == told(second)['kind'] == 'all'
        assert page.desk.audiences == [(1, False), (2, False)]
    assert page.until(lambda: page.desk.audiences[-1] == (0, False))
    with talk(page) as socket:
        told(socket)
        assert page.desk.audiences[-1] == (0, True)
    assert page.until(lambda: page.desk.audiences[-1] == (0, False))


def test_orders_are_done_or_refused_in_words(page):
    with watch(page) as socket:
        for text, ok, words in (
            ('{"do": "mute", "on": true, "id": 1}', True, 'done: mute'),
            ('{"do": "refuse", "id": 2}', False, 'this is not done'),
            ('{"do": "raise", "id": 3}', False, 'see the log'),
            ('garbage', False, 'Expecting'),
            ('[]', False, 'object'),
            (b'\xff\xfe', False, ''),
            ('{"do": "mute", "on": true, "id": "\\ud800"}', False, 'half a character'),
            (b'{"do": "mute", "on": true, "id": "\xed\xa0\x80"}', False, 'half a character'),
            ('[' * 9_000, False, ''),
            ('x' * 20_000, False, 'too much'),
        ):
            socket.send(text)
            done = next_of(socket, 'done')
            assert done['ok'] is ok
            assert words in done['text']
        socket.send('{"do": "stop", "id": 4}')
        assert next_of(socket, 'done')['id'] == 4
    assert [where for where, _ in page.errors] == ['the order raise']


def test_more_pages_than_there_may_be_are_refused_and_the_others_go_on(page):
    with contextlib.ExitStack() as stack:
        looking = [stack.enter_context(watch(page)) for _ in range(MOST_PAGES)]
        for _ in range(20 - MOST_PAGES):
            with watch(page) as late, pytest.raises(ConnectionClosed) as closed:
                told(late)
            assert closed.value.rcvd.code == 1013
        for each in looking:
            assert next_of(each, 'all')
            assert next_of(each, 'now')
    assert page.server.counters()['refused_full'] == 12
    assert page.until(lambda: page.server.counters()['pages'] == 0)


def test_one_talks_and_one_more_is_told_so(page):
    with talk(page) as socket:
        assert told(socket)['type'] == 'session.created'
        with talk(page) as second:
            error = told(second)
            assert error['type'] == 'error'
            assert 'one at a time' in error['error']['message']
            with pytest.raises(ConnectionClosed) as closed:
                told(second)
            assert 'one at a time' in closed.value.rcvd.reason
        socket.send('{"type": "response.cancel"}')
        assert told(socket)['error']['code'] == 'response_cancel_not_active'
    assert page.until(lambda: page.desk.sessions == 0)
    with talk(page) as socket:
        assert told(socket)['type'] == 'session.created'


def test_a_robot_with_a_sound_card_says_why_nobody_can_talk(page):
    page.desk.problem = 'this robot hears by its sound card'
    with talk(page) as socket:
        assert 'sound card' in told(socket)['error']['message']


def test_sound_is_given_on_frame_by_frame(page):
    import base64

    with talk(page) as socket:
        told(socket)
        audio = base64.b64encode(LOUD.astype('<i2').tobytes()).decode()
        for _ in range(3):
            socket.send(json.dumps({'type': 'input_audio_buffer.append', 'audio': audio}))
        assert page.until(lambda: sum(f.peak > 0 for f in page.desk.heard) == 3)
        assert np.array_equal(page.desk.heard[0].samples, LOUD)
        assert page.until(lambda: len(page.desk.heard) >= 6)  # who is silent is heard as silent


def test_the_dialect_is_that_of_the_client(page):
    headers = {**KEY['additional_headers'], 'OpenAI-Beta': 'realtime=v1'}
    with talk(page, additional_headers=headers) as socket:
        assert 'input_audio_format' in told(socket)['session']
    token = f'openai-insecure-api-key.{TOKEN}'
    names = ['realtime', token, 'openai-beta.realtime-v1']
    assert page.until(lambda: page.desk.sessions == 0)
    with connect(page.url('/v1/realtime'), subprotocols=names) as socket:
        assert socket.subprotocol == 'realtime'
        assert 'input_audio_format' in told(socket)['session']


def test_garbage_on_the_socket_ends_only_that_socket(page, capsys):
    with watch(page) as other:
        told(other)
        with talk(page) as socket:
            told(socket)
            socket.send(b'\x00' * 1_000)
            assert 'JSON' in told(socket)['error']['message']
            assert hang_up(socket, 'garbage', 2_000) == 1008
        assert page.until(lambda: page.server.counters()['sessions'] == 0)
        with talk(page) as socket:
            told(socket)
            assert hang_up(socket, 'x' * (16 << 20)) == 1009
        with socket_of(page) as raw:
            raw.sendall(b'\x16\x03\x01' + bytes(range(256)) * 10 + b'\r\n\r\n')
            assert b'101' not in raw.recv(4_096)
        assert next_of(other, 'now')
    assert page.errors == []
    assert 'Traceback' not in ''.join(capsys.readouterr())


def socket_of(page):
    return socket.create_connection(('127.0.0.1', page.port), timeout=5)


def test_a_page_that_reads_nothing_is_sent_away_and_the_others_go_on(page):
    """Its queue is bounded: what the network does not take is not kept."""
    request = (
        f'GET /watch?token={TOKEN} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n'
        'Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
        'Sec-WebSocket-Version: 13\r\n\r\n'
    )
    with watch(page) as other, socket_of(page) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        deaf.sendall(request.encode())
        assert page.until(lambda: page.server.counters()['pages'] == 2)
        big = 'x' * 200_000
        for _ in range(400):
            page.server.show(muted=big)
            if page.server.counters()['pages_cut']:
                break
            told(other)
            time.sleep(0.002)
        assert page.server.counters()['pages_cut'] == 1
        assert next_of(other, 'state')


def test_a_fault_in_what_passes_is_told_and_ends_nothing(page):
    with watch(page) as socket:
        told(socket)
        page.server.tell('on_turn', None)
        page.server.tell('on_no_such_thing', None)
        assert page.until(lambda: page.errors)
        assert next_of(socket, 'now')
    assert [where for where, _ in page.errors] == ['on_turn']
    assert page.server.counters()['sockets_failed'] == 1


def test_it_stops_with_sockets_open():
    with contextlib.ExitStack() as stack:
        with running_page() as page:
            ways = (watch, watch, watch, talk)
            sockets = [stack.enter_context(way(page)) for way in ways]
            for each in sockets:
                told(each)
        assert page.desk.sessions == 0
        assert [hang_up(each) for each in sockets] == [1001] * 4
