"""Secrets do not belong in logs: servers repeat a wrong key in their errors."""

from __future__ import annotations

import os
from collections.abc import Mapping

_ENDINGS = ('KEY', 'TOKEN', 'SECRET', 'PASSWORD')
_SHORTEST = 8  # characters: what is shorter is no secret, and would blot out common words


def secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables whose names say that they are secret, and their values; the longest first."""
    found = {
        name: value.strip()
        for name, value in environ.items()
        if name.upper().endswith(_ENDINGS) and len(value.strip()) >= _SHORTEST
    }
    return dict(sorted(found.items(), key=lambda item: -len(item[1])))


def redact(text: str) -> str:
    """The text without the values of environment variables whose names say that they are secret."""
    for name, value in secrets(os.environ).items():
        text = text.replace(value, f'({name})')
    return text
