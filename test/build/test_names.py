"""Names of classes, each once, and the first lines of modules, which say what they do."""

import ast
from collections import defaultdict
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / 'kame_ros'


def test_no_class_name_is_taken_twice():
    found = defaultdict(list)
    for path in PACKAGE.rglob('*.py'):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith('_'):
                found[node.name].append(str(path.relative_to(PACKAGE)))
    twice = [f'{name}: {", ".join(where)}' for name, where in found.items() if len(where) > 1]
    assert not twice, f'one name for one thing; taken twice: {"; ".join(twice)}'


def test_every_module_opens_with_one_line_that_says_what_it_does():
    for path in sorted(PACKAGE.rglob('*.py')):
        about = ast.get_docstring(ast.parse(path.read_text())) or ''
        first = about.partition('\n')[0]
        said = first.endswith(('.', ':', '?')) and len(first) > 15
        assert said, f'{path.relative_to(PACKAGE)}: its first line is no sentence: {first!r}'
