from dataclasses import fields

import pytest

from kame_ros.oracle.llm.backend import Backend, parse_backend
from kame_ros.oracle.settings import _TYPES, OracleSettings, read_settings


def read(tmp_path, row):
    file = tmp_path / 'oracle.yaml'
    file.write_text(f'prices: {{m: {row}}}')
    return read_settings(str(file))


@pytest.mark.parametrize(
    ('row', 'why'),
    [
        ("{price_in: 'a'}", "prices of m: price_in is a number, not 'a'"),
        ('{price_out: [1]}', r'price_out is a number, not \[1\]'),
        ('{price_in: true}', 'price_in is a number, not True'),
        ('{price_in: null}', 'price_in is a number, not None'),
        ('{price_in: -1}', 'price_in is 0 or more, not -1'),
        ('{price_cached: .nan}', 'price_cached is 0 or more, not nan'),
        ('{price_cached: .inf}', 'price_cached is 0 or more, not inf'),
        ('{slots: two}', "slots is a whole number, not 'two'"),
        ('{thinks: perhaps}', "thinks is true or false, not 'perhaps'"),
        ('{max_tokens: many}', "max_tokens is a whole number, not 'many'"),
        ('{extra: 5}', 'extra is a table, not 5'),
        ('{prize: 1.0}', "'prize' is not known; price_in"),
        ('{1: 2}', '1 is not known'),
    ],
)
def test_a_price_that_is_none_is_refused_in_a_sentence(tmp_path, row, why):
    with pytest.raises(ValueError, match=why) as refused:
        read(tmp_path, row)
    assert 'oracle.yaml' in str(refused.value)
    assert '\n' not in str(refused.value)


def test_prices_are_read_however_they_are_written(tmp_path):
    settings = read(tmp_path, "{price_in: '2.5', price_out: 8, price_cached: null, thinks: yes}")
    backend = settings.priced(parse_backend('openai:m'))
    assert (backend.price_in, backend.price_out, backend.price_cached) == (2.5, 8.0, None)
    assert backend.thinks is True


def test_what_no_backend_can_have_is_told_with_its_name():
    with pytest.raises(ValueError, match='prices of openai:m: max_tokens'):
        OracleSettings(prices={'m': {'max_tokens': 0}}).priced(parse_backend('openai:m'))


def test_every_setting_of_a_backend_has_a_type():
    assert set(_TYPES) == {field.name for field in fields(Backend)}
