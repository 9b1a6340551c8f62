"""`kame conduct` looks for the nodes where it is told to."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip('rclpy')

from kame_ros.cli import main
from kame_ros.nodes.visitor import running_graph

NAMES = ('ROS_DOMAIN_ID', 'ROS_AUTOMATIC_DISCOVERY_RANGE')


class FakeConductor:
    """Is told to end when it begins."""

    seen: tuple[str | None, ...]

    def __init__(self, *_: object) -> None:
        FakeConductor.seen = tuple(os.environ.get(name) for name in NAMES)

    def bring_up(self, *_: object) -> None:
        raise running_graph.Stopped


@pytest.fixture
def conducted(monkeypatch: pytest.MonkeyPatch) -> Any:
    @contextlib.contextmanager
    def spinning() -> Iterator[tuple[None, None]]:
        yield None, None

    monkeypatch.setattr(running_graph, '_spinning', spinning)
    monkeypatch.setattr(running_graph, 'Conductor', FakeConductor)
    monkeypatch.setenv('ROS_DOMAIN_ID', '7')
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'SYSTEM_DEFAULT')

    def run(*more: str) -> tuple[str | None, ...]:
        assert main(['conduct', *more]) == 0
        return FakeConductor.seen

    return run


def test_it_finds_nodes_of_this_machine_or_of_the_network(conducted: Any) -> None:
    assert conducted() == ('7', 'LOCALHOST')
    assert conducted('--discovery', 'SUBNET') == ('7', 'SUBNET')
    assert conducted('--domain', '9') == ('9', 'LOCALHOST')


def test_a_range_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['conduct', '--discovery', 'MOON']) != 0
    assert "not 'MOON'" in ' '.join(capsys.readouterr().err.split())
