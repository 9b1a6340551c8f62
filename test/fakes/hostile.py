"""Messages that no sane node sends: of any type, with what breaks programs in its fields."""

from __future__ import annotations

import array
import re
from collections.abc import Iterator
from random import Random
from typing import Any

from rclpy.serialization import serialize_message
from rosidl_parser.definition import AbstractNestedType, BasicType, NamespacedType

_SPOILT = 'to be spoilt'  # becomes bytes that are no UTF-8
TEXTS = (
    '', ' ', 'x', '\x00', '\u200b', '\ufeff', '\u202eabc', '\ud7ff\ue000', '☃' * 300, 'a' * 5_000,
    '{"a": [', '<|im_end|>', '</think>', '%s%n{0}', '../../etc/passwd', 'llm', 's2s', 'say/1',
    'interrupt', 'Stop. ' * 500, '9' * 400, '-1e999', 'nan', '\n\n\n', '"; DROP TABLE', _SPOILT,
)  # fmt: skip
GIANT = 10_000_000
FLOATS = (0.0, 1.0, -1.0, float('nan'), float('inf'), float('-inf'), 3e38, -3e38, 1e-45)


def _integers(kind: str) -> list[int]:
    bits = int(re.sub(r'\D', '', kind) or 8)
    low, high = (0, 2**bits - 1) if kind.startswith(('u', 'octet')) else (
        -(2 ** (bits - 1)), 2 ** (bits - 1) - 1,
    )  # fmt: skip
    wanted = (0, 1, 2, 3, 7, 99, 255, 2**15, 2**31 - 1, 2**31, 2**32 - 1, 2**53, 2**63 - 1, -1, -2)
    return [low, high, *(n for n in wanted if low <= n <= high)]


class Hostile:
    """Makes messages of a kind, the same for the same seed."""

    def __init__(self, kind: type, base: Any, seed: int = 0) -> None:
        self._kind, self._base, self._random = kind, base, Random(seed)

    def messages(self, count: int, giants: int = 2) -> Iterator[bytes]:
        """Serialised; `giants` of them have a text or an array of 10 MB."""
        for k in range(count):
            message = self._kind()
            for name in self._base.get_fields_and_field_types():
                setattr(message, name, getattr(self._base, name))
            fields = list(
                zip(message.get_fields_and_field_types(), message.SLOT_TYPES, strict=True)
            )
            for name, slot in self._random.sample(fields, self._random.randint(1, len(fields))):
                setattr(message, name, self._value(slot, giant=k < giants))
            raw = serialize_message(message)
            yield raw.replace(_SPOILT.encode(), b'\xff\xfe\xc0\x80\xed\xa0\x80 ok'[:12].ljust(12))

    def _value(self, slot: Any, giant: bool = False, depth: int = 0) -> Any:
        choose = self._random.choice
        if isinstance(slot, AbstractNestedType):
            inner = slot.value_type
            size = GIANT // 4 if giant else choose((0, 1, 2, 3, 1919, 1920, 1921, 20_000))
            if isinstance(inner, BasicType) and inner.typename == 'int16':
                return array.array('h', [choose(_integers('int16'))]) * size
            return [self._value(inner, depth=depth + 1) for _ in range(min(size, 50))]
        if isinstance(slot, NamespacedType):
            return self._nested(slot, depth)
        if not isinstance(slot, BasicType):
            return 'y' * GIANT if giant else choose(TEXTS)
        kind = slot.typename
        if kind == 'boolean':
            return choose((False, True))
        if kind in ('float', 'double'):
            return choose(FLOATS)
        return choose(_integers(kind))

    def _nested(self, slot: NamespacedType, depth: int) -> Any:
        import importlib

        module = importlib.import_module('.'.join(slot.namespaces))
        message = getattr(module, slot.name)()
        pairs = zip(message.get_fields_and_field_types(), message.SLOT_TYPES, strict=True)
        for name, inner in pairs:
            setattr(message, name, self._value(inner, depth=depth + 1))
        return message
