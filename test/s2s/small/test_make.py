"""kame-small built of its parts: a model of random weights, the real voice, the real rules."""

import os
import subprocess
import sys

import numpy as np
import pytest
from fake_vad import FakeVad
from random_small import LITTLE, write

from kame_ros.nodes.robot.front_ends import PARAMETERS, make_front_end, model_name
from kame_ros.runtime.weights import CorruptWeights, MissingWeights
from kame_ros.s2s.small.config import SmallConfig
from kame_ros.s2s.small.front_end import SmallFrontEnd
from kame_ros.s2s.small.make import build
from kame_ros.s2s.small.pieces import Pieces
from kame_ros.s2s.small.sizes import ModelSize
from kame_ros.settings.param import BadParameter
from kame_ros.turns.end_of_turn.words import WordsAndSilence
from kame_ros.wire.oracle import Oracle
from kame_ros.wire.turn import TurnKind

pytestmark = pytest.mark.models


def small(pieces: int) -> ModelSize:
    return ModelSize.of({**LITTLE.as_dict(), 'pieces': pieces})


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    pytest.importorskip('hibari')
    return write(tmp_path_factory.mktemp('small'), small(len(Pieces.load().names)))


def test_a_whole_one_hears_and_speaks(folder):
    front = build(SmallConfig(weights=str(folder), seed=1), FakeVad())
    front.warm_up()
    rng = np.random.Generator(np.random.Philox(0))
    oracle = Oracle('llm', 1, 'NASA flew 3.5 km on Monday.', True, utterance=0)
    steps = [
        front.step((300 * rng.standard_normal(1920)).astype(np.int16), oracle) for _ in range(50)
    ]
    assert any(step.speech.any() for step in steps)
    counters = front.counters()
    assert counters['steps'] == 50
    assert counters['oracle_generations'] == 1
    front.reset()
    assert front.counters()['speaking'] == 0


@pytest.mark.parametrize('known_after', [10, 18, 40])
def test_the_model_of_this_package_answers_whenever_the_answer_comes(known_after):
    """A voice of 18 frames that is no speech; the weights hear what they hear."""
    pytest.importorskip('hibari')
    front = build(SmallConfig(seed=1), FakeVad(), WordsAndSilence())
    rng = np.random.Generator(np.random.Philox(0))
    answer = Oracle('llm', 1, 'Paris is the capital of France.', True, utterance=0)
    events, pieces = [], []
    for frame in range(110):
        level = 8000 if frame < 18 else 10
        user = (level * rng.standard_normal(1920)).clip(-32_000, 32_000).astype(np.int16)
        step = front.step(user, answer if frame >= known_after else None)
        events += [event.kind for event in step.events]
        pieces += step.pieces
    assert events.count(TurnKind.TURN_ENDED) == 1
    assert 'Paris' in [piece.text.strip() for piece in pieces]
    if known_after < 18:
        assert pieces[0].text == 'Paris'


def test_the_parameters_of_the_node_make_it(folder):
    values = {row.name: row.default for row in PARAMETERS}
    values |= {'front_end': 'small', 'front_end_options': '', 'small.weights': str(folder)}
    assert model_name(values.get) == f'small:{folder}'
    made = make_front_end(values.get)
    assert isinstance(made, SmallFrontEnd)
    assert made.judges_barge_in
    assert values['small.speak'] == 'after_turn'
    deaf = {**values, 'small.barge_in': False}
    assert not make_front_end({**deaf, 'small.speak': 'always'}.get).judges_barge_in
    for speak in ('after_turn', 'guided'):
        with pytest.raises(ValueError, match=f'speak={speak} needs barge_in'):
            make_front_end({**deaf, 'small.speak': speak}.get)


def test_a_model_that_cannot_hear_the_end_of_a_turn_is_told(folder, caplog):
    build(SmallConfig(weights=str(folder), speak='always'), FakeVad(), WordsAndSilence())
    build(SmallConfig(), FakeVad(), WordsAndSilence())  # that of the package can
    assert not caplog.messages
    build(SmallConfig(weights=str(folder)), FakeVad(), WordsAndSilence())
    assert len(caplog.messages) == 1
    assert f'there is no turn_end.safetensors in {folder}' in caplog.text


@pytest.mark.parametrize('wrong', [{'temperature': -1.0}, {'top_k': 0}, {'silent_above': 1.5}])
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(BadParameter):
        SmallConfig(**wrong)


def test_a_model_that_is_not_there_or_of_another_version(tmp_path):
    with pytest.raises(MissingWeights, match='there is no model of kame-small in'):
        build(SmallConfig(weights=str(tmp_path)))
    with pytest.raises(CorruptWeights, match='has 40 pieces of pronunciation, this version'):
        build(SmallConfig(weights=str(write(tmp_path / 'other', small(40)))))
    with pytest.raises(ValueError, match="no barge-in profile 'nobody'"):
        build(SmallConfig(barge_in_profile='nobody'))


def test_it_needs_no_torch(folder):
    code = (
        'import sys\n'
        'from kame_ros.s2s.small.config import SmallConfig\n'
        'from kame_ros.s2s.small.make import build\n'
        f'build(SmallConfig(weights={str(folder)!r})).warm_up()\n'
        "assert not {'torch', 'moshi', 'rclpy'} & set(sys.modules)\n"
    )
    env = {**os.environ, 'OMP_NUM_THREADS': '1'}
    subprocess.run([sys.executable, '-c', code], check=True, env=env)
