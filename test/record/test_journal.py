from kame_ros.record.journal import Journal
from kame_ros.wire.frame import Frame
from kame_ros.wire.monologue import MonologueToken
from kame_ros.wire.transcript import Transcript
from kame_ros.wire.turn import TurnEvent, TurnKind


def test_lines_are_in_the_order_of_time_from_the_begin_on():
    journal = Journal()
    journal.on_turn(TurnEvent(TurnKind.RESET, 99.0))  # before the conversation
    journal.on_mic(Frame(0, 100.0))
    journal.on_turn(TurnEvent(TurnKind.ORACLE_SPOKEN, 103.0, generation=4))
    journal.on_transcript(Transcript(1, 0, 'Hello', 5, True, 100.2, 100.9))
    journal.on_monologue(MonologueToken(7, 101.0, ' hi'))
    journal.on_played(Frame(3, 101.2, source_seq=7))
    lines = list(journal.lines(100.0))
    assert [line['topic'] for line in lines] == ['transcript', 'monologue', 'turn']
    assert lines[0]['start'] == 0.2
    assert lines[1]['played_at'] == 1.2
    assert (lines[2]['kind'], lines[2]['t']) == ('ORACLE_SPOKEN', 3.0)


def test_a_word_that_was_not_played_has_no_time():
    journal = Journal()
    journal.on_monologue(MonologueToken(7, 1.0, ' hi'))
    assert next(journal.lines(0.0))['played_at'] is None
