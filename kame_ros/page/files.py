"""The files of the page, as they are served: read once, none but these."""

from __future__ import annotations

from importlib.resources import files

_KINDS = {
    'html': 'text/html; charset=utf-8',
    'css': 'text/css; charset=utf-8',
    'js': 'text/javascript; charset=utf-8',
    'svg': 'image/svg+xml',
}


def page_files() -> dict[str, tuple[str, bytes]]:
    """Path in the address -> content type and content."""
    found = {}
    for file in files('kame_ros.page').joinpath('files').iterdir():
        kind = _KINDS.get(file.name.rpartition('.')[2])
        if kind:
            found[f'/{file.name}'] = kind, file.read_bytes()
    found['/'] = found['/index.html']
    return found
