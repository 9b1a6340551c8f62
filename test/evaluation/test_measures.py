"""What is measured of conversations whose stretches of speech are made by hand."""

import numpy as np
import pytest

from kame_ros.evaluation.fdb_measures import fdb_measure
from kame_ros.evaluation.measures import last_oracle, measure, takes_turn
from kame_ros.evaluation.recorded import Label, Recorded
from kame_ros.record.voiced import Segment
from kame_ros.wire.transcript import Word

pytest.importorskip('whisper_normalizer', reason='make setup-eval')
S = Segment
QUESTION = Label('turn', 'What is it?', accepted=(r'\bparis\b',), start=1.0, speech=(S(1, 3),))


def recorded(kind, robot, words=(), labels=(QUESTION,), user=(), **more):
    silence = np.zeros(24_000 * 12, np.int16)
    rec = Recorded('item', 1, kind, silence, silence, labels=labels, **more)
    rec.__dict__['robot_speech'] = list(robot)
    rec.__dict__['user_speech'] = list(user) or [s for label in labels for s in label.speech]
    rec.words = [Word(text, a, b) for text, a, b in words]
    return rec


def figures(rec, turn=None):
    return {s.metric: s.value for s in measure(rec) if turn in (None, s.turn)}


def test_a_question_that_is_answered():
    said = [('It', 4.0, 4.2), ('is', 4.2, 4.4), ('Paris.', 4.5, 5)]
    found = figures(recorded('question', [S(4, 5)], said))
    assert found['latency'] == 1.0
    assert found['hit_spoken'] == 1
    assert found['answer_latency'] == 1.5
    assert found['answered'] == 1


def test_a_question_without_an_answer():
    found = figures(recorded('question', []))
    assert found['answered'] == 0
    assert found['hit_spoken'] == 0
    assert 'latency' not in found
    assert 'answer_latency' not in found


def test_a_hum_is_no_answer():
    told = [{'t': 3.9, 'topic': 'monologue', 'text': 'Paris.', 'played_at': 4.0}]
    found = figures(recorded('question', [S(3.2, 3.6), S(4, 5)], [('Paris.', 4, 5)], events=told))
    assert found['latency'] == 1.0


def test_a_turn_has_the_words_from_its_answer_on():
    second = Label('turn', 'And?', accepted=('rome',), start=6.0, speech=(S(6, 7),))
    words = [('Paris', 4.1, 4.6), ('again', 6.1, 6.3), ('Rome', 8.0, 8.4)]
    rec = recorded('mtbench', [S(4, 6.4), S(8, 9)], words, (QUESTION, second))
    assert [w.text for w in rec.said(0)] == ['Paris']
    assert [w.text for w in rec.said(1)] == ['Rome']
    found = figures(rec, 2)
    assert (found['latency'], found['hit_spoken'], found['overlap_s']) == (1.0, 1, 0.4)


PAUSE = Label('turn', 'I would … like.', start=1.0, speech=(S(1, 2), S(3, 4)))


@pytest.mark.parametrize(
    ('robot', 'cut_in', 'tor'),
    [
        ([S(4.5, 6)], 0, 0),
        ([S(2.2, 2.6), S(4.5, 6)], 1, 0),  # a back-channel: it spoke, and took no turn
        ([S(2.2, 4.0)], 1, 1),
        ([S(0.2, 0.8)], 0, 0),
        ([], 0, 0),
    ],
)
def test_a_pause(robot, cut_in, tor):
    found = figures(recorded('pause', robot, labels=(PAUSE,)), 0)
    assert (found['cut_in'], found['tor']) == (cut_in, tor)


def over(role, robot, start=6.0, end=6.5, **more):
    label = Label(role, 'Uh-huh', start=start, speech=(S(start, end),))
    return figures(recorded(role, robot, labels=(QUESTION, label), **more), 0)


