import io

import pytest
from rich.console import Console
from scripted_conversation import QUESTION, T0, event, final, partial, play, word

from kame_ros.commands.live import Over, Screen, line_of, view
from kame_ros.conversation.conversation import Conversation
from kame_ros.conversation.together import together


def seen(table=QUESTION, seconds=12.0, **sound):
    conversation = Conversation()
    play(conversation, table, seconds, **(sound or {'user': [(1.0, 3.0)], 'robot': [(3.84, 5.1)]}))
    return conversation


def plain(renderable):
    console = Console(file=io.StringIO(), width=120)
    console.print(renderable)
    return console.file.getvalue()


def test_what_is_settled_is_set_apart():
    conversation = seen(seconds=2.4)
    (table, *_) = view(conversation).renderables
    (heard, *_) = table.columns[1].cells
    spans = {heard.plain[s.start : s.end].strip(): s.style for s in heard.spans}
    assert spans['the capital'] == 'italic bright_black'
    assert heard.plain == 'What is the capital'
    assert spans['What is'] == 'bold cyan'


def test_answers_are_asked_adopted_dropped():
    assert '◌ asked about “What is the capital”' in plain(view(seen(seconds=2.4)))
    assert '◔' in plain(view(seen(seconds=2.65)))
    told = plain(view(seen()))
    assert '✓ The capital is Paris.' in told
    assert '● Of what stopped' in told
    assert '+0.8' in told


def test_an_answer_that_nobody_took_is_dropped():
    table = [
        final(2.0, 'Hello'),
        event(1.5, 'GENERATION_BEGUN', 1, 0, 'Hel'),
        event(1.9, 'GENERATION_CANCELLED', 1, 0, 'Hm'),
    ]
    table[0], table[1] = partial(1.2, 'Hel'), table[1]
    assert '✗ Hm dropped' in plain(view(seen(table)))


def test_without_a_terminal_each_turn_is_one_line():
    console = Console(file=io.StringIO(), width=60)
    conversation = Conversation()
    with Screen(console, conversation).shown() as screen:
        play(conversation, QUESTION, user=[(1.0, 3.0)], robot=[(3.84, 5.1)])
        screen.update()
        screen.update()
        (line,) = console.file.getvalue().splitlines()
    assert console.file.getvalue().splitlines() == [line]
    assert line.startswith('turn 1   +0.8')
    assert line.endswith('said: The capital is Paris.  [2 asked, 0 dropped]')


def test_a_turn_that_is_not_over_is_told_at_the_end():
    console = Console(file=io.StringIO(), width=60)
    conversation = Conversation()
    with Screen(console, conversation).shown() as screen:
        play(conversation, QUESTION, 4.5, user=[(1.0, 3.0)], robot=[(3.84, 5.1)])
        screen.update()
        assert console.file.getvalue() == ''
    assert console.file.getvalue().count('turn 1') == 1


def test_turns_are_told_in_order_and_once():
    conversation = seen(
        [
            final(2.0, 'One'),
            word(2.8, 'Yes.'),
            final(5.0, 'Two', utterance=1, start=4.5),
            word(5.6, 'No.'),
        ],
        user=[(1.0, 2.0), (4.5, 5.0)],
        robot=[(2.8, 3.2), (5.6, 6.0)],
    )
    over = Over()
    assert [turn.last.heard for turn in over.take(conversation)] == ['One', 'Two']
    assert over.take(conversation, all_of_them=True) == []


TWO_PARTS = [
    event(0.5, 'TURN_ENDED', source='s2s'),
    final(2.0, 'What is'),
    final(4.0, 'the capital?', utterance=1, start=3.0),
    event(4.3, 'TURN_ENDED', source='s2s'),
    word(4.8, 'Paris.'),
]
TAKEN_BACK = [
    final(2.0, 'What is'),
    event(2.4, 'TURN_ENDED', source='s2s'),
    word(2.56, 'It'),
    (3.1, *event(2.4, 'TAKEN_BACK', source='s2s')[1:]),  # the end that was none
    *TWO_PARTS[2:],
]


@pytest.mark.parametrize(
    ('table', 'robot', 'heard'),
    [
        (TWO_PARTS, [(4.8, 5.2)], 'What is the capital?'),
        (TAKEN_BACK, [(2.56, 3.2), (4.8, 5.2)], 'What is (taken back) the capital?'),
    ],
)
def test_a_turn_of_several_utterances_is_one(table, robot, heard):
    console = Console(file=io.StringIO(), width=60)
    conversation = Conversation()
    with Screen(console, conversation).shown() as screen:
        play(conversation, table, user=[(1.0, 2.0), (3.0, 4.0)], robot=robot)
        screen.update()
        (line,) = console.file.getvalue().splitlines()
    assert line.startswith('turn 1   +0.8')
    assert line.endswith(f'heard: {heard}  said: Paris.')
    assert heard in plain(view(conversation))


def test_two_turns_are_two_and_counted():
    table = [
        *TWO_PARTS,
        final(7.0, 'And?', utterance=2, start=6.5),
        event(7.3, 'TURN_ENDED', source='s2s'),
    ]
    console = Console(file=io.StringIO(), width=60)
    conversation = Conversation()
    with Screen(console, conversation).shown():
        play(conversation, table, user=[(1.0, 2.0), (3.0, 4.0), (6.5, 7.0)], robot=[(4.8, 5.2)])
    lines = console.file.getvalue().splitlines()
    assert [line.split('  ')[0] for line in lines] == ['turn 1', 'turn 2']
    assert lines[1].endswith('heard: And?  said nothing')


def test_a_turn_that_was_told_is_not_shown_again():
    assert 'Paris' in plain(view(seen()))
    assert 'Paris' not in plain(view(seen(), told=1))


def test_an_interruption_is_told():
    conversation = seen(
        [final(2.0, 'Tell me'), word(2.8, 'Once'), event(4.0, 'BARGE_IN', source='s2s')],
        user=[(1.0, 2.0)],
        robot=[(2.8, 4.0)],
    )
    assert '(interrupted)' in line_of(1, *together(conversation))
    assert '✂ interrupted' in plain(view(conversation))


@pytest.mark.parametrize('text', ['[bold]x[/]', '\x1b[2J\x07', 'x' * 5_000, '‮abc'])
def test_what_people_say_rules_no_terminal(text):
    conversation = seen([final(2.0, text), word(2.8, text)])
    for told in (plain(view(conversation)), line_of(1, *together(conversation))):
        assert '\x1b' not in told
        assert '\x07' not in told
        assert '‮' not in told
        assert len(told) < 3_000
    if 'bold' in text:
        assert '[bold]x[/]' in plain(view(conversation))


def test_a_terminal_shows_it_live():
    console = Console(file=io.StringIO(), width=100, force_terminal=True, legacy_windows=False)
    conversation = Conversation()
    with Screen(console, conversation).shown() as screen:
        play(conversation, QUESTION, 2.4, user=[(1.0, 3.0)])
        screen.update()
        assert 'What is' in console.file.getvalue()
        assert 'asked about' in console.file.getvalue()
    assert conversation.now > T0
