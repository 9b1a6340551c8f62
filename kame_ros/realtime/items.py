"""The items of a conversation: what was said, as the protocol lists it."""

from __future__ import annotations

from typing import Any

_MOST = 200  # items that are remembered

Item = dict[str, Any]


class Items:
    """The newest items by their id, in their order."""

    def __init__(self) -> None:
        self._items: dict[str, Item] = {}
        self._last: str | None = None

    def add(self, item: Item) -> str | None:
        """Knows of an item; gives the id of the one before it, or None."""
        before, self._last = self._last, item['id']
        self._items[item['id']] = item
        while len(self._items) > _MOST:
            del self._items[next(iter(self._items))]
        return before

    def get(self, id: Any) -> Item | None:
        """The item of this id."""
        return self._items.get(id) if isinstance(id, str) else None

    def __contains__(self, id: object) -> bool:
        return id in self._items


def user_item(id: str, content: list[Item]) -> Item:
    """What the user said or wrote."""
    return _item(id, 'user', 'completed', content)


def robot_item(id: str) -> Item:
    """What the robot says, while it says it."""
    return _item(id, 'assistant', 'in_progress', [])


def _item(id: str, role: str, status: str, content: list[Item]) -> Item:
    return {
        'id': id,
        'object': 'realtime.item',
        'type': 'message',
        'status': status,
        'role': role,
        'content': content,
    }
