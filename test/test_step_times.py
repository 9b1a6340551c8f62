import pytest

from kame_ros.step_times import StepTimes


def test_percentiles_and_factor():
    times = StepTimes(0.08)
    assert times.counters() == {}
    for milliseconds in range(1, 101):
        times.add(milliseconds / 1000)
    counters = times.counters()
    assert counters['step_median_ms'] == pytest.approx(50.5)
    assert counters['step_max_ms'] == 100
    assert counters['real_time_factor'] == pytest.approx(0.0505 / 0.08, abs=1e-3)


def test_one_slow_step_is_no_overload_but_a_slow_window_is():
    times = StepTimes(0.08, window=10)
    times.add(1.0)
    assert times.real_time_factor > 1
    assert not times.overloaded
    for _ in range(9):
        times.add(0.09)
    assert times.overloaded
    for _ in range(10):
        times.add(0.01)
    assert not times.overloaded
