import numpy as np
import pytest

from kame_ros.record.record import Record, turn_record
from kame_ros.record.recording import Recording
from kame_ros.wire.frame import FRAME_S, FRAME_SAMPLES, Frame
from kame_ros.wire.monologue import MonologueToken
from kame_ros.wire.transcript import Transcript
from kame_ros.wire.turn import TurnEvent, TurnKind

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
    session = Record()
    sound(session, 1.0, 3.04, spoken=[(3.84, 5.04)])
    session.on_monologue(MonologueToken(48, 0.0, 'The capital'))
    session.on_monologue(MonologueToken(55, 0.0, ' is'))
    session.on_monologue(MonologueToken(60, 0.0, ' Paris.'))
    session.on_transcript(final(0, 'What is the capital of France?', 1.0, 3.2))
    return session


def test_latency_is_measured_on_the_sound(session):
    (turn,) = session.turns()
    assert turn.user_speech_end == pytest.approx(3.04, abs=0.02)  # not the transcriber's 3.2
    assert turn.robot_speech_start == pytest.approx(3.84, abs=0.02)
    assert turn.latency == pytest.approx(0.8, abs=0.03)
    assert turn.robot_text == 'The capital is Paris.'
    assert ''.join(text for _, text in turn.words).strip() == turn.robot_text
    assert [at for at, _ in turn.words] == sorted(at for at, _ in turn.words)
    assert turn.words[0][0] >= turn.user_speech_end


def test_the_way_to_the_first_sound_is_told(session):
    session = Record()
    sound(session, 1.0, 3.04, spoken=[(3.84, 5.04)])
    for t in (0.4, 3.44, 9.0):  # of the turn before, of this one, of a later one
        session.on_turn(event(TurnKind.TURN_ENDED, t, -1))
    session.on_monologue(MonologueToken(48, T0 + 3.6, 'The capital'))
    session.on_monologue(MonologueToken(55, T0 + 4.16, ' is'))
    session.on_transcript(final(0, 'What is the capital of France?', 1.0, 3.2))
    record = turn_record(session.turns()[0], T0)
    assert record['turn_ended_s'] == pytest.approx(3.44)
    assert record['speech_given_s'] == pytest.approx(3.6 + FRAME_S)


def test_what_was_not_played_was_not_said(session):
    session.on_monologue(MonologueToken(500, T0 + 4.9, ' Or Lyon.'))
    assert session.turns()[0].robot_text == 'The capital is Paris.'


def test_a_front_end_that_was_started_anew_counts_its_frames_anew():
    session = Record()
    sound(session, 1.0, 3.04, spoken=[(3.84, 5.04)])
    session.on_monologue(MonologueToken(48, T0 + 3.6, 'Paris.'))
    session.on_monologue(MonologueToken(160, T0 + 12.6, 'Never'))  # and it ended
    session.on_transcript(final(0, 'What is the capital of France?', 1.0, 3.2))
    for seq, at in ((48, 30.3), (160, 38.0)):
        session.on_mic(Frame(seq + 300, T0 + at))
        session.on_played(Frame(seq + 300, T0 + at, LOUD, source_seq=seq))
    session.on_monologue(MonologueToken(48, T0 + 30.0, 'Hello.'))
    assert session.said(T0, T0 + 12.0) == 'Paris.'
    assert session.said(T0, T0 + 60.0) == 'Paris.Hello.'


def test_latency_is_negative_when_the_robot_is_early():
    session = Record()
    sound(session, 1.0, 4.0, spoken=[(3.04, 5.04)])
    session.on_transcript(final(0, 'Hello robot', 1.0, 4.0))
    assert session.turns()[0].latency == pytest.approx(-0.96, abs=0.03)


def test_a_robot_that_says_nothing_has_no_latency():
    session = Record()
    sound(session, 1.0, 2.0)
    session.on_transcript(final(0, 'Hello', 1.0, 2.0))
    (turn,) = session.turns()
    assert turn.latency is None
    record = turn_record(turn, T0)
    assert record['latency_s'] is record['turn_ended_s'] is record['speech_given_s'] is None


