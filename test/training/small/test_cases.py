"""Cases are the same for the same seed, and as they are described."""

from dataclasses import replace

import numpy as np
import pytest

from kame_ros.training.small.cases import LEAD_S, TELLS_S, Cases, texts, understood
from kame_ros.training.small.espeak import EspeakMissingError
from kame_ros.training.small.flite import FliteMissingError
from kame_ros.training.small.measure import KINDS
from kame_ros.training.small.users import UserSound
from kame_ros.wire.frame import SAMPLE_RATE


@pytest.fixture(scope='module')
def cases():
    try:
        return Cases(1)
    except (FliteMissingError, EspeakMissingError) as error:
        pytest.skip(str(error))


def ends_s(case):
    """When the question is over."""
    return case.turns[0].start_s + len(case.turns[0].sound) / SAMPLE_RATE


def test_each_kind_has_what_it_is_for(cases):
    for kind in KINDS:
        case = cases.case(kind, 3)
        assert case.kind == kind
        if kind != 'nothing':
            assert case.turns[0].start_s == LEAD_S
            assert 0.05 < np.abs(case.turns[0].sound).max() < 0.9
        if kind in ('blank', 'nothing'):
            assert not case.oracles
        else:
            assert case.oracles[-1].text == case.answer


def test_answers_are_the_lists_in_turn(cases):
    for kind, name in (('sentences', 'sentences.txt'), ('open', 'open.txt')):
        lines = texts(name)
        assert cases.case(kind, 2).answer == lines[2]
        assert cases.case(kind, len(lines) + 2).answer == lines[2]
    word = cases.case('unknown', 0)
    assert word.answer == f'The word is {word.target}, again: {word.target}.'


def test_an_oracle_comes_after_the_question_and_a_guess_before(cases):
    counts = set()
    for number in range(12):
        case = cases.case('sentences', number)
        counts.add(len(case.oracles))
        assert 0.2 <= case.oracles[-1].start_s - ends_s(case) <= 1.5
        if len(case.oracles) > 1:
            assert case.oracles[0].start_s == pytest.approx(ends_s(case) - 0.8)
            assert case.oracles[0].text != case.answer
    assert counts == {1, 2}


def test_a_pause_lies_inside_the_question(cases):
    for number in range(8):
        case = cases.case('pause', number)
        for begin, end in case.pauses:
            assert 0.5 <= end - begin <= 1.5
            assert LEAD_S + 0.2 < begin < end < ends_s(case) - 0.2


def test_who_speaks_over_it_is_understood_late(cases):
    case = cases.case('barge_in', 0)
    over = case.turns[1]
    assert over.after >= 3
    times = [at for at, _ in over.words]
    assert times == sorted(times)
    assert times[-1] == pytest.approx(TELLS_S + len(over.sound) / SAMPLE_RATE, abs=0.001)
    assert len(cases.case('back_channel', 0).turns[1].words) <= 2


def test_words_are_understood_after_they_were_said_and_not_in_a_pause():
    second = np.ones(24_000, bool)
    user = UserSound(
        np.zeros(72_000), np.concatenate([second, ~second, second]), 'one two three four'
    )
    times, words = zip(*understood(user), strict=True)
    assert words == ('one', 'two', 'three', 'four')
    assert times == pytest.approx([TELLS_S + end for end in (0.5, 1.0, 2.5, 3.0)], abs=0.001)
    ends = (12_000, 20_000, 60_000, 72_000)
    times = [at for at, _ in understood(replace(user, word_ends=ends))]
    assert times == pytest.approx([TELLS_S + end / 24_000 for end in ends])
    assert understood(UserSound(np.zeros(9), np.zeros(9, bool))) == ()


def test_the_same_seed_asks_the_same(cases):
    one, other = (Cases(5).case('sentences', 0) for _ in range(2))
    assert one.answer == other.answer
    lengths = [len(case.turns[0].sound) for case in (one, other)]
    assert lengths[0] == pytest.approx(lengths[1], rel=0.02)  # espeak-ng never says it quite alike
    assert one.noise(100).shape == (100,)
