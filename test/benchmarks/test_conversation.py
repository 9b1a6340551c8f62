"""What the latency of a turn was spent on."""

import pytest

pytest.importorskip('jiwer', reason='pip install jiwer soundfile soxr')
conversation = pytest.importorskip('conversation', reason='pip install soundfile soxr')


def turn(ended, given, heard, *oracles):
    return {
        'user_speech_end_s': 2.0,
        'turn_ended_s': ended,
        'speech_given_s': given,
        'robot_speech_start_s': heard,
        'oracles': [
            {'state': state, 'started_at_s': began, 'first_word_at_s': first}
            for state, began, first in oracles
        ],
    }


@pytest.mark.parametrize(
    ('recorded', 'parts'),
    [
        # All was ready when the turn was over.
        (turn(2.4, 2.4, 2.5, ('applied', 2.1, 2.3)), (0.4, 0.0, 0.0, 0.0, 0.1)),
        # The words came 0.2 s late, then the LLM took 0.3 s, the voice 0.1 s.
        (turn(2.4, 3.0, 3.2, ('applied', 2.6, 2.9)), (0.4, 0.2, 0.3, 0.1, 0.2)),
        # What was superseded, or came after the first sound, is not what was waited for.
        (
            turn(2.4, 2.8, 2.9, ('superseded', 2.5, 2.6), ('applied', 2.2, 2.7), ('applied', 3, 4)),
            (0.4, 0.0, 0.3, 0.1, 0.1),
        ),
        # The turn was taken for over before the last sound.
        (turn(1.9, 1.9, 2.0, ('applied', 1.0, 1.2)), (-0.1, 0.0, 0.0, 0.0, 0.1)),
    ],
)
def test_the_parts_are_all_of_it(recorded, parts):
    spent = conversation.spent(recorded)
    assert tuple(spent.values()) == pytest.approx(parts, abs=0.002)
    assert tuple(spent) == ('decision', 'late_words', 'late_llm', 'late_voice', 'playback')
    latency = recorded['robot_speech_start_s'] - recorded['user_speech_end_s']
    assert sum(spent.values()) == pytest.approx(latency)


def test_what_is_not_known_is_not_told():
    assert conversation.spent(turn(None, 2.4, 2.5)) == {}
    assert conversation.spent(turn(2.4, 2.4, None)) == {}
    assert conversation.shares([]) == {}


def test_answers_that_were_begun_and_corrected_are_counted():
    asked = [conversation.Asked('flite slt', 'so', corrections=n) for n in (0, 2, 1)]
    assert conversation.told(asked, {})['corrected'] == 2


def test_the_share_of_waiting_is_of_all_turns():
    waited = conversation.spent(turn(2.4, 3.0, 3.2, ('applied', 2.6, 2.9)))
    ready = conversation.spent(turn(2.4, 2.4, 2.8, ('applied', 2.1, 2.3)))
    asked = [conversation.Asked('flite slt', 'so', spent=spent) for spent in (waited, ready)]
    shares = conversation.shares(asked)
    assert shares['late_share'] == pytest.approx(0.6 / 2.0)
    assert shares['decision_median_s'] == pytest.approx(0.4)
    assert shares['late_by_part_s'] == pytest.approx(
        {'late_words': 0.1, 'late_llm': 0.15, 'late_voice': 0.05}
    )