def test_turns_are_told_apart():
    session = Record()
    sound(session, 1.0, 2.0, spoken=[(2.8, 4.0), (8.0, 9.04)])
    session.on_transcript(final(1, 'And of Spain?', 6.0, 7.0))
    session.on_transcript(final(0, 'And of Italy?', 1.0, 2.0))
    session.on_monologue(MonologueToken(36, 0.0, 'Rome.'))
    session.on_monologue(MonologueToken(101, 0.0, 'Madrid.'))
    assert [(turn.user_text, turn.robot_text) for turn in session.turns()] == [
        ('And of Italy?', 'Rome.'),
        ('And of Spain?', 'Madrid.'),
    ]


def test_partials_and_empty_finals_are_no_turns():
    session = Record()
    session.on_transcript(Transcript(0, 0, 'What', 0, False, T0, T0 + 1))
    assert session.partial == 'What'
    session.on_transcript(final(0, '', 0, 1))
    assert session.turns() == []


def test_the_states_of_oracles(session):
    for happening in (
        event(TurnKind.GENERATION_BEGUN, 1.5, 1, text='What is the'),
        event(TurnKind.GENERATION_BEGUN, 2.0, 2, text='What is the capital'),
        event(TurnKind.GENERATION_CANCELLED, 2.1, 1),
        event(TurnKind.GENERATION_FIRST_WORD, 2.2, 2),
        event(TurnKind.GENERATION_ENDED, 2.4, 2, text='A capital is a city.'),
        event(TurnKind.GENERATION_BEGUN, 3.2, 3, text='What is the capital of France?'),
        event(TurnKind.GENERATION_FIRST_WORD, 3.4, 3),
        event(TurnKind.GENERATION_ENDED, 3.6, 3, text='The capital is Paris.'),
        event(TurnKind.ORACLE_APPLIED, 3.7, 3),
        event(TurnKind.ORACLE_APPLIED, 3.7, 2, source='another node'),
        event(TurnKind.GENERATION_BEGUN, 9.0, 4, utterance=5, text='Something else'),
    ):
        session.on_turn(happening)
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
    session.on_turn(event(TurnKind.TURN_BOOKED, 9.0, -1, text=books))
    session.on_turn(event(TurnKind.TURN_BOOKED, 9.5, -1, utterance=7, text='{"started": 9}'))
    record = turn_record(session.turns()[0], session.t0)
    assert record['books'] == {'started': 3, 'cost': 0.5}


@pytest.mark.parametrize('text', ['no JSON', '[1]', '7', '', '[' * 100_000])
def test_books_that_cannot_be_read_end_no_record(session, text):
    session.on_turn(event(TurnKind.TURN_BOOKED, 9.0, -1, text=text))
    assert turn_record(session.turns()[0], session.t0)['books'] == {}


@pytest.mark.parametrize(
    ('asked', 'first_word_s'),
    [
        (
            [('What is the', 2.2), ('what is the capital of france', 3.9)],
            0.86,
        ),  # not the first half
        ([('What is the capital of France?', 3.0), ('What is the capital of France?', 4.0)], -0.04),
        ([('What is the', 2.2)], 9.9),  # what the oracle booked
    ],
)
def test_the_first_word_of_the_books_is_that_of_the_record(session, asked, first_word_s):
    for number, (text, first_word) in enumerate(asked):
        session.on_turn(event(TurnKind.GENERATION_BEGUN, 2.0, number, text=text))
        session.on_turn(event(TurnKind.GENERATION_FIRST_WORD, first_word, number))
    books = '{"utterance": 0, "first_word_s": 9.9}'
    session.on_turn(event(TurnKind.TURN_BOOKED, 9.0, -1, text=books))
    record = turn_record(session.turns()[0], session.t0)
    assert record['books']['first_word_s'] == pytest.approx(first_word_s, abs=0.03)
    times = [
        oracle['first_word_at_s'] - record['user_speech_end_s'] for oracle in record['oracles']
    ]
    assert first_word_s == 9.9 or record['books']['first_word_s'] in np.round(times, 3)


