"""Text that everyone can pass on: JSON may hold halves of characters, UTF-8 may not."""

from __future__ import annotations


def well_formed(text: str) -> str:
    """The text as it is; a surrogate without its other half becomes U+FFFD.

    For the edges where text comes from a server or a file: a lone surrogate cannot be published,
    logged or written.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')
    return text
