"""When a changed prompt is read before anybody asks."""

import pytest

from kame_ros.oracle.llm.warm_ahead import WarmAhead


def test_a_changed_prompt_is_read_once_after_a_burst_and_while_nobody_speaks():
    warm = WarmAhead()
    for t in (0.0, 0.2, 0.4):
        warm.changed(t)
    assert warm.at == pytest.approx(0.9)
    assert not warm.take(0.8, idle=True)
    assert not warm.take(0.9, idle=False)
    assert warm.take(1.5, idle=True)
    assert not warm.take(9.0, idle=True)


def test_facts_that_change_for_ever_are_read_all_the_same():
    warm, read = WarmAhead(), 0
    for step in range(300):
        warm.changed(step / 10)
        read += warm.take(step / 10, idle=True)
    assert 5 <= read <= 10
