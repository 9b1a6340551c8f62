"""What Python 3.10 does otherwise than the Python of these tests, and only a reader can find."""

import ast

from generated import PACKAGE

_WAITS = ('wait_for', 'result')  # of asyncio and concurrent.futures


def _wrong(tree):
    """Lines of handlers for the built-in TimeoutError around what raises another one there."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Try):
            continue
        calls = [n for part in node.body for n in ast.walk(part) if isinstance(n, ast.Call)]
        waits = any(getattr(call.func, 'attr', '') in _WAITS for call in calls)
        for handler in node.handlers if waits else ():
            kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
            if 'TimeoutError' in [getattr(kind, 'id', '') for kind in kinds]:
                yield handler.lineno


def test_a_wait_that_takes_too_long_is_caught_in_all_versions():
    wrong = [
        f'{path.relative_to(PACKAGE)}:{line}'
        for path in sorted(PACKAGE.rglob('*.py'))
        for line in _wrong(ast.parse(path.read_text(encoding='utf-8')))
    ]
    assert not wrong, f'before 3.11 asyncio.TimeoutError is not the built-in one: {wrong}'


def test_the_rule_sees_a_handler_that_is_wrong():
    text = 'try:\n    x = await asyncio.wait_for(f, 1)\nexcept {}:\n    pass\n'
    assert list(_wrong(ast.parse(text.format('TimeoutError')))) == [3]
    assert list(_wrong(ast.parse(text.format('(OSError, TimeoutError)')))) == [3]
    assert list(_wrong(ast.parse(text.format('asyncio.TimeoutError')))) == []
