"""The smallest KAME in the graph: a spoken question, and the oracle's words in its own voice."""

import json
import re
from pathlib import Path

import pytest

pytest.importorskip('torch', reason='the moshi front-end needs torch: make setup-moshi')
pytest.importorskip('moshi', reason='the moshi front-end needs moshi: make setup-moshi')

QUESTION = Path(__file__).parents[2] / 'examples' / 'question.wav'

pytestmark = [pytest.mark.graph, pytest.mark.models, pytest.mark.long]


def words(text):
    return set(re.findall(r'[a-z]+', text.lower()))


def test_it_opens_at_once_and_says_the_oracle(kame, check_frames):
    from kame_ros.s2s.moshi.codec2 import Codec2MissingError, Codec2Voice

    try:
        Codec2Voice()
    except Codec2MissingError as error:
        pytest.skip(str(error))
    record = kame.folder / 'tiny.json'
    done = kame.run('ask', QUESTION, '--config', 'kame-tiny', '--json', record)
    assert done.returncode == 0, done.stdout
    session = json.loads(record.read_text())
    (turn,) = session['turns']
    last = turn['oracles'][-1]
    assert last['state'] == 'applied'
    said, meant = (words(text) for text in (turn['robot_text'], last['text']))
    assert len(said & meant) >= len(meant) / 2
    check_frames(session)
