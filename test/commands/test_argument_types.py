"""Numbers of a command line, inside and outside of their limits."""

from __future__ import annotations

import argparse

import pytest

from kame_ros.commands.argument_types import above_zero, from_zero, whole, within


@pytest.mark.parametrize(
    ('read', 'good', 'bad'),
    [
        (whole(1), ['1', '12'], ['0', '-1', '1.5', 'x', '']),
        (above_zero, ['1e-9', '3'], ['0', '-1', 'nan', 'inf', 'x']),
        (from_zero, ['0', '0.5'], ['-0.1', 'nan', 'inf', 'x']),
        (within(-3600, 3600), ['-3600', '0', '0.5', '3600'], ['3600.1', '-1e9', 'nan', 'inf', 'x']),
    ],
)
def test_what_is_outside_of_its_limits_is_refused(read, good, bad):
    assert [read(text) for text in good] == [float(text) for text in good]
    for text in bad:
        with pytest.raises(argparse.ArgumentTypeError, match=f'{text!r} is no '):
            read(text)


def test_the_limits_are_told():
    with pytest.raises(argparse.ArgumentTypeError, match='no number from 0 to 1,000,000,000'):
        within(0, 1e9)('soon')
