import pytest

from kame_ros.record.ending import Ending, Patience
from kame_ros.wire.turn import TurnEvent, TurnKind

PATIENCE = Patience(settle_s=2, quiet_s=1, stuck_s=10, babble_s=20, limit_s=60)


def conversation(*events, thinks=True):
    ending = Ending(thinks, PATIENCE)
    for event in events:
        ending.on_event(event)
    return ending


def at(t, kind, generation=-1, utterance=-1, text=''):
    return TurnEvent(kind, t, 'llm', generation, utterance, 0, text)


HEARD = (
    at(1, TurnKind.USER_SPEECH_START, utterance=0),
    at(3, TurnKind.USER_SPEECH_END, utterance=0),
    at(4, TurnKind.INPUT_ENDED),
)
ANSWERED = (
    at(3.2, TurnKind.GENERATION_BEGUN, 1, 0),
    at(3.5, TurnKind.GENERATION_ENDED, 1, 0, 'Paris.'),
)


def test_it_goes_on_before_the_input_has_ended():
    assert conversation(*HEARD[:2]).done(100) == ''


def test_silence_is_nothing_heard():
    assert conversation(HEARD[2]).done(5.9) == ''
    assert conversation(HEARD[2]).done(6.1) == 'nothing heard'


def test_the_robot_is_waited_for_until_it_is_quiet():
    ending = conversation(*HEARD, *ANSWERED, at(4.5, TurnKind.ORACLE_SPOKEN, 1))
    ending.on_final(0, 3.3, answered=True)
    ending.on_sound(7.0, loud=True)
    assert ending.done(7.0) == ''
    ending.on_sound(7.5, loud=False)
    assert ending.done(7.5) == ''
    assert ending.done(8.1) == 'answered'


def test_an_answer_that_was_not_spoken_is_owed():
    ending = conversation(*HEARD, *ANSWERED)
    ending.on_final(0, 3.3, answered=True)
    assert ending.done(9) == ''
    assert 'the speech of an answer' in ending.done(15)


def test_a_final_without_an_answer_is_owed_one():
    ending = conversation(*HEARD)
    ending.on_final(0, 3.3, answered=False)
    assert ending.done(9) == ''
    assert 'in vain for an answer' in ending.done(15)


def test_an_answer_that_failed_is_owed_no_longer():
    ending = conversation(*HEARD)
    ending.on_final(0, 3.3, answered=False)
    ending.on_event(at(3.4, TurnKind.GENERATION_BEGUN, 1, 0))
    assert ending.done(9) == ''
    ending.on_event(at(5, TurnKind.GENERATION_FAILED, 1, 0, 'no server'))
    assert ending.done(9) == 'the LLM has not answered: no server'


def test_a_failure_that_was_made_good_is_none():
    ending = conversation(*HEARD)
    ending.on_final(0, 3.3, answered=False)
    ending.on_event(at(3.4, TurnKind.GENERATION_BEGUN, 1, 0))
    ending.on_event(at(4.0, TurnKind.GENERATION_FAILED, 1, 0, 'busy'))
    ending.on_event(at(4.2, TurnKind.GENERATION_BEGUN, 2, 0))
    assert ending.done(9) == ''
    ending.on_event(at(5.0, TurnKind.GENERATION_ENDED, 2, 0, ''))
    assert ending.done(9) == 'answered'


def test_an_apology_is_no_answer():
    """A server that hangs: its generation is cancelled, and that of the apology has failed."""
    ending = conversation(*HEARD)
    ending.on_final(0, 3.3, answered=False)
    ending.on_event(at(3.4, TurnKind.GENERATION_BEGUN, 1, 0))
    ending.on_event(at(5.4, TurnKind.GENERATION_CANCELLED, 1, 0))
    ending.on_event(at(5.4, TurnKind.GENERATION_FAILED, 2, 0, 'no first token in time'))
    ending.on_event(at(5.4, TurnKind.GENERATION_FIRST_WORD, 2, 0))
    ending.on_event(at(6.0, TurnKind.ORACLE_SPOKEN, 2, 0))
    assert ending.done(9) == 'the LLM has not answered: no first token in time'


