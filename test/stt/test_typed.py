"""What somebody writes is an utterance of its own, between those that are heard."""

from kame_ros.stt.typed import TypedTexts
from kame_ros.wire.transcript import Transcript
from kame_ros.wire.turn import TurnEvent, TurnKind


def begins(utterance):
    return TurnEvent(TurnKind.USER_SPEECH_START, 1.0, utterance=utterance)


def silent(utterance):
    # As a transcriber tells it: a TurnEvent with the number of the utterance.
    return TurnEvent(TurnKind.SILENT, 2.0, utterance=utterance)


def heard(utterance, final=False):
    return Transcript(utterance, 0, 'hello', 5 if final else 0, final, 1.0, 2.0)


def test_numbers_go_on_from_the_first():
    typed = TypedTexts(100)
    assert [typed.number(o) for o in (begins(0), heard(0), heard(0, True))] == [100] * 3
    assert typed.number(begins(1)) == 101


def test_a_text_is_a_final_utterance():
    typed = TypedTexts(100)
    typed.number(begins(0)), typed.number(heard(0, True))
    typed.put('What is two and two?')
    (text,) = typed.take(7.0)
    assert (text.utterance, text.final, text.start, text.end) == (101, True, 7.0, 7.0)
    assert text.committed_text == 'What is two and two?'
    assert typed.number(begins(1)) == 102
    assert typed.take(8.0) == []


def test_a_text_waits_until_what_is_heard_is_over():
    typed = TypedTexts(0)
    typed.number(begins(0))
    typed.put('a')
    typed.number(begins(1))  # while the first is still decoded
    typed.number(heard(0, True))
    assert typed.take(1.0) == []
    typed.put('b')
    typed.number(silent(1))
    assert [(t.utterance, t.text) for t in typed.take(2.0)] == [(2, 'a'), (3, 'b')]
    assert typed.number(begins(2)) == 4


def test_more_texts_than_wait_are_counted():
    typed = TypedTexts(0)
    typed.number(begins(0))
    for number in range(10):
        typed.put(str(number))
    typed.number(heard(0, True))
    assert [t.text for t in typed.take(1.0)] == ['0', '1', '2', '3']
    assert (typed.given, typed.dropped) == (4, 6)
