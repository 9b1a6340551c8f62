"""What `kame ask` counts as lost."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from kame_ros.commands.ask import counters


def told(**nodes: dict[str, object]):
    """A graph whose nodes told these diagnostics last."""
    health = {name: SimpleNamespace(values=values) for name, values in nodes.items()}
    return SimpleNamespace(conductor=SimpleNamespace(health=health))


@pytest.mark.parametrize(
    ('playback', 'dropped', 'flushed'),
    [
        ({}, 0, 0),
        ({'flushed': '7', 'frames_flushed': 2}, 0, 9),  # a barge-in is no loss
        ({'dropped_speech': 1, 'dropped_silent': 2, 'skipped': 3, 'late': 4}, 10, 0),
        ({'late': '1.0', 'flushed': 1}, 1, 1),
    ],
)
def test_what_an_interruption_throws_away_is_not_lost(playback, dropped, flushed) -> None:
    count = counters(told(audio_playback=playback))
    assert (count['frames_dropped'], count['frames_flushed']) == (dropped, flushed)


def test_frames_are_lost_in_every_node() -> None:
    count = counters(
        told(s2s={'frames_dropped': 1, 'frames_missing': 2}, audio_playback={'late': 4})
    )
    assert count['frames_dropped'] == 7


def test_a_node_that_told_nothing_lost_nothing() -> None:
    count = counters(told(s2s=None))
    assert set(count.values()) == {0}
