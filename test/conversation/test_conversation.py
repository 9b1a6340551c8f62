import json

import pytest
from scripted_conversation import LOUD, QUESTION, T0, event, final, partial, play, word

from kame_ros.conversation.conversation import Conversation
from kame_ros.conversation.happening import What
from kame_ros.record.record import Record
from kame_ros.wire.frame import Frame
from kame_ros.wire.health import Health
from kame_ros.wire.monologue import MonologueToken
from kame_ros.wire.transcript import Transcript


@pytest.fixture
def conversation():
    conversation = Conversation()
    play(conversation, QUESTION, user=[(1.0, 3.0)], robot=[(3.84, 5.1)])
    return conversation


def kinds(happenings):
    return [happening.what.name for happening in happenings]


def test_a_turn_is_what_was_heard_thought_and_said(conversation):
    (turn,) = conversation.turns
    assert turn.heard == 'What is the capital of France?'
    assert turn.final
    assert turn.settled == len(turn.heard)
    assert turn.said == 'The capital is Paris.'
    assert [g.state for g in turn.generations.values()] == ['applied', 'applied']
    assert turn.adopted.text == 'The capital is Paris.'


def test_the_latency_is_that_of_a_record(conversation):
    record = Record()
    play(record, QUESTION, user=[(1.0, 3.0)], robot=[(3.84, 5.1)])
    (turn,), (recorded,) = conversation.turns, record.turns()
    assert turn.latency == pytest.approx(recorded.latency, abs=0.011)
    assert turn.latency == pytest.approx(0.84, abs=0.05)


def test_a_robot_that_is_early_has_a_negative_latency():
    conversation = Conversation()
    play(conversation, [final(4.0, 'Hello robot')], user=[(1.0, 4.0)], robot=[(3.04, 5.04)])
    (turn,) = conversation.turns
    assert turn.latency == pytest.approx(-0.96, abs=0.05)


def test_what_happens_is_told_in_order_and_once(conversation):
    assert kinds(conversation.happenings) == [
        *('USER_SPEAKS', 'PARTIAL', 'PARTIAL', 'ASKED', 'FIRST_WORD', 'ADOPTED', 'ASKED'),
        *('USER_SILENT', 'FINAL', 'FIRST_WORD', 'DROPPED', 'ADOPTED', 'TURN_ENDED', 'WRITTEN'),
        *('ROBOT_SPEAKS', 'WORD', 'LATENCY', 'WORD', 'WORD', 'SPOKEN', 'ROBOT_SILENT'),
    ]
    assert [h.number for h in conversation.happenings] == list(range(1, 22))
    second = [h for h in conversation.happenings if h.what is What.PARTIAL][1]
    assert (second.text[: second.settled], second.t) == ('What is', T0 + 2.2)


def test_who_reads_along_gets_the_rest(conversation):
    assert kinds(conversation.since(19)) == ['SPOKEN', 'ROBOT_SILENT']
    assert conversation.since(21) == []
    told = [json.loads(json.dumps(h.as_dict())) for h in conversation.since(0)]
    assert told[1] == {
        **{'number': 2, 'what': 'partial', 't': T0 + 1.6, 'turn': 1, 'text': 'What is'},
        'utterance': 0,
    }


def test_it_keeps_a_minute(conversation):
    conversation.tick(T0 + 63.35)
    assert kinds(conversation.happenings)[0] == 'TURN_ENDED'
    conversation.tick(T0 + 100.0)
    assert not conversation.happenings
    assert len(conversation.turns) == 1


def test_all_is_bounded():
    conversation = Conversation()
    long = 'word ' * 2_000
    for number in range(3_000):
        conversation.on_transcript(partial(1.0, long, utterance=number)[2][0])
        conversation.on_turn(event(1.0, 'GENERATION_BEGUN', number, number, long)[2][0])
        conversation.on_monologue(MonologueToken(number, T0, long))
    assert len(conversation.turns) == 100
    assert sum(len(h.text) for h in conversation.happenings) <= 300_000
    assert len(conversation._generations.by_number) == 300
    assert len(conversation._words._waiting) == 250


def test_words_that_were_not_played_were_not_said():
    conversation = Conversation()
    play(conversation, [final(2.0, 'Hello'), word(3.2, 'Hi.'), word(30.0, ' And?')], robot=[(3, 4)])
    assert conversation.turn.said == 'Hi.'


def test_words_that_come_after_their_frame_are_said():
    conversation = Conversation()
    play(conversation, [final(2.0, 'Hello')], user=[(1.0, 2.0)], robot=[(3.0, 4.0)])
    conversation.on_monologue(MonologueToken(40, T0 + 3.0, 'Hi.'))
    assert conversation.turn.said == 'Hi.'
    assert conversation.turn.words[0].t == T0 + 3.2


