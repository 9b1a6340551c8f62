"""`kame say`: which robot it speaks to, and what it prints."""

import os

import pytest

pytest.importorskip('rclpy', reason='needs rclpy')

from kame_ros import cli
from kame_ros.commands import say
from kame_ros.graph.running_graphs import Note
from kame_ros.nodes.visitor import say_client

NOTES = [Note(1, 'tandem', '/r2', 7, 'LOCALHOST'), Note(2, 'tandem', 'robot', 5, 'LOCALHOST')]


@pytest.fixture
def asked(monkeypatch):
    """The action and the domain that are asked, whatever is said."""
    told = []

    def note(action, *others):
        told.append((action, int(os.environ['ROS_DOMAIN_ID'])))
        return 'x', ''

    monkeypatch.setattr(say_client, 'say_to_robot', note)
    monkeypatch.setattr(say, 'running_graphs', lambda: NOTES)
    for name in ('ROS_DOMAIN_ID', 'ROS_AUTOMATIC_DISCOVERY_RANGE'):
        monkeypatch.setenv(name, '')  # and put back, as the command joins a domain
    return told


@pytest.mark.parametrize(
    ('given', 'action', 'domain'),
    [
        ([], '/robot/say', 5),  # the newest
        (['--namespace', 'r2'], '/r2/say', 7),
        (['--namespace', '/r2/'], '/r2/say', 7),
        (['--namespace', '/'], '/say', 0),
        (['--namespace', '///'], '/say', 0),
        (['--domain', '7'], '/r2/say', 7),
        (['--domain', '9'], '/robot/say', 9),
    ],
)
def test_it_speaks_to_the_robot_that_is_meant(asked, given, action, domain):
    assert cli.main(['say', 'x', *given]) == 0
    assert asked == [(action, domain)]


@pytest.fixture
def no_graph(monkeypatch):
    monkeypatch.setattr(say, 'running_graphs', list)
    monkeypatch.setattr(say, 'join', lambda env: None)


def test_what_was_not_said_leaves_no_empty_line(no_graph, monkeypatch, capsys):
    answer = ('', 'there is nothing to say')
    monkeypatch.setattr(say_client, 'say_to_robot', lambda *all_of_it: answer)
    assert cli.main(['say', '']) == 1
    printed = capsys.readouterr()
    assert printed.out + printed.err == 'error: there is nothing to say; said: nothing\n'


def test_what_was_said_is_a_line(no_graph, monkeypatch, capsys):
    def speak(name, text, priority, patience, echo):
        for said in ('Hello', 'Hello there.'):
            echo(said)
        return text, ''

    monkeypatch.setattr(say_client, 'say_to_robot', speak)
    assert cli.main(['say', 'Hello there.']) == 0
    printed = capsys.readouterr()
    assert printed.out + printed.err == 'Hello there.\n'
