"""A setting is written once, in the field of its configuration. No ROS."""

from dataclasses import dataclass, field

import pytest

from kame_ros.settings.param import (
    MODEL,
    BadParameter,
    Param,
    check_settings,
    filled,
    prefixed,
    setting,
)

STEP = Param('step_s', 0.5, 'A step.', low=0.1, high=10.0)
SOURCE = Param('source', 'wav', 'A source.', choices=('wav', 'device'))


@pytest.mark.parametrize(
    ('param', 'given', 'value'),
    [(STEP, 1, 1.0), (STEP, 0.1, 0.1), (SOURCE, 'device', 'device')],
)
def test_right_values_get_their_type(param, given, value):
    checked = param.checked(given)
    assert checked == value
    assert type(checked) is type(value)


@pytest.mark.parametrize(
    ('param', 'given', 'says'),
    [
        (STEP, 0.0, 'between 0.1 and 10.0, not 0.0'),
        (STEP, float('nan'), 'between'),
        (STEP, 'fast', "step_s is a number, not 'fast'"),
        (STEP, True, 'a number'),
        (SOURCE, 'devise', "did you mean 'device'"),
        (SOURCE, 3, "one of wav, device, not '3'"),
        (Param('t', 'x', 'A text.'), {'a': 1}, 't is a text'),
        (Param('n', 3, 'A count.', low=1), 0, 'at least 1'),
        (Param('n', 3, 'A count.', low=1), 1.5, 'a whole number'),
        (Param('on', True, 'A switch.'), 2, 'true or false'),
        (Param('x', 1.0, 'Any.'), float('inf'), 'a finite number'),
        (Param('x', 1.0, 'Any.'), None, 'a number'),
    ],
)
def test_wrong_values_are_refused_in_words(param, given, says):
    with pytest.raises(BadParameter, match=says):
        param.checked(given)


@dataclass(frozen=True)
class Gate:
    threshold: float = setting(0.5, 'From here on it is a voice.', low=0.1, high=0.9)
    min_silence_s: float = setting(0.4, 'So long it is silent.', low=0.2)
    windows: int = 3  # nobody can set it

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class Config:
    makers: tuple[str, ...]  # nobody can set it, and somebody has to
    model: str = setting('small', 'What hears.', names=MODEL, longest=9)
    kind: str = setting('a', 'How it hears.', choices=('a', 'b'))
    rate: int = setting(8, 'How often.', unit='Hz')
    gate: Gate = field(default_factory=Gate)
    inner: Gate = field(default_factory=Gate, metadata=prefixed('inner_'))
    more: dict = field(default_factory=dict)


def test_the_rows_are_those_of_the_fields():
    rows = {row.name: row for row in Param.of(Config, 'x.')}
    assert list(rows) == [
        *('x.model', 'x.kind', 'x.rate', 'x.threshold', 'x.min_silence_s'),
        *('x.inner_threshold', 'x.inner_min_silence_s'),
    ]
    assert rows['x.model'] == Param('x.model', 'small', 'What hears.', names=MODEL, longest=9)
    assert rows['x.min_silence_s'].default == Gate.min_silence_s == 0.4
    assert [rows[name].unit for name in ('x.kind', 'x.rate', 'x.min_silence_s')] == ['', 'Hz', 's']
    assert rows['x.min_silence_s'].limits == 'at least 0.2'
    assert not any(row.live for row in rows.values())
    assert all(row.live for row in Param.of(Config, live=True))


def test_a_configuration_is_made_of_the_values_of_its_rows():
    values = {row.name: row.default for row in Param.of(Config, 'x.')}
    made = filled(Config, values.__getitem__, 'x.', makers=('me',))
    assert made == Config(('me',))
    values |= {'x.kind': 'b', 'x.threshold': 0.6, 'x.inner_min_silence_s': 2.0}
    made = filled(Config, values.__getitem__, 'x.', makers=('me',))
    assert made == Config(('me',), kind='b', gate=Gate(0.6), inner=Gate(min_silence_s=2.0))
    mine = Gate(0.7)
    assert filled(Config, values.__getitem__, 'x.', makers=(), gate=mine).gate is mine


def test_a_configuration_keeps_its_own_limits():
    with pytest.raises(BadParameter, match=r'^threshold is between 0\.1 and 0\.9, not 1\.0$'):
        Gate(1.0)
    with pytest.raises(BadParameter, match='min_silence_s is at least 0'):
        Gate(min_silence_s=float('nan'))


@pytest.mark.parametrize(
    ('name', 'default', 'unit'),
    [
        *(('a_s', 0.5, 's'), ('moshi.hush_s', 1, 's'), ('margin_db', 6.0, 'dB')),
        *(('target_ms', 60.0, 'ms'), ('max_tokens', 64, 'tokens'), ('max_words', 30, 'words')),
        *(('words', '', ''), ('word_times', False, ''), ('has_words', True, ''), ('gain', 0.5, '')),
    ],
)
def test_the_unit_of_a_number_is_in_its_name(name, default, unit):
    assert Param(name, default, 'It.').unit == unit
