"""The page node: what it listens to and when, what it passes on, and how it stops."""

from __future__ import annotations

import contextlib
import json
import socket
import threading

import pytest
from every_node import NODES
from rcl_interfaces.msg import SetParametersResult
from rcl_interfaces.srv import GetParameters, SetParametersAtomically
from realtime_robot import LOUD
from sound_nodes import REFUSED, heard, make, start
from std_msgs.msg import String
from std_srvs.srv import SetBool, Trigger

import kame_ros.msg as msg
from kame_ros.nodes.audio_capture_node import AudioCaptureNode
from kame_ros.nodes.audio_playback_node import AudioPlaybackNode
from kame_ros.nodes.common import convert, qos
from kame_ros.nodes.page_node import PageNode
from kame_ros.page.access import TOKEN_VARIABLE
from kame_ros.wire.frame import Frame
from kame_ros.wire.oracle import ChunkKind
from kame_ros.wire.turn import TurnKind

pytest.importorskip('websockets', reason='pip install websockets')
TOKEN = 'a-token-for-tests-only'


@pytest.fixture(autouse=True)
def token(monkeypatch):
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)


@pytest.fixture
def page(ros):
    node = start(ros, PageNode, port=0, talk=True)
    yield node
    node.end()


class Client:
    """A socket of the page in a thread of its own, as the test's thread spins ROS."""

    def __init__(self, node, path):
        from websockets.sync.client import connect

        self.messages = []
        address = node.counters()['address'].replace('http', 'ws')
        self._stack = contextlib.ExitStack()
        self.socket = self._stack.enter_context(connect(f'{address}{path}?token={TOKEN}'))
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        try:
            for message in self.socket:
                self.messages.append(json.loads(message))
        except Exception:
            return

    def send(self, **message):
        self.socket.send(json.dumps(message))

    def of(self, name, value):
        return [each for each in list(self.messages) if each.get(name) == value]

    def close(self):
        self._stack.close()
        self._thread.join(5)


def subscriptions(node):
    return {s.topic_name for s in node.subscriptions} - {'/parameter_events'}


def test_it_is_one_of_the_nodes():
    assert NODES['page'] is PageNode


def test_it_listens_only_while_somebody_looks(ros, page):
    assert subscriptions(page) == set()
    looks = Client(page, 'watch')
    wanted = {f'/{name}' for name in ('audio/mic', 'audio/played', 'transcript', 'monologue')}
    assert ros.until(lambda: wanted <= subscriptions(page))
    assert {'/turn', '/oracle', '/muted', '/diagnostics'} <= subscriptions(page)
    talks = Client(page, 'v1/realtime')
    assert ros.until(lambda: talks.of('type', 'session.created'))
    looks.close()
    assert ros.until(lambda: '/audio/mic' not in subscriptions(page))
    assert '/audio/played' in subscriptions(page)
    talks.close()
    assert ros.until(lambda: not subscriptions(page))


def test_what_passes_is_shown_and_told(ros, page):
    looks, talks = Client(page, 'watch'), Client(page, 'v1/realtime')
    turn = page.create_publisher(msg.TurnEvent, 'turn', qos.TEXT)
    played = page.create_publisher(msg.AudioFrame, 'audio/played', qos.AUDIO_OFFER)
    words = page.create_publisher(msg.MonologueToken, 'monologue', qos.TEXT)
    ready = (turn, played, words)
    assert ros.until(lambda: all(each.get_subscription_count() for each in ready))
    assert ros.until(lambda: talks.of('type', 'session.created'))
    t = page.clock.now()
    turn.publish(msg.TurnEvent(header=convert.header(t), kind=TurnKind.ROBOT_SPEECH_START))
    words.publish(msg.MonologueToken(header=convert.header(t), seq=3, text='Hello', source='llm'))
    assert ros.until(lambda: talks.of('type', 'response.created'))
    played.publish(convert.frame_to_message(Frame(0, t + 0.1, LOUD, source_seq=3)))
    assert ros.until(lambda: talks.of('type', 'response.output_audio.delta'))
    assert ros.until(
        lambda: [
            each
            for message in looks.of('kind', 'now')
            for each in message.get('happenings', ())
            if (each['what'], each.get('text')) == ('word', 'Hello')
        ]
    )
    looks.close(), talks.close()


