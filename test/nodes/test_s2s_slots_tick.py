"""When the model of many robots makes its next step: on virtual time."""

import pytest

from kame_ros.nodes.s2s_slots_node import seconds_to_tick


@pytest.mark.parametrize(
    ('now', 'waiting_since', 'wait'),
    [
        (10.0, [], None),
        (10.0, [None], None),
        (10.0, [None, None], None),
        (10.0, [10.0], 0.0),
        (10.0, [9.99, 10.0], 0.0),
        (10.0, [9.97, None], 0.05),
        (10.0, [None, 9.99, 9.97], 0.05),
        (10.0, [9.92, None], 0.0),
        (10.0, [5.0, None], 0.0),
    ],
)
def test_a_tick_waits_for_all_but_no_longer_than_a_frame(now, waiting_since, wait):
    assert seconds_to_tick(now, waiting_since) == (wait if wait is None else pytest.approx(wait))


def test_robots_out_of_step_share_one_tick_per_frame():
    """Sixteen robots, each at a phase of its own: a step for each frame time, for all of them."""
    offsets = [0.08 * robot / 16 for robot in range(16)]
    arrivals = sorted((o + 0.08 * n, robot) for n in range(50) for robot, o in enumerate(offsets))
    waiting: list[float | None] = [None] * 16
    ticks = served = 0
    for t, robot in arrivals:
        wait = seconds_to_tick(t, waiting)
        assert wait is None or wait > 0  # nobody waits for a full frame
        assert waiting[robot] is None  # and nobody has two
        waiting[robot] = t
        if seconds_to_tick(t, waiting) == 0.0:
            ticks += 1
            served += sum(since is not None for since in waiting)
            waiting = [None] * 16
    assert (ticks, served) == (50, 800)
