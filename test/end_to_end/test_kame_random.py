"""KAME's whole path with a small random model: oracle tokens flow, every frame comes in time."""

import json
from pathlib import Path

import pytest

pytest.importorskip('torch', reason='the moshi front-end needs torch: make setup-moshi')
pytest.importorskip('moshi', reason='the moshi front-end needs moshi: make setup-moshi')

QUESTION = Path(__file__).parents[2] / 'examples' / 'question.wav'

pytestmark = [pytest.mark.graph, pytest.mark.models, pytest.mark.long]


@pytest.fixture(scope='module')
def session(kame):
    record = kame.folder / 'random.json'
    done = kame.run('ask', QUESTION, '--config', 'kame-random', '--json', record)
    assert done.returncode == 0, done.stdout
    return json.loads(record.read_text())


def test_the_oracle_reaches_the_model(session):
    (turn,) = session['turns']
    assert turn['oracles'][-1]['state'] == 'applied'
    told = session['diagnostics']['s2s']
    words = len(turn['oracles'][-1]['text'].split())
    assert int(told['oracle_fed']) >= words
    assert int(told['oracle_pending']) == 0
    assert session['models']['s2s'] == 'moshi:random'


def test_it_speaks_at_once_and_on_its_own(session):
    (turn,) = session['turns']
    assert turn['robot_text']
    assert turn['latency_s'] is None  # what it says is noise, and no speech
    first = turn['robot_words'][0]['at_s']
    assert first < turn['user_speech_end_s']  # full duplex: it waits for no end of a question


def test_every_frame_is_accounted_for(session, check_frames):
    check_frames(session)
