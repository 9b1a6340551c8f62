"""A robot whose ear and mouth are a browser: somebody talks with it through the page.

The browser is a real one without a window; its microphone is a recording. With
KAME_PICTURES=FOLDER the pictures of the documentation are made there, of what is said in
KAME_MICROPHONE, a sound file of three questions.
"""

import asyncio
import base64
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from chromium import MISSING, PROGRAM, browser

from kame_ros.audio.wav import WavWriter, read_wav

pytest.importorskip('websockets', reason='pip install websockets')

ROOT = Path(__file__).parents[2]
QUESTION = ROOT / 'examples/question.wav'
TOKEN = 'a-token-for-tests-only'
PICTURES = os.environ.get('KAME_PICTURES', '')


@pytest.fixture(scope='module')
def robot(tmp_path_factory):
    """`kame up --page talk`: the link of its page, and what it printed."""
    log = tmp_path_factory.mktemp('robot') / 'up.txt'
    with log.open('w') as file:
        process = subprocess.Popen(
            [sys.executable, '-m', 'kame_ros.cli', 'up', '--page', 'talk', '--quiet'],
            stdout=file,
            stderr=subprocess.STDOUT,
            env={**os.environ, 'KAME_PAGE_TOKEN': TOKEN},
        )
        try:
            end = time.monotonic() + 120
            while 'the page: ' not in log.read_text():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < end, log.read_text()
                time.sleep(0.1)
            yield log.read_text().split('the page: ')[1].split()[0], log
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


def recorded(tmp_path):
    """The question as a microphone hears it, with silence before and behind it."""
    if PICTURES:
        return Path(os.environ['KAME_MICROPHONE'])
    pause = np.zeros(24_000 * 6, np.int16)
    asked = np.concatenate([pause[:36_000], read_wav(QUESTION).samples, pause])
    path = tmp_path / 'microphone.wav'
    with WavWriter(path) as writer:
        writer.write(asked)
    return path


@pytest.mark.graph
@pytest.mark.skipif(not PROGRAM, reason=MISSING)
def test_somebody_talks_with_the_robot_through_the_page(robot, tmp_path):
    address, log = robot
    with browser(recorded(tmp_path)) as page:
        assert address.startswith('http://127.0.0.1:')
        assert address.endswith(f'/#{TOKEN}')
        page.size(1280, 900)
        page.open(address)
        assert page.until("document.getElementById('link').textContent === 'connected'")
        assert page.until("!document.getElementById('talk').hidden")
        page.run("document.getElementById('talk').click()")
        talking = "document.getElementById('talk').textContent === 'Hang up'"
        assert page.until(talking), page.told
        heard = "(document.querySelector('#turns .heard')?.textContent ?? '')"
        assert 'France' in page.until(f"{heard}.includes('France') && {heard}", 40)
        said = "(document.querySelector('#turns .said')?.textContent ?? '')"
        assert page.until(f'/\\w+.*\\d s/.test({said})', 40), page.run(said)
        assert page.until("document.querySelectorAll('#health details').length >= 6")
        if PICTURES:
            pictures(page, Path(PICTURES))
        for name, shown in (('mute', 'Muted'), ('mute', 'Mute')):
            page.run(f"document.getElementById('{name}').click()")
            assert page.until(f"document.getElementById('{name}').textContent === '{shown}'")
        page.run("document.getElementById('talk').click()")
        assert page.until("document.getElementById('talk').textContent === 'Talk'")
        assert page.told == []
    assert 'Traceback' not in log.read_text()


@pytest.mark.graph
@pytest.mark.skipif(bool(PICTURES), reason='pictures are made')
def test_openais_sdk_asks_the_robot_by_voice(robot):
    """Only the address and the key are others."""
    openai = pytest.importorskip('openai', reason='pip install openai')
    link, log = robot
    client = openai.AsyncOpenAI(base_url=link.partition('#')[0] + 'v1', api_key=TOKEN)

    async def speak(connection):
        question = read_wav(QUESTION).samples.astype('<i2').tobytes()
        began = time.monotonic()
        for number, block in enumerate(range(0, len(question), 9_600)):  # 0.2 s, as it is spoken
            audio = base64.b64encode(question[block : block + 9_600]).decode()
            await connection.input_audio_buffer.append(audio=audio)
            await asyncio.sleep(max(0.0, began + 0.2 * (number + 1) - time.monotonic()))

    async def body():
        heard, said, samples = '', '', 0
        async with client.realtime.connect(model='kame') as connection:
            speaking = asyncio.ensure_future(speak(connection))
            async for event in connection:
                assert event.type != 'error', event
                if event.type == 'conversation.item.input_audio_transcription.completed':
                    heard += f'{event.transcript} '
                elif event.type == 'response.output_audio.delta':
                    samples += len(base64.b64decode(event.delta)) // 2
                elif event.type == 'response.output_audio_transcript.delta':
                    said += event.delta
                elif event.type == 'response.done' and samples and 'France' in heard:
                    await (
                        speaking
                    )  # an answer to half a question, on a busy machine, is not the end
                    return heard, said, samples
        return heard, said, samples

    heard, said, samples = asyncio.run(asyncio.wait_for(body(), 60))
    assert 'France' in heard
    assert said.strip()
    assert samples > 12_000
    assert 'Traceback' not in log.read_text()


def pictures(page, folder):
    """The page at work, in a wide and a narrow window."""
    folder.mkdir(parents=True, exist_ok=True)
    said = "[...document.querySelectorAll('#turns .said')].filter((s) => s.textContent).length"
    page.until(f'{said} >= 3', 60)
    time.sleep(2.5)
    page.picture(folder / 'page-wide.webp')
    page.size(390, 844, 2, dark=True)
    time.sleep(0.5)
    page.picture(folder / 'page-narrow.webp')
