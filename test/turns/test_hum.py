"""When a listener hums."""

import pytest

from kame_ros.turns.hum import Hum


@pytest.mark.parametrize(
    ('turn_s', 'pause_s', 'goes_on', 'clause', 'hums'),
    [
        (9.0, 0.4, 0.8, True, True),
        (5.0, 0.4, 0.8, True, False),  # the turn is short
        (9.0, 0.1, 0.8, True, False),  # no pause yet
        (9.0, 1.5, 0.8, True, False),  # too late
        (9.0, 0.4, 0.3, True, False),  # it may be over: a hum would be an answer
        (9.0, 0.4, 0.8, False, False),  # in the middle of a clause
    ],
)
def test_table(turn_s, pause_s, goes_on, clause, hums):
    assert Hum(8.0).is_due(20.0, 20.0 - turn_s, pause_s, goes_on, clause) is hums


def test_it_hums_seldom():
    hum = Hum(8.0)
    times = [t for t in range(60) if hum.is_due(float(t), 0.0, 0.4, 0.8, True)]
    assert times == [8, 16, 24, 32, 40, 48, 56]
    hum.reset()
    assert hum.is_due(8.0, 0.0, 0.4, 0.8, True)