def test_the_sound_of_who_talks_is_on_audio_in(ros, page):
    import base64

    frames = heard(page, 'audio/in')
    talks = Client(page, 'v1/realtime')
    audio = base64.b64encode(LOUD.astype('<i2').tobytes()).decode()
    for _ in range(3):
        talks.send(type='input_audio_buffer.append', audio=audio)
    assert ros.until(lambda: sum(max(frame.data) == LOUD[0] for frame in frames) == 3)
    assert [frame.seq for frame in frames][:3] == [0, 1, 2]
    assert {frame.sample_rate for frame in frames} == {24_000}
    talks.close()


def test_what_somebody_wants_reaches_the_robot(ros, page):
    done, values = [], {'persona': 'You are Robi.', 'backend': 'tiny'}

    def trigger(name):
        def answer(request, response):
            done.append(name)
            response.success, response.message = name != 'reset', f'{name} was heard'
            return response

        return answer

    def mute(request, response):
        done.append(request.data)
        response.success = True
        return response

    def set_all(request, response):
        given = {p.name: p.value.string_value for p in request.parameters}
        wrong = given.get('backend') == 'wrong'
        response.result = SetParametersResult(successful=not wrong, reason='no such LLM')
        values.update({} if wrong else given)
        return response

    def get_all(request, response):
        from rclpy.parameter import Parameter

        response.values = [
            Parameter('x', value=values[n]).to_parameter_msg().value if n in values
            else Parameter('x').to_parameter_msg().value
            for n in request.names
        ]  # fmt: skip
        return response

    for kind, name, answer in (
        (Trigger, 'interrupt', trigger('interrupt')),
        (Trigger, 'reset', trigger('reset')),
        (SetBool, 'mute', mute),
        (SetParametersAtomically, 'oracle/set_parameters_atomically', set_all),
        (GetParameters, 'oracle/get_parameters', get_all),
    ):
        page.create_service(kind, name, answer)
    chunks, typed, facts = [], [], []
    page.create_subscription(msg.OracleChunk, 'oracle', chunks.append, qos.TEXT)
    page.create_subscription(String, 'typed', lambda m: typed.append(m.data), qos.TEXT)
    page.create_subscription(String, 'facts', lambda m: facts.append(m.data), qos.TEXT)
    looks = Client(page, 'watch')

    def told(**order):
        looks.send(id=len(looks.messages), **order)
        before = len(looks.of('kind', 'done'))
        assert ros.until(lambda: len(looks.of('kind', 'done')) > before), order
        message = looks.of('kind', 'done')[-1]
        return message['ok'], message['text']

    clients = page._desk._asking._clients
    for name in ('interrupt', 'reset', 'mute', 'oracle/get_parameters'):
        assert ros.until(clients[name].service_is_ready)
    assert ros.until(clients['oracle/set_parameters_atomically'].service_is_ready)
    assert told(do='interrupt') == (True, 'interrupt was heard')
    assert told(do='reset') == (False, 'reset was heard')
    assert told(do='mute', on=True)[0]
    assert done == ['interrupt', 'reset', True]
    assert told(do='say', text='My battery is low.')[0]
    assert told(do='say', text='…')[0] is False
    assert ros.until(lambda: len(chunks) == 3)
    assert [c.kind for c in chunks] == [ChunkKind.BEGIN, ChunkKind.TEXT, ChunkKind.END]
    assert (chunks[1].text, chunks[1].priority) == ('My battery is low.', 10)
    assert told(do='ask', text=' What is\n two? ')[0]
    assert told(do='fact', text='battery: 40 %')[0]
    assert "'name: text'" in told(do='fact', text='battery 40 %')[1]
    assert ros.until(lambda: typed == ['What is two?'] and facts == ['battery: 40 %'])
    assert told(do='set', name='persona', value='You are Mia.')[0]
    assert told(do='set', name='backend', value='wrong') == (False, 'no such LLM')
    assert told(do='set', name='prompt_file', value='/etc/passwd')[0] is False
    assert told(do='settings')[0]
    assert looks.of('kind', 'done')[-1]['values'] == {'persona': 'You are Mia.', 'backend': 'tiny'}
    assert told(do='ask', text='x' * 3_000)[0] is False
    assert told(do='ear', where='the moon')[0] is False
    ok, text = told(do='ear', where='page')
    assert not ok
    assert 'nobody offers audio_capture/get_state' in text
    assert told(do='nothing')[0] is False
    # Who the robot is for one who talks, it is no longer when they are gone.
    talks = Client(page, 'v1/realtime')
    assert ros.until(lambda: talks.of('type', 'session.created'))
    talks.send(type='session.update', session={'instructions': 'You are Tom.'})
    assert ros.until(lambda: values['persona'] == 'You are Tom.')
    talks.close()
    assert ros.until(lambda: values['persona'] == 'You are Mia.')
    looks.close()
    assert page.totals()['callbacks_failed'] == 0


