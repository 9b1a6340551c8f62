import numpy as np
import pytest

from kame_ros.audio.frame import FRAME_S, FRAME_SAMPLES, Frame
from kame_ros.dialogue.happening import Kind, TurnEvent
from kame_ros.dialogue.session import Session, turn_record
from kame_ros.stt.transcript import Transcript

T0 = 1_000.0
LOUD = (8000 * np.sin(np.arange(FRAME_SAMPLES) * 0.1)).astype(np.int16)


def sound(session, start, end, spoken=()):
    """Frames of a minute: the user is loud in [start, end), the robot in `spoken`."""
    silent = np.zeros(FRAME_SAMPLES, np.int16)
    for seq in range(int(12 / FRAME_S)):
        t = seq * FRAME_S
        session.on_mic(Frame(seq, T0 + t, LOUD if start <= t < end else silent))
        says = any(a <= t < b for a, b in spoken)
        session.on_played(Frame(seq, T0 + t, LOUD if says else silent, source_seq=seq))


def final(number, text, start, end):
    return Transcript(number, 3, text, len(text), True, T0 + start, T0 + end)


def event(kind, t, generation, utterance=0, text='', source='llm'):
    return TurnEvent(kind, T0 + t, source, generation, utterance, 1, text)


@pytest.fixture
def session():
    session = Session()
    sound(session, 1.0, 3.04, spoken=[(3.84, 5.04)])
    session.on_monologue(48, 'The capital')
    session.on_monologue(55, ' is')
    session.on_monologue(60, ' Paris.')
    session.on_transcript(final(0, 'What is the capital of France?', 1.0, 3.2))
    return session


def test_latency_is_measured_on_the_sound(session):
    (turn,) = session.turns()
    assert turn.user_speech_end == pytest.approx(3.04, abs=0.02)  # not the transcriber's 3.2
    assert turn.robot_speech_start == pytest.approx(3.84, abs=0.02)
    assert turn.latency == pytest.approx(0.8, abs=0.03)
    assert turn.robot_text == 'The capital is Paris.'


def test_what_was_not_played_was_not_said(session):
    session._played_at.pop(60)
    assert session.turns()[0].robot_text == 'The capital is'


def test_latency_is_negative_when_the_robot_is_early():
    session = Session()
    sound(session, 1.0, 4.0, spoken=[(3.04, 5.04)])
    session.on_transcript(final(0, 'Hello robot', 1.0, 4.0))
    assert session.turns()[0].latency == pytest.approx(-0.96, abs=0.03)


def test_a_robot_that_says_nothing_has_no_latency():
    session = Session()
    sound(session, 1.0, 2.0)
    session.on_transcript(final(0, 'Hello', 1.0, 2.0))
    (turn,) = session.turns()
    assert turn.latency is None
    assert turn_record(turn, T0)['latency_s'] is None


def test_turns_are_told_apart():
    session = Session()
    sound(session, 1.0, 2.0, spoken=[(2.8, 4.0), (8.0, 9.04)])
    session.on_transcript(final(1, 'And of Spain?', 6.0, 7.0))
    session.on_transcript(final(0, 'And of Italy?', 1.0, 2.0))
    session.on_monologue(36, 'Rome.')
    session.on_monologue(101, 'Madrid.')
    assert [(turn.user_text, turn.robot_text) for turn in session.turns()] == [
        ('And of Italy?', 'Rome.'),
        ('And of Spain?', 'Madrid.'),
    ]


def test_partials_and_empty_finals_are_no_turns():
    session = Session()
    session.on_transcript(Transcript(0, 0, 'What', 0, False, T0, T0 + 1))
    assert session.partial == 'What'
    session.on_transcript(final(0, '', 0, 1))
    assert session.turns() == []


def test_the_states_of_oracles(session):
    for happening in (
        event(Kind.GENERATION_BEGUN, 1.5, 1, text='What is the'),
        event(Kind.GENERATION_BEGUN, 2.0, 2, text='What is the capital'),
        event(Kind.GENERATION_CANCELLED, 2.1, 1),
        event(Kind.GENERATION_FIRST_WORD, 2.2, 2),
        event(Kind.GENERATION_ENDED, 2.4, 2, text='A capital is a city.'),
        event(Kind.GENERATION_BEGUN, 3.2, 3, text='What is the capital of France?'),
        event(Kind.GENERATION_FIRST_WORD, 3.4, 3),
        event(Kind.GENERATION_ENDED, 3.6, 3, text='The capital is Paris.'),
        event(Kind.ORACLE_APPLIED, 3.7, 3),
        event(Kind.ORACLE_APPLIED, 3.7, 2, source='another node'),
        event(Kind.GENERATION_BEGUN, 9.0, 4, utterance=5, text='Something else'),
    ):
        session.on_event(happening)
    record = turn_record(session.turns()[0], session.t0)
    assert [(o['generation'], o['state']) for o in record['oracles']] == [
        (1, 'cancelled'),
        (2, 'superseded'),
        (3, 'applied'),
    ]
    assert record['oracles'][2]['started_at_s'] == pytest.approx(3.2)
    assert record['oracles'][2]['first_word_at_s'] == pytest.approx(3.4)
    assert record['oracles'][0]['first_word_at_s'] is None


def test_what_a_turn_cost_is_in_its_record(session):
    books = '{"utterance": 0, "started": 3, "cost": 0.5}'
    session.on_event(event(Kind.TURN_BOOKED, 9.0, -1, text=books))
    session.on_event(event(Kind.TURN_BOOKED, 9.5, -1, utterance=7, text='{"started": 9}'))
    record = turn_record(session.turns()[0], session.t0)
    assert record['books'] == {'started': 3, 'cost': 0.5}
    with pytest.raises(ValueError, match='char 0'):
        session.on_event(event(Kind.TURN_BOOKED, 9.0, -1, text='no JSON'))


def test_a_partial_with_the_words_of_the_final_has_its_answer():
    session = Session()
    session.on_event(event(Kind.GENERATION_BEGUN, 1.0, 1, text='Than he was?'))
    assert not session.generations.answered(0, 'than he was.')
    session.on_event(event(Kind.GENERATION_ENDED, 1.2, 1, text='Indeed.'))
    assert session.generations.answered(0, 'than he was.')
    assert not session.generations.answered(0, 'than he is.')
    assert not session.generations.answered(1, 'than he was.')


def test_the_answer_starts_with_the_question():
    session = Session()
    session.on_played(Frame(0, T0 - 0.2, LOUD, source_seq=0))
    session.on_mic(Frame(0, T0))
    session.on_played(Frame(1, T0 + 1.0, LOUD, source_seq=1))
    answer = session.answer()
    assert np.flatnonzero(answer)[0] in (24_000, 24_001)


def test_the_kinds_are_those_of_the_message():
    from kame_ros.msg import TurnEvent as Message
    from kame_ros.s2s.front_end import Happening

    for kind in Kind:
        assert getattr(Message, kind.name) == kind
    for happening in Happening:
        assert Kind[happening.name] == happening