def test_a_partial_with_the_words_of_the_final_has_its_answer():
    session = Record()
    session.on_turn(event(TurnKind.GENERATION_BEGUN, 1.0, 1, text='Than he was?'))
    assert not session.generations.answered(0, 'than he was.')
    session.on_turn(event(TurnKind.GENERATION_ENDED, 1.2, 1, text='Indeed.'))
    assert session.generations.answered(0, 'than he was.')
    assert not session.generations.answered(0, 'than he is.')
    assert not session.generations.answered(1, 'than he was.')


def test_the_answer_starts_with_the_question():
    session = Record()
    session.on_played(Frame(0, T0 - 0.2, LOUD, source_seq=0))
    session.on_mic(Frame(0, T0))
    session.on_played(Frame(1, T0 + 1.0, LOUD, source_seq=1))
    answer = session.answer()
    assert np.flatnonzero(answer)[0] in (24_000, 24_001)


def test_without_a_transcriber_the_turns_are_those_of_the_sound():
    record = Record(transcribes=False)
    sound(record, 1.0, 3.04, spoken=[(3.84, 5.04)])
    record.on_monologue(MonologueToken(48, 0.0, 'Hello.'))
    (turn,) = record.turns()
    assert turn.user_text == ''
    assert turn.robot_text == 'Hello.'
    assert turn.latency == pytest.approx(0.8, abs=0.03)


def test_the_rest_of_the_answer_before_is_not_the_answer():
    record = Record()
    sound(record, 3.0, 4.0, spoken=[(1.04, 3.6), (5.04, 6.0)])
    record.on_monologue(MonologueToken(40, 0.0, ' rest'))  # played at 3.2
    record.on_monologue(MonologueToken(63, 0.0, ' Yes.'))  # at 5.04
    record.on_transcript(final(0, 'Is it?', 3.0, 4.0))
    (turn,) = record.turns()
    assert turn.robot_text == 'Yes.'
    assert turn.latency == pytest.approx(1.04, abs=0.05)


def test_what_still_sounded_is_not_said_in_a_turn_without_an_answer():
    record = Record()
    sound(record, 3.0, 4.0, spoken=[(1.04, 3.6)])
    record.on_monologue(MonologueToken(40, 0.0, ' rest'))  # played at 3.2
    record.on_transcript(final(0, 'Stop.', 3.0, 4.0))
    (turn,) = record.turns()
    assert turn.robot_text == ''
    assert turn.latency is None


@pytest.mark.parametrize(('text', 'latency'), [(' Hm.', 1.04), (' So I will go.', -2.0)])
def test_a_back_channel_is_no_answer(text, latency):
    """Short, over before the user's turn is, and of two words at most."""
    record = Record()
    sound(record, 1.0, 5.04, spoken=[(3.04, 3.68), (6.08, 7.04)])
    record.on_monologue(MonologueToken(38, 0.0, text))  # played at 3.04
    record.on_monologue(MonologueToken(76, 0.0, ' Yes.'))
    record.on_transcript(final(0, 'Tell me what it is.', 1.0, 5.04))
    (turn,) = record.turns()
    assert turn.latency == pytest.approx(latency, abs=0.05)


# Utterances that were one turn.


