"""Secrets do not belong in logs: servers repeat a wrong key in their errors."""

from __future__ import annotations

import os

_ENDINGS = ('KEY', 'TOKEN', 'SECRET', 'PASSWORD')
_SHORTEST = 8  # characters: what is shorter is no secret, and would blot out common words


def redact(text: str) -> str:
    """The text without the values of environment variables whose names say that they are secret."""
    for name, value in os.environ.items():
        value = value.strip()
        if name.upper().endswith(_ENDINGS) and len(value) >= _SHORTEST:
            text = text.replace(value, f'({name})')
    return text
