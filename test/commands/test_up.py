"""`kame up` tells each kind of problem once, however long it goes on, and how to join it."""

from types import SimpleNamespace

import pytest
from rich.console import Console

pytest.importorskip('rclpy')

from kame_ros.commands import up
from kame_ros.commands.up import Told, tell_failures
from kame_ros.conversation.conversation import Conversation
from kame_ros.wire.turn import TurnEvent, TurnKind


def lines(told, name, messages, start=0.0):
    return sum(told.is_news(start + second, name, text) for second, text in enumerate(messages))


def test_a_counter_that_grows_is_one_line():
    told = Told()
    assert lines(told, 'ear', [f'frames_silent {n}' for n in range(600, 4200)]) == 1
    assert lines(told, 'ear', ['frames_late 1, frames_silent 4300'], 3600) == 1
    assert lines(told, 'mouth', ['frames_silent 2'], 3600) == 1


def test_numbers_of_all_forms_are_numbers():
    told = Told()
    texts = ('factor 1.25', 'factor 12', 'factor 3e+06', 'factor -1')
    assert lines(told, 's2s', texts) == 1


def test_what_comes_and_goes_is_told_again_after_a_minute_of_quiet():
    told = Told()
    assert told.is_news(0.0, 'ear', 'losses 1')
    assert not told.is_news(50.0, 'ear', 'losses 2')
    assert not told.is_news(100.0, 'ear', 'losses 3')
    assert told.is_news(161.0, 'ear', 'losses 4')


def test_it_remembers_a_bounded_number_of_kinds():
    told = Told()
    words = [f'{a}{b}{c}' for a in 'abcdefgh' for b in 'abcdefgh' for c in 'abcdefgh']
    assert lines(told, 'ear', words) == len(words)
    assert len(told._seen) <= 200


def test_why_the_llm_failed_is_told_once(monkeypatch):
    console = Console(width=40, record=True, file=open('/dev/null', 'w'))  # noqa: SIM115
    monkeypatch.setattr(up, 'console', console)
    conversation, told, seen = Conversation(), Told(), 0
    why = 'no server answers at http://127.0.0.1:9/v1: is it started?'
    for t in (1.0, 2.0, 3.0):
        conversation.on_turn(TurnEvent(TurnKind.GENERATION_BEGUN, t, generation=int(t)))
        conversation.on_turn(TurnEvent(TurnKind.GENERATION_FAILED, t, generation=int(t), text=why))
        seen = tell_failures(conversation, told, seen)
    assert console.export_text().splitlines() == [f'oracle: {why}']
    assert seen == conversation.happenings[-1].number


def test_what_is_to_be_copied_is_one_line(monkeypatch):
    console = Console(width=40, record=True, file=open('/dev/null', 'w'))  # noqa: SIM115
    monkeypatch.setattr(up, 'console', console)
    up._greet(SimpleNamespace(domain=5), 'LOCALHOST')
    line = 'export ROS_DOMAIN_ID=5 ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST'
    assert any(line in each for each in console.export_text().splitlines())
