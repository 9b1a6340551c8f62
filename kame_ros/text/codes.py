"""Codes of computers, letter by letter: hashes, colours, addresses of network cards."""

from __future__ import annotations

import re

_MAC = re.compile(r'[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}')
_IPV6 = re.compile(r'(?=.*:.*:)(?=.*[A-Fa-f:]{2})[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}')
_COLOUR = re.compile(
    r'#(?=.*[A-Fa-f])(?:[0-9A-Fa-f]{6}|[0-9A-Fa-f]{8}'
    r'|(?=.*[\dA-F])[0-9A-Fa-f]{3})'
)
_HASH = re.compile(r'(?=[a-f0-9]*\d)(?=[a-f0-9]*[a-f])[a-f0-9]{7,128}')
_UUID = re.compile(r'[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}')
_HEX = re.compile(r'0x([0-9A-Fa-f]{1,16})')


def code_of(core: str) -> str:
    """A code as it is said; empty if it is none."""
    if found := _HEX.fullmatch(core):
        return f'hex {_spelt(found[1])}'
    if _COLOUR.fullmatch(core):
        return f'hex {_spelt(core[1:])}'
    if _MAC.fullmatch(core) or _UUID.fullmatch(core):
        return ', '.join(_spelt(part) for part in re.split('[:-]', core))
    if _IPV6.fullmatch(core):
        return ' colon '.join(_spelt(part) for part in core.split(':')).replace('  ', ' ').strip()
    if _HASH.fullmatch(core) and not re.fullmatch(r'\d+e\d+', core):
        return ', '.join(_spelt(core[i : i + 4]) for i in range(0, len(core), 4))
    return ''


def _spelt(part: str) -> str:
    return ' '.join(part.upper())
