"""Numbers of utterances that are forged, or begin anew; virtual time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_ros.oracle.conversation.numbering import Numbering
from kame_ros.oracle.policy.config import PolicyConfig
from kame_ros.oracle.policy.decision import Start
from kame_ros.oracle.policy.policy import OraclePolicy
from kame_ros.wire.transcript import Transcript

HIGHEST = 2**32 - 1


def heard(utterance, revision=0, final=False, text='what is the time'):
    return Transcript(utterance, revision, text, len(text), final, 0.0, 0.0)


def news(numbering, t, transcript):
    """As the session does it."""
    if numbering.is_old(t, transcript):
        numbering.pass_over(transcript)
        return False
    numbering.take(t, transcript)
    return True


@pytest.mark.parametrize('forged', [7, 1000, 2**31 - 1, HIGHEST])
@pytest.mark.parametrize('final', [False, True])
def test_one_forged_number_costs_no_word_of_the_user(forged, final):
    n = Numbering()
    assert news(n, 0.0, heard(3, 0))
    news(n, 0.1, heard(forged, 0, final))
    assert news(n, 0.2, heard(3, 1))
    assert news(n, 0.3, heard(3, 2, final=True))
    assert news(n, 2.0, heard(4, 0, final=True))
    assert news(n, 4.0, heard(5, 0, final=True))


def test_after_many_forged_numbers_the_second_word_is_heard():
    n = Numbering()
    assert news(n, 0.0, heard(3, 0))
    for i in range(1000):
        news(n, 0.0, heard(HIGHEST - 5000 + 5 * i, final=True))
    assert [news(n, 1.0 + r / 10, heard(4, r)) for r in range(4)] == [False, True, True, True]


def test_a_transcriber_that_counts_from_below_is_heard_at_its_second_word():
    n = Numbering()
    news(n, 0.0, heard(50_000_000, 0, final=True))
    assert [news(n, 1.0 + r / 10, heard(12, r)) for r in range(3)] == [False, True, True]


def test_after_silence_any_number_is_believed():
    n = Numbering()
    news(n, 0.0, heard(50_000_000, 0, final=True))
    assert not news(n, 5.0, heard(12, 0, final=True))
    n = Numbering(heard(50_000_000, 0, final=True), 0.0)
    assert news(n, 11.0, heard(12, 0, final=True))


def test_after_the_clock_was_set_back_any_number_is_believed():
    n = Numbering()
    news(n, 5_000.0, heard(5_000, 3, final=True))
    assert news(n, 10.0, heard(10, 0))
    assert news(n, 11.0, heard(10, 1, final=True))


def test_what_was_heard_already_stays_old():
    n = Numbering()
    for t, transcript in ((0.0, heard(0, 0)), (0.1, heard(0, 1, True)), (0.2, heard(1, 0))):
        assert news(n, t, transcript)
    for transcript in (heard(1, 0), heard(0, 1, True), heard(0, 1, True), heard(0, 0)):
        assert not news(n, 0.3, transcript)
    assert not news(n, 60.0, heard(1, 0))
    assert news(n, 60.0, heard(1, 1))


def spoken(utterance, start, end, revision=0, final=True):
    return Transcript(utterance, revision, 'yes', 3, final, start, end)


FORGED_STAMPS = [(0.0, 0.0), (99.0, 100.0), (100.0, 100.0), (5_000.0, 6_000.0), (-1.0, 1e12)]


@pytest.mark.parametrize('stamps', FORGED_STAMPS)
@pytest.mark.parametrize('known', [0, 1, 4])
def test_a_lone_final_of_what_is_said_after_the_forged_number_is_heard(stamps, known):
    """As in a cascade, where a short answer has no partial; whatever stamps the forger has."""
    n = Numbering()
    for k in range(known):
        assert news(n, 90.0 + k, spoken(k, 89.0 + k, 89.5 + k))
    for k in range(9):  # more than the runs that are remembered
        news(n, 100.0, spoken(HIGHEST - 5000 * k, *stamps))
    assert news(n, 101.5, spoken(known + 20, 100.3, 101.0))
    assert not news(n, 101.5, spoken(known + 20, 100.3, 101.0))


def test_a_final_of_what_was_said_before_a_forged_number_is_heard_if_its_stamps_are_older():
    n = Numbering()
    news(n, 100.0, spoken(HIGHEST, 0.0, 0.0))
    assert news(n, 100.2, spoken(7, 98.0, 99.5))


@given(st.permutations(range(6)))
def test_of_utterances_in_disorder_none_is_heard_after_a_later_one(order):
    n = Numbering()
    believed = [k for k in order if news(n, 100.0, spoken(k, 10.0 * k + 1, 10.0 * k + 8))]
    highest = [k for i, k in enumerate(order) if k == max(order[: i + 1])]
    assert set(highest) <= set(believed)
    assert believed[0] == order[0]
    if order == sorted(order, reverse=True):  # a run backwards is nothing that goes on
        assert believed == [5]


@given(st.lists(st.tuples(st.integers(0, HIGHEST), st.integers(0, 9), st.booleans()), max_size=30))
def test_whatever_came_before_the_transcriber_is_heard_again_at_once(forged):
    """At its second revision, or its next utterance, with no silence at all."""
    n = Numbering()
    for utterance, revision, final in forged:
        news(n, 0.0, heard(utterance, revision, final))
    ours = next(u for u in range(10, 60) if u not in {u for u, _, _ in forged})
    results = [news(n, 0.1, heard(ours, r)) for r in range(3)]
    assert results[1:] == [True, True]


# -- a server that demands too much -----------------------------------------------------------


def starts(decisions):
    return [d for d in decisions if isinstance(d, Start)]


DEMANDS = [1e6, float('inf'), float('nan'), -5.0, 0.0, 30.0, 1e308]


@pytest.mark.parametrize('demand', DEMANDS)
def test_a_demand_is_believed_for_a_minute_at_most(demand):
    p = OraclePolicy(PolicyConfig(retries=0))
    (first,) = starts(p.on_transcript(100.0, heard(0, 0)))
    p.on_failure(100.1, first.gen, 'busy', retry_after=demand)
    text = 'what is the time in the capital of France'
    later = starts(p.on_transcript(160.2, heard(1, 0, text=text)))
    assert len(later) == 1
    assert p.backends.held_s(200.0) <= 60.0


@pytest.mark.parametrize('demand', [30.0, 1e6, float('inf')])
def test_a_demand_is_over_when_the_server_answers(demand):
    p = OraclePolicy(PolicyConfig(retries=0))
    (first,) = starts(p.on_transcript(100.0, heard(0, 0)))
    p.on_failure(100.1, first.gen, 'busy', retry_after=demand)
    (final,) = starts(p.on_transcript(101.0, heard(0, 1, final=True)))  # does not wait
    assert p.backends.held_s(101.1) == pytest.approx(1.0)
    p.on_first_word(101.1, final.gen)
    p.on_end(101.5, final.gen)
    assert len(starts(p.on_transcript(103.0, heard(1, 0)))) == 1
    assert p.backends.held_s(200.0) == pytest.approx(1.0)


def test_the_bound_of_demands_is_a_setting():
    assert PolicyConfig(max_retry_after_s=5.0).believed(30.0) == 5.0
    assert PolicyConfig().believed(30.0) == 30.0
    with pytest.raises(ValueError, match='negative'):
        PolicyConfig(max_retry_after_s=-1.0)


def test_partials_are_asked_after_the_clock_was_set_back():
    p = OraclePolicy(PolicyConfig())
    (first,) = starts(p.on_transcript(5_000.0, heard(0, 0)))
    p.on_failure(5_000.1, first.gen, 'busy', retry_after=30.0)
    assert len(starts(p.on_transcript(10.0, heard(0, 1, text='how late is it now in Rome')))) == 1
