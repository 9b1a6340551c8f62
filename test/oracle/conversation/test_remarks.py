import pytest

from kame_ros.oracle.conversation.remarks import Remarks
from kame_ros.wire.transcript import Transcript


def heard(text, start, end):
    return Transcript(1, 0, text, len(text), True, start, end)


@pytest.fixture
def remarks():
    """The robot spoke from 10 to 14 s, and speaks since 20 s."""
    remarks = Remarks()
    for begins, t in ((True, 10.0), (False, 14.0), (True, 20.0)):
        (remarks.robot_begins if begins else remarks.robot_ends)(t)
    return remarks


@pytest.mark.parametrize(
    ('text', 'start', 'end', 'said', 'is_remark'),
    [
        ('Right.', 12.0, 12.4, 'It is Paris', True),
        ('Okay.', 22.0, 22.4, 'It is Paris', True),
        ('Uh-huh.', 9.6, 10.2, '', True),  # both began at once
        ('Okay, I see.', 13.9, 14.8, 'It is Paris.', True),
        ('Okay.', 9.4, 9.8, '', False),  # before the robot spoke
        ('Okay.', 14.3, 14.8, 'It is Paris.', False),  # after it had
        ('Right now, where are you?', 12.0, 13.0, 'It is Paris', False),
        ('Stop.', 12.0, 12.4, 'It is Paris', False),
        ('Yes.', 13.8, 14.2, 'Shall I come?', False),  # an answer
        ('Yes.', 13.8, 14.2, 'Did he say "Come?"', False),
        ('Okay.', 12.0, 12.0, 'It is Paris', False),  # typed
        ('', 12.0, 12.4, 'It is Paris', False),
    ],
)
def test_a_remark_is_said_over_the_robot_and_asks_it_to_go_on(
    remarks, text, start, end, said, is_remark
):
    assert remarks.is_remark(heard(text, start, end), said) is is_remark


def test_who_was_found_to_interrupt_made_no_remark(remarks):
    remarks.robot_stopped(13.5)
    assert not remarks.is_remark(heard('Okay okay okay.', 12.0, 13.6), '')
    assert remarks.is_remark(heard('Okay.', 22.0, 22.4), '')


def test_after_the_clock_was_set_back_remarks_are_remarks(remarks):
    remarks.robot_stopped(10_000.0)
    assert remarks.is_remark(heard('Okay.', 22.0, 22.4), '')


def test_a_new_conversation_knows_of_no_speech(remarks):
    remarks.forget()
    assert not remarks.is_remark(heard('Okay.', 22.0, 22.4), '')
    remarks.robot_ends(23.0)  # of what began before
    assert not remarks.is_remark(heard('Okay.', 22.0, 22.4), '')
