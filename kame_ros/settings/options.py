"""Options that one thing has, in one text: 'key=value; key=value'."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kame_ros.settings.param import BadParameter


class ReadOptions(Mapping[str, str]):
    """What only one thing knows, by key; it remembers what was asked for.

    Whoever has options reads them while it is made: what nobody has asked for by then is a slip of
    the pen, and `refuse_unread` says so.
    """

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values = dict(values or {})
        self._asked: dict[str, None] = {}  # in this order

    def __getitem__(self, key: str) -> str:
        self._asked[key] = None
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        self._asked |= dict.fromkeys(self._values)
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f'ReadOptions({self._values!r})'

    def refuse_unread(self, whose: str) -> None:
        """Raises BadParameter for an option that nobody has asked for; `whose` they are."""
        unread = [key for key in self._values if key not in self._asked]
        if not unread:
            return
        there = f'it has {", ".join(self._asked)}' if self._asked else 'it has none'
        raise BadParameter(f'{whose} has no option {", ".join(map(repr, unread))}: {there}')


def options_of(text: str, whose: str = 'an engine') -> ReadOptions:
    """'key=value; key=value' as a mapping. Raises BadParameter for a part without a sign."""
    pairs = [part.partition('=') for part in text.split(';') if part.strip()]
    for key, sign, _ in pairs:
        if not sign or not key.strip():
            raise BadParameter(f"an option of {whose} is written 'key=value', not {key.strip()!r}")
    return ReadOptions({key.strip(): value.strip() for key, _, value in pairs})


def refuse_unread(options: Mapping[str, str], whose: str) -> None:
    """See `ReadOptions.refuse_unread`; any other mapping is taken as it is."""
    if isinstance(options, ReadOptions):
        options.refuse_unread(whose)