def paused(ends, backs=(), early=()):
    """Two utterances, an answer, and what the robot began to say in the pause."""
    record = Record()
    spoken = [(5.2, 6.4), *([(2.88, 3.6)] if early else [])]
    sound(record, 1.0, 2.0, spoken=spoken)
    record.heard = Recording()
    for seq in range(150):
        t = seq * FRAME_S
        talks = 1.0 <= t < 2.0 or 3.2 <= t < 4.4
        record.on_mic(Frame(seq, T0 + t, LOUD if talks else 0 * LOUD))
    for kind, times in ((TurnKind.TURN_ENDED, ends), (TurnKind.TAKEN_BACK, backs)):
        for t in times:
            record.on_turn(event(kind, t, -1, source='s2s'))
    for text in early:
        record.on_monologue(MonologueToken(36, T0 + 2.8, text))
    record.on_monologue(MonologueToken(65, T0 + 5.0, 'Rome.'))
    record.on_transcript(final(0, 'I would like to.', 1.0, 2.2))
    record.on_transcript(final(1, 'Know the capital of Italy.', 3.2, 4.6))
    for number, utterance, text in (
        (1, 0, 'I would like to.'),
        (2, 1, 'Know the capital'),
        (3, 1, 'Know the capital of Italy.'),
    ):
        t = 2.0 + number
        record.on_turn(event(TurnKind.GENERATION_BEGUN, t, number, utterance, text))
        record.on_turn(event(TurnKind.GENERATION_FIRST_WORD, t + 0.1, number, utterance))
    for utterance, tokens in enumerate((7, 5)):
        books = f'{{"utterance": {utterance}, "started": {utterance + 1}, "first_word_s": 9, '
        books += f'"tokens_out": {tokens}, "odd": {tokens if utterance else [1]}}}'
        record.on_turn(event(TurnKind.TURN_BOOKED, 9.0, -1, utterance, books))
    return record


def test_a_pause_that_was_waited_for_is_in_one_turn():
    (turn,) = paused(ends=[4.96]).turns()
    assert turn.heard == turn.user_text == 'I would like to. Know the capital of Italy.'
    assert (turn.robot_text, turn.taken_back) == ('Rome.', ())
    assert turn.latency == pytest.approx(0.8, abs=0.05)
    told = turn_record(turn, T0)
    assert told['utterances'] == ['I would like to.', 'Know the capital of Italy.']
    assert [oracle['transcript'] for oracle in told['oracles']] == [
        'I would like to.',
        'I would like to. Know the capital',
        'I would like to. Know the capital of Italy.',
    ]
    assert (told['books']['started'], told['books']['tokens_out']) == (3, 12)
    assert told['books']['odd'] == 5
    assert told['books']['first_word_s'] == pytest.approx(5.1 - 4.4, abs=0.05)
    assert told['turn_ended_s'] == pytest.approx(4.96)


def test_a_turn_that_was_taken_back_is_marked():
    (turn,) = paused(ends=[2.88, 4.96], backs=[2.88], early=['The cap']).turns()
    assert turn.heard == 'I would like to. (taken back) Know the capital of Italy.'
    assert turn.user_text == 'I would like to. Know the capital of Italy.'
    assert turn.robot_text == 'Rome.'
    assert turn.latency == pytest.approx(0.8, abs=0.05)
    told = turn_record(turn, T0)
    assert told['taken_back'] == [{'at_s': 2.88, 'robot_text': 'The cap'}]
    assert (told['turn_ended_s'], told['speech_given_s']) == (4.96, 5.08)


def test_two_turns_that_ended_are_two():
    first, second = paused(ends=[2.4, 4.96]).turns()
    assert (first.heard, second.heard) == ('I would like to.', 'Know the capital of Italy.')
    assert (first.latency, second.robot_text) == (None, 'Rome.')


def test_a_hum_is_no_answer():
    record = Record()
    sound(record, 1.0, 3.04, spoken=[(3.36, 3.76), (5.04, 6.0)])
    record.on_monologue(MonologueToken(63, 0.0, 'Yes.'))
    record.on_transcript(final(0, 'Is it so?', 1.0, 3.2))
    (turn,) = record.turns()
    assert turn.latency == pytest.approx(2.0, abs=0.05)


def test_an_answer_right_after_a_hum_begins_with_its_first_word():
    record = Record()
    sound(record, 1.0, 3.04, spoken=[(3.36, 5.2)])
    record.on_monologue(MonologueToken(47, 0.0, 'Yes.'))  # played at 3.76
    record.on_transcript(final(0, 'Is it so?', 1.0, 3.2))
    (turn,) = record.turns()
    assert turn.latency == pytest.approx(0.72, abs=0.05)