def test_a_remark_is_survived_by_going_on_or_going_on_again():
    assert over('backchannel', [S(4, 10)])['goes_on'] == 1
    held = over('backchannel', [S(4, 6.2), S(7.4, 9)])
    assert (held['goes_on'], held['survived']) == (0, 1)
    gone = over('backchannel', [S(4, 6.2)])
    assert (gone['goes_on'], gone['survived']) == (0, 0)


def test_an_answer_that_ends_by_itself_is_no_stop():
    said = {'topic': 'turn', 'kind': 'ORACLE_SPOKEN', 't': 6.4}
    assert over('backchannel', [S(4, 6.3)], events=[said])['goes_on'] == 1


def test_who_answers_the_remark_has_not_survived_it():
    def generation(utterance, at):
        row = {'utterance': utterance, 'started_at_s': at, 'state': 'applied'}
        return {**row, 'text': '', 'transcript': ''}

    session = {'thinks': True, 'generations': [generation(3, 2.0), generation(4, 7.0)]}
    found = over('to_other', [S(4, 10)], session=session)
    assert (found['goes_on'], found['answered_remark'], found['survived']) == (1, 1, 0)


def test_an_interruption():
    found = over('interruption', [S(4, 7.0)])
    assert (found['stop_s'], found['stopped']) == (1.0, 1)
    on = over('interruption', [S(4, 11.0)])
    assert (on['stop_s'], on['stopped']) == (5.0, 0)


def test_a_remark_that_could_not_be_made_counts_as_nothing():
    label = Label('backchannel', 'Uh-huh', start=None)
    found = figures(recorded('backchannel', [S(4, 5)], labels=(QUESTION, label)), 0)
    assert found['played'] == 0
    assert 'goes_on' not in found


def test_noise():
    noise = Label('noise', 'cough', start=0.5)
    assert figures(recorded('silence', [], labels=(noise,)))['silent'] == 1
    assert figures(recorded('silence', [S(2, 3)], labels=(noise,)))['silent'] == 0


def test_a_listener_hums_at_the_ends_of_clauses():
    parts = tuple(S(2 * n + 1, 2 * n + 2.6) for n in range(5))
    label = Label('turn', 'long', start=1.0, speech=parts)
    found = figures(recorded('monologue', [S(2.7, 3.0), S(5.6, 6.0)], labels=(label,)), 0)
    assert found['backchannels'] == 2
    assert found['at_clause_ends'] == 0.5
    assert found['tor'] == 1  # as a whole it is long: measured by its stretches in fdb


def test_the_figures_of_the_bench_on_our_scenes():
    rec = recorded('pause', [S(2.2, 4.0)], [('no', 2.2, 2.4), ('no', 3.3, 3.6)], (PAUSE,))
    assert {s.metric: s.value for s in fdb_measure(rec)} == {'fdb_pause_tor': 1}
    early = recorded('smooth', [S(2.5, 5)], [('Par', 2.5, 3), ('is', 3.2, 4)])
    signed = {s.metric: s.value for s in fdb_measure(early)}
    clipped = {s.metric: s.value for s in fdb_measure(early, compat=True)}
    assert (signed['fdb_turn_latency'], clipped['fdb_turn_latency']) == (-0.5, 0.0)
    assert fdb_measure(recorded('question', [])) == []


def test_the_last_oracle_is_of_a_final_transcript():
    session = {
        'heard': [{'text': 'What is it?'}],
        'generations': [
            {'text': 'half', 'transcript': 'What', 'utterance': 1},
            {'text': 'whole', 'transcript': 'What is it?', 'utterance': 1},
            {'text': '', 'transcript': 'What is it?', 'utterance': 1},
        ],
    }
    assert last_oracle(session) == 'whole'
    assert last_oracle({}) == ''


def test_what_takes_a_turn():
    assert not takes_turn([], 9)
    assert takes_turn([S(0, 1)], 1)
    assert takes_turn([S(0, 0.5)], 4)
    assert not takes_turn([S(0, 0.5)], 3)
