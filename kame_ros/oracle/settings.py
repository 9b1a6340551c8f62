"""The oracle's YAML file: what is too long for parameters."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kame_ros.oracle.actions.book import ActionBook, actions_from_config
from kame_ros.oracle.llm.backend import Backend
from kame_ros.oracle.routing.embedding import NAME as EMBEDDING
from kame_ros.oracle.routing.router import Route
from kame_ros.oracle.text.stop_words import DEFAULT_STOP_WORDS, StopWords
from kame_ros.settings.values import WrongType, shown, typed
from kame_ros.text.misfit import misfit
from kame_ros.text.well_formed import well_formed
from kame_ros.trust.files import TrustedFiles

_KEYS = ('actions', 'allow', 'routes', 'prices', 'stop_words', 'names', 'embedding')

_TYPES: Mapping[str, type] = {
    **dict.fromkeys(('kind', 'model', 'base_url', 'key_name'), str),
    **dict.fromkeys(('price_in', 'price_cached', 'price_out', 'temperature'), float),
    **dict.fromkeys(('max_tokens', 'slots'), int),
    'thinks': bool,
    'extra': Mapping,
}  # of the fields of Backend


@dataclass(frozen=True)
class OracleSettings:
    """What the file says.

    `prices`: settings of Backend (price_in, price_cached, price_out; per million tokens, and any
    other) by the name of the back-end, or by its model. `embedding`: the name of the router's
    model (`kame get all-minilm-l6-v2`), or the paths of it (safetensors or ONNX) and of its
    tokenizer.json.
    """

    actions: ActionBook = field(default_factory=ActionBook)
    routes: tuple[Route, ...] = ()
    prices: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    stop_words: StopWords = field(default_factory=StopWords)
    embedding: tuple[Path, Path] | str | None = None

    def priced(self, backend: Backend) -> Backend:
        """The back-end with its prices, if the file has them."""
        found = self.prices.get(backend.name) or self.prices.get(backend.model) or {}
        try:
            return replace(backend, **found)
        except (TypeError, ValueError) as error:
            raise ValueError(f'prices of {backend.name}: {misfit(error)}') from error


def read_settings(path: str, files: TrustedFiles | None = None) -> OracleSettings:
    """Reads the file; no path: the defaults. `files` says whether it may be read.

    Raises OSError if it cannot be read, ValueError with a reason if it is not understood.
    """
    if not path:
        return OracleSettings()
    import yaml

    from kame_ros.settings.unique_keys import UniqueKeys

    try:
        text = (files or TrustedFiles.at_start((path,))).read(path)
        content = yaml.load(text, UniqueKeys) or {}
    except (yaml.YAMLError, RecursionError) as error:
        reason = ' '.join(str(error).split())
        raise ValueError(f'{path} is not understood: {reason}') from error
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
    except (
        TypeError,
        KeyError,
        AttributeError,
        RecursionError,
        ValueError,
        OverflowError,
    ) as error:
        raise ValueError(f'{path} is not understood: {misfit(error)}') from error


def _settings(content: Mapping[str, Any]) -> OracleSettings:
    embedding = content.get('embedding')
    if embedding is not None and not isinstance(embedding, str):
        embedding = (Path(embedding['model']), Path(embedding['tokenizer']))
    elif embedding not in (None, EMBEDDING):
        raise ValueError(
            f'embedding is {EMBEDDING}, or {{model: FILE, tokenizer: FILE}}, not {embedding!r}'
        )
    return OracleSettings(
        actions=actions_from_config(content.get('actions') or (), content.get('allow')),
        routes=tuple(
            Route(
                str(route['name']),
                int(route['backend']),
                _texts(route.get('keywords'), 'keywords'),
                _texts(route.get('examples'), 'examples'),
            )
            for route in content.get('routes') or ()
        ),
        prices=_prices(content.get('prices') or {}),
        stop_words=StopWords(
            _texts(content.get('stop_words', DEFAULT_STOP_WORDS), 'stop_words'),
            _texts(content.get('names'), 'names'),
        ),
        embedding=embedding,
    )


def _texts(value: Any, name: str) -> tuple[str, ...]:
    texts = () if value is None else value
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        raise ValueError(f'{name} is a list of texts, not {shown(value)}')
    return tuple(texts)


def _prices(value: Any) -> dict[str, Mapping[str, Any]]:
    if not isinstance(value, dict) or not all(isinstance(row, dict) for row in value.values()):
        raise ValueError(f'prices is a table of tables, not {shown(value)}')
    return {name: {k: _setting(name, k, v) for k, v in row.items()} for name, row in value.items()}


def _setting(backend: Any, name: Any, value: Any) -> Any:
    """A setting of Backend in its type. Raises ValueError."""
    where = f'prices of {backend}'
    if name not in _TYPES:
        close = difflib.get_close_matches(str(name), _TYPES, 1)
        raise ValueError(f'{where}: {name!r} is not known' + (f'; {close[0]}?' if close else ''))
    kind = _TYPES[name]
    if kind is Mapping:
        if not isinstance(value, dict):
            raise ValueError(f'{where}: {name} is a table, not {shown(value)}')
        return value
    if value is None and name == 'price_cached':
        return None
    try:
        found = typed(value, kind)
    except WrongType as error:
        raise ValueError(f'{where}: {name} is {error}') from error
    if kind in (int, float) and not (math.isfinite(found) and found >= 0):
        raise ValueError(f'{where}: {name} is 0 or more, not {shown(value)}')
    return found


def _readable(value: Any) -> Any:
    """The same content, of texts that can be passed on: YAML may escape halves of characters."""
    if isinstance(value, str):
        return well_formed(value)
    if isinstance(value, Mapping):
        return {_readable(k): _readable(v) for k, v in value.items()}
    return [_readable(v) for v in value] if isinstance(value, list) else value