def test_a_barge_in_is_of_the_turn_that_it_breaks_into():
    conversation = Conversation()
    table = [
        final(2.0, 'Tell me a story'),
        word(3.2, 'Once'),
        partial(4.6, 'Stop', utterance=1, start=4.0),
        event(4.7, 'BARGE_IN', source='s2s'),
        final(5.0, 'Stop it', utterance=1, start=4.0),
    ]
    play(conversation, table, user=[(1.0, 2.0), (4.0, 5.0)], robot=[(3.2, 4.7)])
    first, second = conversation.turns
    assert first.barge_in == T0 + 4.7
    assert second.barge_in is None
    assert second.latency is None


def test_a_robot_may_speak_first():
    conversation = Conversation()
    play(conversation, [word(3.2, 'Hello, I am awake.', 'say', -1)], robot=[(3.2, 4.0)])
    (turn,) = conversation.turns
    assert (turn.utterance, turn.heard, turn.said) == (-1, '', 'Hello, I am awake.')


def test_losses_are_counted_and_troubles_told_once():
    conversation = Conversation()
    for level, message, total in (
        (0, 'active', 0),
        (1, 'frames_dropped 3', 3),
        (1, 'frames_dropped 5', 5),
        (2, 'no device', 5),
        (2, 'no device', 5),
        (0, 'active', 5),
    ):
        conversation.on_health(
            's2s', Health('active', level, message, {'frames_dropped': str(total)})
        )
    assert conversation.losses == {('s2s', 'frames_dropped'): 5.0}
    assert [(h.what.name, h.text, h.value) for h in conversation.happenings] == [
        ('LOSS', 'frames_dropped', 3.0),
        ('LOSS', 'frames_dropped', 2.0),
        ('TROUBLE', 'no device', 0.0),
        ('WELL', '', 0.0),
    ]


@pytest.mark.parametrize(
    'message',
    [
        'voltage exceeded',
        'firmware 3.5.1',
        'error 7',
        'temperature 71',
        'temperature 71, fan off',
        '',
    ],
)
def test_a_warning_of_another_node_is_no_loss(message):
    conversation = Conversation()
    for _ in range(2):
        health = Health('', 1, message, {'temperature': 'high', 'fan': '0'})
        conversation.on_health('battery', health)
    assert conversation.losses == {}
    assert [(h.what.name, h.text) for h in conversation.happenings] == (
        [('TROUBLE', message)] if message else []
    )


def test_a_counter_that_was_no_number_before_has_grown_from_nothing():
    conversation = Conversation()
    conversation.on_health('s2s', Health('active', 0, 'active', {'gaps': 'none'}))
    conversation.on_health('s2s', Health('active', 1, 'gaps 1e+06', {'gaps': '1000000'}))
    assert conversation.losses == {('s2s', 'gaps'): 1e6}


def test_a_clock_that_jumps_begins_the_minute_anew(conversation):
    conversation.on_played(Frame(900, T0 - 500.0, LOUD, 900))
    assert conversation.now == pytest.approx(T0 - 499.92)
    assert conversation.robot_speaks
    conversation.tick(T0 - 499.0)
    assert not conversation.robot_speaks
    # What is of a time to come would never be of the past, nor let go what comes after it.
    assert [h.what.name for h in conversation.happenings] == ['ROBOT_SPEAKS', 'ROBOT_SILENT']
    conversation.tick(T0 - 439.95)
    assert [h.what.name for h in conversation.happenings] == ['ROBOT_SILENT']
    conversation.tick(T0 - 430.0)
    assert not conversation.happenings


@pytest.mark.parametrize('jump', [-86_400.0, -3_600.0, -100.0, 100.0, 86_400.0])
@pytest.mark.parametrize('when', ['before the question', 'while it is asked', 'before the answer'])
def test_words_are_of_the_newest_turn_when_the_clock_was_set(conversation, jump, when):
    early, asked = conversation.turn.said, T0 + 10.0
    first = asked + (jump if when == 'before the question' else 0.0)
    last = asked + (0.0 if when == 'before the answer' else jump)
    conversation.on_transcript(Transcript(1, 0, 'And', 0, False, first, first + 0.5))
    conversation.on_transcript(Transcript(1, 1, 'And of Italy?', 13, True, last, last + 1.0))
    conversation.on_played(Frame(300, asked + jump + 2.0, LOUD, 900))
    conversation.on_monologue(MonologueToken(900, asked + jump + 1.9, 'Rome.'))
    assert [turn.said for turn in conversation.turns] == [early, 'Rome.']


@pytest.mark.parametrize('text', ['no JSON', '[1]', '"x"', ''])
def test_books_that_are_none_are_passed_over(conversation, text):
    conversation.on_turn(event(6.0, 'TURN_BOOKED', utterance=0, text=text)[2][0])
    assert conversation.turn.books == {}
