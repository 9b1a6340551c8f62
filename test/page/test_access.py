"""Tokens, names and origins."""

import pytest

from kame_ros.page import access
from kame_ros.page.access import Access, BadToken, given_token, is_here, new_token, told_token


def test_new_tokens_differ_and_are_long():
    assert len({new_token() for _ in range(100)}) == 100
    assert len(new_token()) == 40


@pytest.mark.parametrize('text', ['short', 'x' * 15, 'with a space in it', 'ümlaut' * 4, 'a/b' * 9])
def test_a_token_that_fits_in_no_link_is_refused(text):
    with pytest.raises(BadToken, match='KAME_PAGE_TOKEN'):
        given_token({access.TOKEN_VARIABLE: text})


def test_the_token_of_the_environment():
    assert given_token({}) == ''
    assert given_token({access.TOKEN_VARIABLE: 'x' * 16}) == 'x' * 16


@pytest.mark.parametrize(
    ('path', 'headers', 'token'),
    [
        ('/', {}, ''),
        ('/?token=abc', {}, 'abc'),
        ('/?token=', {}, ''),
        ('/?token=abc', {'Authorization': 'Bearer def'}, 'def'),
        ('/', {'Sec-WebSocket-Protocol': 'realtime, openai-insecure-api-key.k.e.y'}, 'k.e.y'),
        ('/', {'Sec-WebSocket-Protocol': 'realtime'}, ''),
    ],
)
def test_where_a_token_is_told(path, headers, token):
    assert told_token(path, headers) == token


def test_the_comparison_takes_any_text():
    mine = Access('0123456789abcdef')
    assert mine.token_problem('0123456789abcdef') == ''
    for text in ('', '\ud800', 'é', '0123456789abcdeF', 'x' * 100_000):
        assert mine.token_problem(text)


def test_addresses_of_this_machine():
    assert [is_here(host) for host in ('127.0.0.1', '::1', 'localhost', '127.1.2.3')] == [True] * 4
    assert [is_here(host) for host in ('0.0.0.0', '192.168.1.1', 'example.org', '')] == [False] * 4
