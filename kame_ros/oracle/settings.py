"""The oracle's YAML file: what is too long for parameters."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kame_ros.oracle.actions import ActionBook, actions_from_config
from kame_ros.oracle.backend import Backend
from kame_ros.oracle.router import Route
from kame_ros.oracle.stop_words import DEFAULT_STOP_WORDS, StopWords
from kame_ros.trusted_files import TrustedFiles
from kame_ros.well_formed import well_formed

_KEYS = ('actions', 'allow', 'routes', 'prices', 'stop_words', 'names', 'embedding')


@dataclass(frozen=True)
class Settings:
    """What the file says.

    `prices`: settings of Backend (price_in, price_cached, price_out; per million tokens, and any
    other) by the name of the back-end, or by its model. `embedding`: paths of the router's ONNX
    model and of its tokenizer.json.
    """

    actions: ActionBook = field(default_factory=ActionBook)
    routes: tuple[Route, ...] = ()
    prices: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    stop_words: StopWords = field(default_factory=StopWords)
    embedding: tuple[Path, Path] | None = None

    def priced(self, backend: Backend) -> Backend:
        """The back-end with its prices, if the file has them."""
        found = self.prices.get(backend.name) or self.prices.get(backend.model) or {}
        try:
            return replace(backend, **found)
        except TypeError as error:
            raise ValueError(f'prices of {backend.name}: {error}') from error


def read_settings(path: str, files: TrustedFiles | None = None) -> Settings:
    """Reads the file; no path: the defaults. `files` says whether it may be read.

    Raises OSError if it cannot be read, ValueError with a reason if it is not understood.
    """
    if not path:
        return Settings()
    import yaml

    try:
        content = yaml.safe_load((files or TrustedFiles.at_start((path,))).read(path)) or {}
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f'{path} is not YAML: {error}') from error
    except (AttributeError, LookupError) as error:  # PyYAML's own, of a tag: `!!bool maybe`
        raise ValueError(f'{path} has a value that its YAML tag does not fit') from error
    if not isinstance(content, dict):
        raise ValueError(f'{path} is not a table of {", ".join(_KEYS)}')
    for key in content:
        if key not in _KEYS:
            close = difflib.get_close_matches(str(key), _KEYS, 1)
            hint = f'; did you mean {close[0]}?' if close else f': {", ".join(_KEYS)}'
            raise ValueError(f'{path} has an unknown key {key!r}{hint}')
    try:
        return _settings(_readable(content))
    except (TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f'{path} is not understood: {error}') from error


def _settings(content: Mapping[str, Any]) -> Settings:
    embedding = content.get('embedding')
    return Settings(
        actions=actions_from_config(content.get('actions') or (), content.get('allow')),
        routes=tuple(
            Route(
                str(route['name']),
                int(route['backend']),
                tuple(route.get('keywords') or ()),
                tuple(route.get('examples') or ()),
            )
            for route in content.get('routes') or ()
        ),
        prices=dict(content.get('prices') or {}),
        stop_words=StopWords(
            tuple(content.get('stop_words', DEFAULT_STOP_WORDS) or ()),
            tuple(content.get('names') or ()),
        ),
        embedding=(Path(embedding['model']), Path(embedding['tokenizer'])) if embedding else None,
    )


def _readable(value: Any) -> Any:
    """The same content, of texts that can be passed on: YAML may escape halves of characters."""
    if isinstance(value, str):
        return well_formed(value)
    if isinstance(value, Mapping):
        return {_readable(k): _readable(v) for k, v in value.items()}
    return [_readable(v) for v in value] if isinstance(value, list) else value
