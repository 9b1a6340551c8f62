"""The small KAME that ships: an oracle in, the same words out, in text and in sound."""

from __future__ import annotations

import random

import numpy as np
import pytest

pytest.importorskip('torch', reason='needs torch (the extra "moshi")')
pytest.importorskip('moshi', reason='needs moshi (the extra "moshi")')
from kame_ros.s2s.moshi.build import TINY_FOLDER, build
from kame_ros.s2s.moshi.codec2 import Codec2MissingError, Codec2Voice
from kame_ros.s2s.moshi.config import TINY, MoshiConfig
from kame_ros.s2s.moshi.front_end import MoshiFrontEnd
from kame_ros.training.tiny import lexicon, robot_voice
from kame_ros.training.tiny.measure import distance, without_lead_in
from kame_ros.training.tiny.recogniser import Recogniser
from kame_ros.training.tiny.trial import Arrival, run

pytestmark = pytest.mark.models
QUIET = np.zeros(12000)


def speaker(quantise: str) -> MoshiFrontEnd:
    try:
        Codec2Voice()
    except Codec2MissingError as error:
        pytest.skip(str(error))
    calm = {'seed': 0, 'temperature': 0.3, 'temperature_text': 0.0}
    front_end = build(MoshiConfig(weights=TINY, device='cpu', quantise=quantise, **calm))
    front_end.warm_up()
    return front_end


@pytest.fixture(scope='module')
def robot() -> MoshiFrontEnd:
    return speaker('none')


@pytest.mark.long
def test_it_says_what_the_oracle_says(robot: MoshiFrontEnd) -> None:
    """Over ten sentences: looser than the model card, so that another CPU's rounding passes."""
    rng = random.Random('test')
    recogniser = Recogniser(robot_voice.load_or_make(lexicon.WORDS, TINY_FOLDER / 'voice.npz'))
    words = errors = heard_errors = 0
    for _ in range(10):
        answer = lexicon.answer(rng)
        outcome = run(robot, QUIET, [Arrival(answer, 0.5)])
        wanted = answer.split()
        words += len(wanted)
        errors += distance(wanted, without_lead_in(outcome.words()))
        heard_errors += distance(wanted, without_lead_in(recogniser.words(outcome.sound)))
    assert errors / words < 0.1
    assert heard_errors / words < 0.15


def test_it_spells_what_it_does_not_know(robot: MoshiFrontEnd) -> None:
    outcome = run(robot, QUIET, [Arrival('I met Zorro in 1987.', 0.5)])
    wanted = ['i', 'met', 'zorro', 'in', '1987']
    assert distance(wanted, without_lead_in(outcome.words())) <= 1


def test_the_oracle_waits_for_the_speech(robot: MoshiFrontEnd) -> None:
    """All of an oracle that is there at once is said, and nothing is held back for ever."""
    before = robot.counters()['oracle_fed']
    words = 'one two three four five six seven eight nine ten eleven twelve'
    outcome = run(robot, QUIET, [Arrival(words, 0.5, pace=100.0)])
    assert distance(words.split(), without_lead_in(outcome.words())) <= 1
    assert robot.counters()['oracle_fed'] - before == 12
    assert robot.counters()['oracle_pending'] == 0


def test_without_an_oracle_and_without_a_user_it_is_silent(robot: MoshiFrontEnd) -> None:
    outcome = run(robot, np.zeros(24000 * 4), [])
    assert outcome.words() == []
    assert np.abs(outcome.sound).max() < 0.02


def test_case_and_commas_do_no_harm(robot: MoshiFrontEnd) -> None:
    outcome = run(robot, QUIET, [Arrival('The capital, of France, is Paris!', 0.5)])
    assert 'paris' in outcome.words()


def test_with_8_bits_it_says_the_same_words(robot: MoshiFrontEnd) -> None:
    """One word of about thirty may differ: how a number is rounded is the processor's affair."""
    rng = random.Random('eight bits')
    small = speaker('int8')
    words = errors = 0
    for _ in range(5):
        arrivals = [Arrival(lexicon.answer(rng), 0.5)]
        said, said_small = (run(who, QUIET, arrivals).words() for who in (robot, small))
        words += len(said)
        errors += distance(said, said_small)
    assert words > 20
    assert errors <= words / 30
