"""Judges the head of an HTTP request before the WebSocket library, which hangs up without a word.

It is a pure function of the bytes; the connection around it is `AnsweringConnection`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus

MOST_BYTES, _MOST_OF_LINE, _MOST_FIELDS = 65_536, 8_190, 128  # the last two are the library's
_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # RFC 9110, 5.6.2
_REQUEST = re.compile(rb'(' + _TOKEN + rb') ([!-~]+) HTTP/1\.[01]\r\n')
_FIELD = re.compile(rb'(' + _TOKEN + rb'):([\t -~\x80-\xff]*)\r\n')
_END = b'\r\n\r\n'


@dataclass(frozen=True)
class Refusal:
    """What is answered in the place of the library, with a sentence; to HEAD, without it."""

    status: HTTPStatus
    problem: str
    allow: str = ''
    of_head: bool = False


_GARBAGE = Refusal(HTTPStatus.BAD_REQUEST, 'this is no request of HTTP/1.1')
_LONG_LINE = Refusal(HTTPStatus.REQUEST_URI_TOO_LONG, 'the address of this request is too long')
_LONG_HEAD = Refusal(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, 'the header of this request is too long'
)


def judge(head: bytes) -> Refusal | bool:
    """Of all that has come: a refusal; True, it may go on to the library; False, wait for more."""
    line = head[: head.find(b'\n') + 1]
    if not line:
        starts = re.match(_TOKEN + rb'( [!-~]*( [HTP/0-9.]*\r?)?)?', head)
        if head and not (starts and starts.end() == len(head)):
            return _GARBAGE
        return _LONG_LINE if len(head) > _MOST_OF_LINE else False
    request = _REQUEST.fullmatch(line)
    if request is None:
        return _GARBAGE
    if request[1] != b'GET':
        problem = f'{request[1].decode()[:20]} is not done here: pages are got, sockets opened'
        return Refusal(HTTPStatus.METHOD_NOT_ALLOWED, problem, 'GET', of_head=request[1] == b'HEAD')
    if len(line) > _MOST_OF_LINE:
        return _LONG_LINE
    end = head.find(_END, 0, MOST_BYTES)
    if end < 0:
        return _LONG_HEAD if len(head) >= MOST_BYTES else False
    return _judge_fields(head[len(line) : end + 2]) or True


def _judge_fields(fields: bytes) -> Refusal | None:
    lines = fields.splitlines(keepends=True)
    if len(lines) > _MOST_FIELDS or max(map(len, lines), default=0) > _MOST_OF_LINE:
        return _LONG_HEAD
    for line in lines:
        field = _FIELD.fullmatch(line)
        if field is None:
            return Refusal(HTTPStatus.BAD_REQUEST, 'a header field of this request is none')
        name, value = field[1].lower(), field[2].strip()
        if name == b'transfer-encoding' or (name == b'content-length' and value != b'0'):
            return Refusal(HTTPStatus.BAD_REQUEST, 'a request has no body here')
    return None
