import math

import pytest

from kame_ros.evaluation import statistics
from kame_ros.evaluation.statistics import bootstrap, holm, paired, quantiles, stratified, wilson

pytest.importorskip('scipy', reason='make setup-eval')


def test_twenty_of_forty():
    found = wilson(20, 40)
    assert (round(found.low, 2), round(found.high, 2)) == (0.35, 0.65)
    assert math.isnan(wilson(0, 0).value)


def test_values_that_are_all_alike_are_a_point():
    found = bootstrap([2.0] * 10)
    assert (found.value, found.low, found.high) == (2.0, 2.0, 2.0)
    assert bootstrap([]).n == 0
    assert bootstrap([1.0]).low == 1.0


def test_an_interval_holds_the_mean_and_is_the_same_again():
    values = [1.0, 2.0, 3.0, 4.0, 9.0, 1.5, 2.5]
    found = bootstrap(values)
    assert found.low < found.value < found.high
    assert bootstrap(values) == found


def test_categories_count_alike_however_many_questions_they_have():
    assert stratified({'a': [1.0] * 10, 'b': [3.0] * 2, 'c': []}).value == 2.0
    assert stratified({}).n == 0


def test_six_net_changes_in_one_direction_are_a_difference_and_five_are_none():
    """The exact test of McNemar: 6 of 6 p = .031, 5 of 5 p = .063."""
    base = {f'q{n}': 0.0 for n in range(40)}
    better = {**base, **{f'q{n}': 1.0 for n in range(6)}}
    found = paired(better, base)
    assert (found.better, found.worse, round(found.p, 3)) == (6, 0, 0.031)
    less = {**base, **{f'q{n}': 1.0 for n in range(5)}}
    assert round(paired(less, base).p, 4) == 0.0625
    assert paired(base, base).p == 1.0


def test_only_questions_that_both_have_are_compared():
    found = paired({'a': 1.5, 'b': 2.0, 'c': 9.0}, {'a': 1.0, 'b': 1.0, 'd': 0.0})
    assert found.difference.n == 2
    assert math.isnan(paired({'a': 1.0}, {'b': 1.0}).p)


def test_times_are_compared_by_flipping_signs():
    a = {f'q{n}': 1.0 + 0.01 * n for n in range(12)}
    b = {f'q{n}': 0.5 + 0.013 * n for n in range(12)}
    assert paired(a, b).p < 0.01


def test_several_comparisons_are_corrected():
    assert holm([0.01, 0.04, 0.03]) == [0.03, 0.06, 0.06]
    assert holm([]) == []


def test_quantiles_of_nothing():
    assert all(math.isnan(x) for x in quantiles([], 0.1, 0.9))
    assert quantiles([1.0, 2.0, 3.0], 0.5) == [2.0]
    assert statistics.LEVEL == 0.95
