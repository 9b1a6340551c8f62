"""`kame say`: what it prints where nothing was said."""

import pytest

from kame_ros import cli
from kame_ros.commands import say

client = pytest.importorskip('kame_ros.nodes.visitor.say_client', reason='needs rclpy')


@pytest.fixture(autouse=True)
def no_graph(monkeypatch):
    monkeypatch.setattr(say, 'running_graphs', list)
    monkeypatch.setattr(say, 'join', lambda env: None)


def test_what_was_not_said_leaves_no_empty_line(monkeypatch, capsys):
    answer = ('', 'there is nothing to say')
    monkeypatch.setattr(client, 'say_to_robot', lambda *all_of_it: answer)
    assert cli.main(['say', '']) == 1
    printed = capsys.readouterr()
    assert printed.out + printed.err == 'error: there is nothing to say; said: nothing\n'


def test_what_was_said_is_a_line(monkeypatch, capsys):
    def speak(name, text, priority, patience, echo):
        for said in ('Hello', 'Hello there.'):
            echo(said)
        return text, ''

    monkeypatch.setattr(client, 'say_to_robot', speak)
    assert cli.main(['say', 'Hello there.']) == 0
    printed = capsys.readouterr()
    assert printed.out + printed.err == 'Hello there.\n'