def test_a_robot_with_a_sound_card_refuses_who_wants_to_talk(ros):
    node = start(ros, PageNode, port=0)
    talks = Client(node, 'v1/realtime')
    assert ros.until(lambda: talks.of('type', 'error'))
    assert '--page talk' in talks.messages[0]['error']['message']
    node.end()


def test_it_is_activated_again_on_the_same_port(ros, page):
    address = page.counters()['address']
    for _ in range(2):
        assert page.trigger_deactivate()
        assert page.trigger_activate()
    assert page.counters()['address'] == address
    looks = Client(page, 'watch')
    assert ros.until(lambda: looks.of('kind', 'all'))
    looks.close()


def test_a_port_that_is_taken_is_passed_over(ros):
    with socket.socket() as other:
        other.bind(('127.0.0.1', 0))
        other.listen()
        port = other.getsockname()[1]
        node = start(ros, PageNode, port=port)
        assert not node.counters()['address'].endswith(f':{port}/')
        node.end()


@pytest.mark.parametrize(
    ('parameters', 'words'),
    [
        ({'host': '192.0.2.1'}, '192.0.2.1'),
        ({'host': 'no such host'}, 'no such host'),
        ({'certificate': 'examples/question.wav'}, 'no certificate with its key'),
        ({'certificate': 'none.pem'}, 'none.pem'),
    ],
)
def test_what_cannot_be_served_is_said(ros, parameters, words):
    node = make(ros, PageNode, port=0, **parameters)
    assert node.trigger_configure() == REFUSED
    assert words in node.fault


def test_a_token_that_cannot_be_used_is_said(ros, monkeypatch):
    monkeypatch.setenv(TOKEN_VARIABLE, 'short')
    node = make(ros, PageNode, port=0)
    assert node.trigger_configure() == REFUSED
    assert TOKEN_VARIABLE in node.fault
    assert 'short' not in node.fault


def test_without_a_token_in_the_environment_one_is_made_and_printed(ros, monkeypatch, capsys):
    monkeypatch.delenv(TOKEN_VARIABLE)
    node = start(ros, PageNode, port=0)
    link = capsys.readouterr().out
    assert node.counters()['address'] in link
    assert len(link.partition('#')[2].strip()) == 40
    assert link.partition('#')[2].strip() not in str(node.totals())
    node.end()


def test_ear_and_mouth_are_changed_while_they_run_or_stay_as_they_were(ros, page):
    ear = start(ros, AudioCaptureNode, source='silence')
    mouth = start(ros, AudioPlaybackNode, sink='null')
    for node in (ear, mouth):
        node.transitions.serve()
    clients = page._desk._asking._clients
    names = [name for name in clients if name.startswith('audio_')]
    assert len(names) == 8
    assert ros.until(lambda: all(clients[name].service_is_ready() for name in names))
    looks = Client(page, 'watch')

    def told(**order):
        before = len(looks.of('kind', 'done'))
        looks.send(do='ear', **order)
        assert ros.until(lambda: len(looks.of('kind', 'done')) > before, 30.0)
        message = looks.of('kind', 'done')[-1]
        return message['ok'], message['text']

    assert told(where='page')[0]
    assert (ear.param('source'), ear.param('topic_may_pause')) == ('topic', True)
    assert ear.active
    assert mouth.active
    # No sound card of this name: all is put back.
    ok, text = told(where='device', microphone='no such card', loudspeaker='no such card')
    assert not ok
    assert 'as they were' in text
    assert (ear.param('source'), mouth.param('sink')) == ('topic', 'null')
    assert ear.active
    assert mouth.active
    assert {'talks': True} in [message['state'] for message in looks.of('kind', 'state')]
    looks.close()
