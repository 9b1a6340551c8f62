"""What is refused, in the words and the form of the protocol."""

from __future__ import annotations

import json
from typing import Any


class Refused(ValueError):
    """An event of the client that the robot does not follow; the text says why, and what is right.

    `code` and `param` are those of the protocol's errors.
    """

    def __init__(self, text: str, *, code: str = 'invalid_value', param: str | None = None) -> None:
        super().__init__(text)
        self.code, self.param = code, param


def read_json(text: str | bytes) -> Any:
    """What a client sent; raises ValueError or RecursionError for what is no JSON.

    JSON can spell half a character (a lone surrogate), which no topic and no socket carries: who
    sends one is refused, not what would send it on.
    """
    told = json.loads(text)
    if isinstance(text, bytes) or '\\u' in text:
        try:
            json.dumps(told, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise Refused('half a character (a lone surrogate) is no text') from error
    return told


def error_event(refused: Refused, client_event_id: str | None) -> dict[str, Any]:
    """The error as the protocol tells it."""
    return {
        'type': 'error',
        'error': {
            'type': 'invalid_request_error',
            'code': refused.code,
            'message': str(refused),
            'param': refused.param,
            'event_id': client_event_id,
        },
    }
