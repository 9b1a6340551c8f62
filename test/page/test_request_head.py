"""The head of a request: refused, let through, or not whole yet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_ros.page.request_head import MOST_BYTES, Refusal, judge

GOOD = b'GET /v1/realtime?model=x HTTP/1.1\r\nHost: a:1\r\nUpgrade: websocket\r\n\r\n'


@pytest.mark.parametrize('end', range(len(GOOD)))
def test_each_beginning_of_a_request_is_waited_for(end):
    assert judge(GOOD[:end]) is False


def test_a_whole_one_goes_on_with_all_that_follows():
    assert judge(GOOD) is True
    assert judge(GOOD + b'\x82\x00') is True


@pytest.mark.parametrize(
    ('head', 'status'),
    [
        (b'A' * 8_200, 414),
        (b'GET /' + b'a' * 8_200, 414),
        (b'GET /%b HTTP/1.1\r\n' % (b'a' * 8_200), 414),
        (GOOD[:-2] + b'a: ' + b'b' * MOST_BYTES, 431),
        (GOOD[:-2] + b'a: %b\r\n\r\n' % (b'b' * 8_200), 431),
        (GOOD[:-2] + b'a: b\r\n' * 127 + b'\r\n', 431),
    ],
)
def test_what_is_too_long_is_refused(head, status):
    judged = judge(head)
    assert isinstance(judged, Refusal)
    assert judged.status == status


def test_what_is_just_short_enough_goes_on():
    assert judge(GOOD[:-2] + b'a: b\r\n' * 126 + b'\r\n') is True
    assert judge(GOOD[:-2] + b'a: %b\r\n\r\n' % (b'b' * 8_000)) is True


@given(st.binary(max_size=200))
def test_any_bytes_have_an_answer(head):
    judged = judge(head)
    assert judged in (True, False) or isinstance(judged, Refusal)
    if judged is True:
        assert head.startswith(b'GET ')


@given(st.binary(max_size=60), st.integers(0, len(GOOD)))
def test_bytes_in_the_midst_of_a_request_have_an_answer(more, at):
    judged = judge(GOOD[:at] + more + GOOD[at:])
    assert judged in (True, False) or isinstance(judged, Refusal)