def test_a_failure_that_belongs_to_no_question_is_none():
    ending = conversation(*HEARD)
    ending.on_final(0, 3.3, answered=False)
    ending.on_event(at(3.3, TurnKind.GENERATION_FAILED, text='refused an action'))
    ending.on_event(at(3.4, TurnKind.GENERATION_BEGUN, 1, 0))
    ending.on_event(at(5.0, TurnKind.GENERATION_ENDED, 1, 0, ''))
    assert ending.done(9) == 'answered'


def test_noise_is_owed_nothing():
    noise = at(3.1, TurnKind.SILENT, utterance=0)
    assert conversation(*HEARD, noise).done(7) == 'nothing heard'


def test_speech_that_never_ends_is_given_up():
    ending = conversation(HEARD[0], HEARD[2])
    assert ending.done(9) == ''
    assert 'the end of what the user says' in ending.done(15)


def test_there_is_a_limit_whatever_happens():
    ending = conversation(HEARD[0], HEARD[2])  # the user never stops, nor does the robot
    ending.on_sound(64.0, loud=True)
    assert ending.done(63) == ''
    assert ending.done(65) == 'gave up after 60 s'


def test_without_an_oracle_the_robots_silence_is_the_end():
    ending = conversation(*HEARD, thinks=False)
    ending.on_final(0, 3.3, answered=False)
    assert ending.done(9) == 'answered'


def test_a_robot_that_never_stops_is_left():
    ending = conversation(*HEARD, *ANSWERED, at(5, TurnKind.ORACLE_SPOKEN, 1))
    ending.on_final(0, 3.3, answered=True)
    for second in range(5, 60):
        ending.on_sound(float(second), loud=True)
        ending.on_event(at(second, TurnKind.ROBOT_SPEECH_START))
        assert ending.done(second) == ('' if second <= 25 else 'answered')


def test_the_words_of_speech_that_ended_are_awaited():
    """A busy machine is late with them; what it then hears is answered."""
    ending = conversation(*HEARD)
    assert ending.done(8) == ''
    ending.on_final(0, 9.0, answered=False)
    assert ending.done(9.5) == ''
    for event in (
        at(9.2, TurnKind.GENERATION_BEGUN, 1, 0),
        at(9.4, TurnKind.GENERATION_ENDED, 1, 0, 'Paris.'),
        at(11, TurnKind.ORACLE_SPOKEN, 1),
    ):
        ending.on_event(event)
    assert ending.done(12) == 'answered'


def test_noise_that_has_no_words_is_not_awaited_for_ever():
    assert conversation(*HEARD).done(12.1) == 'nothing heard'
    ending = conversation(*HEARD)
    ending.on_no_words()
    assert ending.done(7) == 'nothing heard'


def test_words_that_came_before_the_end_of_speech_are_not_awaited():
    ending = conversation(HEARD[0])
    ending.on_final(0, 2.9, answered=True)
    for event in HEARD[1:]:
        ending.on_event(event)
    assert ending.done(6.1) == 'answered'


def test_the_answer_to_all_answers_the_half_before():
    ending = conversation(*HEARD)
    ending.on_final(0, 3.3, answered=False)
    ending.on_final(1, 3.4, answered=False)
    for event in (
        at(3.5, TurnKind.GENERATION_BEGUN, 2, 1),
        at(3.6, TurnKind.GENERATION_ENDED, 2, 1, 'Paris.'),
        at(5, TurnKind.ORACLE_SPOKEN, 2),
    ):
        ending.on_event(event)
    assert ending.done(7) == 'answered'


@pytest.mark.parametrize('told_first', [False, True])
def test_a_remark_over_the_answer_is_owed_nothing_whichever_topic_is_faster(told_first):
    ending = conversation(*HEARD, *ANSWERED, at(4.5, TurnKind.ROBOT_SPEECH_START))
    ending.on_final(0, 3.3, answered=True)
    ending.on_event(at(5, TurnKind.USER_SPEECH_END, utterance=1))
    silent = at(5.5, TurnKind.SILENT, utterance=1)
    if told_first:
        ending.on_event(silent)
    ending.on_final(1, 5.5, answered=False)
    if not told_first:
        ending.on_event(silent)
    ending.on_event(at(6, TurnKind.ORACLE_SPOKEN, 1))
    assert ending.done(8) == 'answered'
