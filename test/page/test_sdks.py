"""OpenAI's own SDKs, unmodified, talk with a robot: only the address is another."""

import asyncio
import base64
import json
import os
import shutil
import ssl
import subprocess
from pathlib import Path

import numpy as np
import pytest
from page_desk import TOKEN, certificate, running_page
from realtime_robot import LOUD, QUIET

from kame_ros.wire.frame import Frame
from kame_ros.wire.monologue import MonologueToken
from kame_ros.wire.transcript import Transcript
from kame_ros.wire.turn import TurnEvent, TurnKind

openai = pytest.importorskip('openai', reason='pip install openai websockets')
ROOT = Path(__file__).parents[2]
MODULES = ROOT / 'build/js/node_modules'
NODE = shutil.which('node') or ''
javascript = pytest.mark.skipif(
    not (NODE and (MODULES / '@openai/agents').is_dir()),
    reason="OpenAI's JavaScript SDKs are not here: make setup-js (needs nodejs and npm)",
)
WORDS = ('Two and two', ' is four.')


@pytest.fixture
def robot(page):
    """A page whose robot answers each text."""
    return answering(page)


@pytest.fixture
def safe_robot(tmp_path):
    """The same with a certificate: some of the SDKs know only wss."""
    path = certificate(tmp_path)
    if path is None:
        pytest.skip('needs openssl, which makes a certificate: apt install openssl')
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(path)
    with running_page(tls=tls) as page:
        page.certificate = str(path)
        yield answering(page)


def answering(page):
    def ask(text):
        page.desk.noting.asked.append(text)
        answer(page)
        return ''

    page.desk.noting.ask = ask
    return page


def answer(page):
    t = 1_000.0
    page.server.tell('on_turn', TurnEvent(TurnKind.ROBOT_SPEECH_START, t))
    for seq, word in enumerate(WORDS):
        page.server.tell('on_monologue', MonologueToken(seq, t, word, 'llm', 1))
    for seq in range(20):
        page.server.tell('on_played', Frame(seq, t, LOUD if 2 <= seq < 12 else QUIET))
        if seq == 12:
            page.server.tell('on_turn', TurnEvent(TurnKind.ROBOT_SPEECH_END, t))


async def conversation(connect, session):
    """Says who the robot is, writes to it, and gives all events of its answer."""
    events = []
    async with connect(model='kame') as connection:
        await connection.session.update(session=session)
        await connection.conversation.item.create(
            item={
                'type': 'message',
                'role': 'user',
                'content': [{'type': 'input_text', 'text': 'What is two and two?'}],
            }
        )
        await connection.response.create()
        async for event in connection:
            events.append(event)
            if event.type == 'response.done':
                return events
    raise AssertionError('hung up')


def client(page):
    return openai.AsyncOpenAI(base_url=page.url('/v1', 'http'), api_key=TOKEN, max_retries=0)


def test_the_python_sdk(robot):
    session = {'type': 'realtime', 'instructions': 'You are Mia.'}
    events = asyncio.run(conversation(client(robot).realtime.connect, session))
    assert_answered(robot, events, 'output_audio')


def test_the_python_sdk_of_the_beta(safe_robot, monkeypatch):
    monkeypatch.setenv('SSL_CERT_FILE', safe_robot.certificate)
    connect = client(safe_robot).beta.realtime.connect
    events = asyncio.run(conversation(connect, {'instructions': 'You are Mia.'}))
    assert_answered(safe_robot, events, 'audio')


def assert_answered(robot, events, middle):
    sound = [e.delta for e in events if e.type == f'response.{middle}.delta']
    words = [e.delta for e in events if e.type == f'response.{middle}_transcript.delta']
    assert tuple(words) == WORDS
    pcm = np.frombuffer(b''.join(map(base64.b64decode, sound)), '<i2')
    assert np.count_nonzero(pcm) == 10 * len(LOUD)
    updated = next(e for e in events if e.type == 'session.updated')
    assert updated.session.instructions == 'You are Mia.'
    assert events[-1].response.status == 'completed'
    assert not [e for e in events if e.type == 'error']
    assert robot.desk.noting.personas == ['You are Mia.']
    # Each event is read as its own type: none fell back to that of another.
    for event in events:
        name = event.type.replace('.output_', '.').replace('.', '_').title().replace('_', '')
        known = type(event).__name__.removesuffix('Event').replace('Output', '')
        assert name.replace('Output', '') == known, event
    assert robot.errors == []


def test_the_python_sdk_hears_who_speaks_and_sees_errors(robot):
    async def body():
        async with client(robot).realtime.connect(model='kame') as connection:
            assert (await connection.recv()).type == 'session.created'
            audio = base64.b64encode(LOUD.astype('<i2').tobytes()).decode()
            await connection.input_audio_buffer.append(audio=audio)
            robot.server.tell('on_turn', TurnEvent(TurnKind.USER_SPEECH_START, 1.0, utterance=1))
            robot.server.tell('on_turn', TurnEvent(TurnKind.USER_SPEECH_END, 2.0, utterance=1))
            robot.server.tell('on_transcript', Transcript(1, 0, 'Hello there.', 12, True, 1.0, 2.0))
            events = [await connection.recv() for _ in range(7)]
            await connection.conversation.item.delete(item_id=events[0].item_id)
            return events, await connection.recv()

    events, error = asyncio.run(asyncio.wait_for(body(), 20))
    assert [event.type.rpartition('.')[2] for event in events] == [
        'speech_started',
        'speech_stopped',
        'committed',
        'added',
        'done',
        'delta',
        'completed',
    ]
    assert events[-1].transcript == 'Hello there.'
    assert (error.type, error.error.code) == ('error', 'unsupported')


def script(page, tmp_path, sdk, path='/v1/realtime?model=kame'):
    """What a script with an SDK of JavaScript has got."""
    (tmp_path / 'node_modules').symlink_to(MODULES)
    target = tmp_path / 'agents_session.mjs'
    shutil.copy(Path(__file__).with_name('agents_session.mjs'), target)
    done = subprocess.run(
        [NODE, target, page.url(path), TOKEN, sdk],
        env={**os.environ, 'NODE_EXTRA_CA_CERTS': getattr(page, 'certificate', '')},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@javascript
def test_the_javascript_agents_sdk(robot, tmp_path):
    got = script(robot, tmp_path, 'agents')
    assert got['text'] == ''.join(WORDS), got
    assert got['samples'] >= 10 * len(LOUD)
    assert got['errors'] == []
    assert robot.desk.noting.personas == ['You are Mia.']
    assert 'session.updated' in got['types']


@javascript
@pytest.mark.parametrize('sdk', ['openai', 'beta'])
def test_the_javascript_sdk(safe_robot, tmp_path, sdk):
    got = script(safe_robot, tmp_path, sdk, '/v1')
    assert got['text'] == ''.join(WORDS), got
    assert got['samples'] >= 10 * len(LOUD)
    assert got['errors'] == []
