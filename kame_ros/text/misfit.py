"""Says what is wrong with data that was read, where Python would speak of its own types."""

from __future__ import annotations

import json
import re

_NUMBER = re.compile(r"(?:could not convert|invalid literal|cannot convert).*?('.*'|NaN|infinity)")
# What Python says of a table whose keys became arguments.
_ARGUMENT = re.compile(r"(unexpected|missing) .*arguments?:? ('.*')")
# What Python says to a list of another length, and to a table that is none.
_PYTHON = re.compile(
    r'(values? to unpack|dictionary update sequence|zip\(\)|Exceeds the limit|\w+\(\) |'
    r'cannot convert|could not convert|invalid literal)'
)


def misfit(error: BaseException) -> str:
    """What an error means that reading foreign data has raised, for a sentence.

    Texts that we or a parser have written for people stay as they are.
    """
    if isinstance(error, UnicodeDecodeError):
        return 'it is no text in UTF-8'
    if isinstance(error, json.JSONDecodeError):
        return f'it is no JSON: {error}'
    if isinstance(error, re.error):
        return f'{error.pattern!r} is no regular expression: {error.msg}'
    if isinstance(error, OSError):
        return error.strerror or 'it cannot be read'
    if isinstance(error, RecursionError):
        return 'it is nested too deeply'
    if isinstance(error, KeyError):
        return f'{error.args[0]!r} is missing' if error.args else 'something is missing'
    if isinstance(error, IndexError):
        return 'a list in it is too short'
    if isinstance(error, OverflowError):
        return 'a number in it is too large'
    if argument := _ARGUMENT.search(str(error)):
        return f'{argument[2]} is {"missing" if argument[1] == "missing" else "not known"}'
    if isinstance(error, TypeError | AttributeError):
        return 'a value in it is of another type than is wanted'
    text = ' '.join(str(error).split())
    if number := _NUMBER.search(text):
        return f'{number[1]} is no number'
    if not text or _PYTHON.search(text):
        return 'a value in it is of another form than is wanted'
    return text
