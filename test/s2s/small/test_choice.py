"""Tokens of logits."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kame_ros.s2s.small.choice import begun, drawn, softmax

SOME = np.log(np.array([0.1, 0.2, 0.4, 0.3], np.float32))


def test_without_temperature_it_is_the_likeliest():
    assert drawn(SOME, 0.0, 4, 0.99) == 2
    assert drawn(SOME, 1.0, 1, 0.99) == 2


def test_as_often_as_it_is_likely():
    chances = (np.arange(1000) + 0.5) / 1000
    counts = np.bincount([drawn(SOME, 1.0, 4, chance) for chance in chances], minlength=4)
    assert counts.tolist() == [100, 200, 400, 300]
    kept = np.bincount([drawn(SOME, 1.0, 2, chance) for chance in chances], minlength=4)
    assert kept[:2].tolist() == [0, 0]


def test_nothing_is_said_where_that_is_likely_enough():
    logits = np.log(np.array([0.6, 0.3, 0.02, 0.08], np.float32))
    assert begun(logits, 0.5, 0.2, 0, 0.3) == 0
    found = {begun(logits, 0.7, 0.2, 0, chance) for chance in np.linspace(0, 0.999, 100)}
    assert found == {1, 3}


def test_the_piece_that_is_due_is_not_drawn_for():
    logits = np.log(np.array([0.4, 0.22, 0.2, 0.18], np.float32))
    chances = np.linspace(0, 0.999, 100)
    assert {begun(logits, 0.5, 0.2, 1, chance) for chance in chances} == {1}
    assert {begun(logits, 0.5, 0.2, 2, chance) for chance in chances} == {1, 2, 3}


def test_what_is_shunned_is_said_only_where_nothing_else_is_likely():
    chances = np.linspace(0, 0.999, 100)
    logits = np.log(np.array([0.1, 0.6, 0.1, 0.1, 0.1], np.float32))
    assert {begun(logits, 0.5, 0.2, 0, chance, (1,)) for chance in chances} == {2, 3, 4}
    assert {begun(logits, 0.5, 0.2, 1, chance, (1,)) for chance in chances} == {1}  # it is due
    sure = np.log(np.array([0.1, 0.897, 0.001, 0.001, 0.001], np.float32))
    assert {begun(sure, 0.5, 0.2, 0, chance, (1,)) for chance in chances} == {1}
    assert begun(logits, 0.05, 0.2, 0, 0.5, (1,)) == 0


def test_what_is_not_allowed_counts_as_silence():
    chances = np.linspace(0, 0.999, 100)
    logits = np.log(np.array([0.1, 0.6, 0.2, 0.1], np.float32))
    assert {begun(logits, 0.5, 0.2, 2, chance, (), (2, 3)) for chance in chances} == {0}
    assert {begun(logits, 0.8, 0.2, 2, chance, (), (2, 3)) for chance in chances} == {2}
    assert {begun(logits, 1.1, 0.2, 0, chance, (), (2, 3)) for chance in chances} == {2, 3}
    assert begun(logits, 1.1, 0.2, 0, 0.5, (), ()) == 0


@given(
    st.lists(st.floats(-30, 30, width=32), min_size=2, max_size=60),
    st.floats(0, 1, exclude_max=True),
    st.floats(0.01, 2),
    st.integers(1, 80),
)
def test_there_always_is_one(logits, chance, temperature, top_k):
    values = np.array(logits, np.float32)
    assert abs(float(softmax(values).sum()) - 1) < 1e-5
    assert 0 <= drawn(values, temperature, top_k, chance) < len(values)
    piece = begun(values, 1.1, 0.2, 1, chance)
    assert 0 < piece < len(values)
