"""What callbacks of others raise: booked, told once of each kind, and survived."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from kame_ros.runtime.faults import Faults


def raises(error):
    def callback(value):
        raise error

    return callback


@pytest.mark.parametrize('error', [ValueError('x'), SystemExit(3), RecursionError()])
def test_what_others_raise_is_booked(error):
    told = []
    faults = Faults(told.append)
    callback = faults.guarded('a topic', raises(error))
    callback(1)
    callback(2)
    assert faults.count == faults.by_place['a topic'] == 2
    assert len(told) == faults.kinds == 1
    assert type(error).__name__ in told[0]


@pytest.mark.parametrize('error', [KeyboardInterrupt(), asyncio.CancelledError(), GeneratorExit()])
def test_what_is_meant_for_who_calls_goes_on(error):
    faults = Faults(lambda text: None)
    with pytest.raises(type(error)):
        faults.guarded('a topic', raises(error))(1)
    assert faults.count == 0


def test_nobody_who_could_be_told_is_a_fault_more():
    faults = Faults(raises(SystemExit()))
    faults.book('here', ValueError('x'))
    assert faults.count == 2


def test_a_dataclass_of_callbacks_is_guarded():
    @dataclass
    class Callbacks:
        one: object
        two: object

    heard = []
    faults = Faults(lambda text: None)
    guarded = faults.guard(Callbacks(raises(ValueError('x')), heard.append))
    guarded.one(1)
    guarded.two(2)
    assert (faults.count, heard) == (1, [2])


def test_only_so_many_kinds_are_told():
    told = []
    faults = Faults(told.append)
    for number in range(60):
        faults.book('here', type(f'Error{number}', (Exception,), {})())
    assert (faults.count, len(told)) == (60, 50)
