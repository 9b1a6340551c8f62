"""Percentiles, factors and overload of the steps of a model."""

import pytest

from kame_ros.runtime.step_times import StepTimes


def test_percentiles_and_factor():
    times = StepTimes(0.08)
    assert times.counters() == {'steps': 0, 'slow_steps': 0, 'real_time_factor': 0.0}
    for milliseconds in range(1, 101):
        times.add(milliseconds / 1000)
    counters = times.counters()
    assert (counters['steps'], counters['slow_steps']) == (100, 20)
    assert counters['step_median_ms'] == pytest.approx(50.5)
    assert counters['step_p99_ms'] == pytest.approx(99, abs=0.1)
    assert counters['step_max_ms'] == 100
    assert counters['real_time_factor'] == pytest.approx(0.0505 / 0.08, abs=1e-3)
    times.reset()
    assert times.counters()['steps'] == 0


def test_one_slow_step_is_no_overload_but_many_in_a_row_are():
    times = StepTimes(0.08, window=20, sustained=10)
    times.add(1.0)
    assert times.counters()['real_time_factor'] > 1
    assert not times.overloaded
    for _ in range(9):
        times.add(0.09)
    assert times.overloaded
    for _ in range(10):
        times.add(0.01)
    assert not times.overloaded


def test_old_steps_are_forgotten():
    times = StepTimes(0.08, window=20)
    times.add(1.0)
    for _ in range(20):
        times.add(0.01)
    assert times.counters()['step_max_ms'] == 10
