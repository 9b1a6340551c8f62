"""Gives back memory that loading took and nothing holds any longer.

The C library keeps it for later, which never comes: a node loads once.
"""

from __future__ import annotations

import ctypes


def give_back() -> bool:
    """True if the C library can be told (glibc); it takes some milliseconds."""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, TypeError, AttributeError):  # another system, or another C library
        return False
    trim(0)
    return True
