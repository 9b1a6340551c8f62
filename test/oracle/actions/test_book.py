import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_ros.oracle.actions.book import ActionError, actions_from_config
from kame_ros.oracle.actions.desk import ActionDesk

DECLARED = [
    {
        'name': 'drive',
        'description': 'Drives forward.',
        'arguments': {
            'metres': {'type': 'number', 'minimum': 0.0, 'maximum': 2.0},
            'speed': {'type': 'string', 'choices': ['slow', 'fast'], 'required': False},
        },
    },
    {'name': 'wave', 'description': 'Waves.'},
    {'name': 'shutdown', 'description': 'Switches the robot off.'},
]
BOOK = actions_from_config(DECLARED, allowed=['drive', 'wave'])


def test_a_good_request_is_read():
    text = '{"name": "drive", "arguments": {"metres": 1.5, "speed": "slow"}}'
    assert BOOK.parse(text) == ('drive', {'metres': 1.5, 'speed': 'slow'})
    assert BOOK.parse('{"name": "wave"}') == ('wave', {})


@pytest.mark.parametrize(
    ('text', 'why'),
    [
        ('drive(1)', 'not JSON'),
        ('[1]', 'name and arguments'),
        ('{"name": "drive"}', 'needs metres'),
        ('{"name": "drive", "arguments": {"metres": 9}}', 'outside'),
        ('{"name": "drive", "arguments": {"metres": NaN}}', 'outside'),
        ('{"name": "drive", "arguments": {"metres": "1"}}', 'is a number'),
        ('{"name": "drive", "arguments": {"metres": true}}', 'is a number'),
        ('{"name": "drive", "arguments": {"metres": 1, "speed": "warp"}}', 'one of'),
        ('{"name": "drive", "arguments": {"metres": 1, "sudo": 1}}', 'no argument'),
        ('{"name": "drive", "arguments": [1]}', 'not an object'),
        ('{"name": "wave", "arguments": {}, "extra": 1}', 'name and arguments'),
        ('{"name": "shutdown"}', 'no action'),  # declared, but not allowed
        ('{"name": ["drive"]}', 'no action'),
        ('[' * 100_000, 'too long'),
        ('[' * 1_900, 'not JSON'),
    ],
)
def test_all_other_requests_are_refused_with_the_reason(text, why):
    with pytest.raises(ActionError, match=why):
        BOOK.parse(text)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=5))
def test_whatever_the_arguments_are_it_is_read_or_refused(value):
    try:
        name, arguments = BOOK.parse(json.dumps({'name': 'drive', 'arguments': {'metres': value}}))
    except ActionError:
        return
    assert name == 'drive'
    assert 0 <= arguments['metres'] <= 2


def test_the_prompt_names_only_what_is_allowed():
    assert 'drive(metres: number from 0.0 to 2.0' in BOOK.prompt
    assert 'shutdown' not in BOOK.prompt
    assert actions_from_config([]).prompt == ''


@pytest.mark.parametrize(
    'declared',
    [[{'description': 'x'}], [{'name': 'a', 'arguments': {'x': {'type': 'file'}}}], ['wave']],
)
def test_a_bad_declaration_is_an_error(declared):
    with pytest.raises(ValueError, match=r'not a declaration|an argument is'):
        actions_from_config(declared)


def test_allowing_what_is_not_declared_is_an_error():
    with pytest.raises(ValueError, match='fly'):
        actions_from_config(DECLARED, allowed=['fly'])


WAVE = '{"name": "wave"}'


def test_speculation_never_acts():
    desk = ActionDesk(BOOK)
    assert desk.ask(0.0, WAVE, 1, 0, confirmed=False) is None
    assert desk.passed == 0
    desk.forget(1)
    assert desk.confirm(1) == []


def test_what_speculation_asked_is_done_when_it_is_confirmed():
    desk = ActionDesk(BOOK)
    desk.ask(0.0, WAVE, 1, 0, confirmed=False)
    (text,) = desk.confirm(1)
    assert desk.ask(0.1, text, 1, 0, confirmed=True).name == 'wave'


@pytest.mark.parametrize('number', ['Infinity', '-Infinity', 'NaN', '1e300'])
def test_a_number_without_bounds_is_still_a_number(number):
    book = actions_from_config([{'name': 'go', 'arguments': {'x': {'type': 'number'}}}])
    with pytest.raises(ActionError, match='outside'):
        book.parse('{"name": "go", "arguments": {"x": ' + number + '}}')


def test_what_speculation_asks_is_checked_at_once_and_forgotten_with_the_turn():
    desk = ActionDesk(BOOK)
    with pytest.raises(ActionError):
        desk.ask(0.0, '{"name": "fly"}', 1, 0, confirmed=False)
    desk.ask(0.0, WAVE, 1, 0, confirmed=False)
    desk.forget_unconfirmed()
    assert desk.confirm(1) == []


def test_a_turn_has_a_limit():
    desk = ActionDesk(BOOK, max_per_turn=2)
    ids = {desk.ask(0.0, WAVE, gen, 0, confirmed=True).id for gen in (1, 2)}
    assert len(ids) == 2
    with pytest.raises(ActionError, match='too many'):
        desk.ask(0.0, WAVE, 3, 0, confirmed=True)
    assert desk.ask(0.0, WAVE, 4, 1, confirmed=True)


def test_results_are_taken_once_and_in_time():
    desk = ActionDesk(BOOK, timeout_s=5.0)
    first = desk.ask(0.0, WAVE, 1, 0, confirmed=True)
    second = desk.ask(1.0, WAVE, 1, 0, confirmed=True)
    assert desk.result(first.id) is first
    assert desk.result(first.id) is None
    assert desk.result('made up') is None
    assert desk.next_deadline() == 6.0
    assert desk.overdue(6.0) == [second]
    assert desk.result(second.id) is None


def test_stopping_names_what_runs():
    desk = ActionDesk(BOOK)
    running = desk.ask(0.0, WAVE, 1, 0, confirmed=True)
    desk.ask(0.0, WAVE, 2, 0, confirmed=False)
    assert desk.cancel_all() == [running]
    assert desk.confirm(2) == []
