"""What the operating system says of an error, in words."""

from __future__ import annotations


def in_words(error: BaseException) -> str:
    """What an error says; of the operating system, which file and why, without its number."""
    if isinstance(error, OSError) and error.strerror:
        return f'{error.filename}: {error.strerror}' if error.filename else error.strerror
    return str(error)
