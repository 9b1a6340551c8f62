"""The tables of topics, services and actions in the pages are what the nodes really make.

Read from the source, so that no model is loaded: each call that makes a topic or a service names it
in a text, by `name('…')`, or by a row of a table that a loop goes through.
"""

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NODES = ROOT / 'kame_ros' / 'nodes'
# Rooms of nodes that lie in files of their own.
PARTS_OF_S2S = NODES / 'robot'
PART_OF_PAGE = NODES / 'page' / 'robot_desk.py'  # what pages show, the node only listens to
# In common/ the topic is an argument, or told by all; visitors are no nodes of the graph.
# Position of the type and of the name, in the arguments of each call.
CALLS = {
    'offer': ('from', 0, 1),
    'listen': ('to', 0, 1),
    'listen_to_anyone': ('to', 1, 2),
    'serve': ('of', 0, 1),
    'create_publisher': ('from', 0, 1),
    'create_subscription': ('to', 0, 1),
    'create_service': ('of', 0, 1),
    'SayServer': ('of', None, 2),
}
Table = dict[str, dict[str, set[str]]]


def made() -> Table:
    """For each name, the nodes that publish it, listen to it and serve it, and its types."""
    found: Table = defaultdict(lambda: defaultdict(set))
    for path in sorted([*NODES.glob('*.py'), *PARTS_OF_S2S.glob('*.py'), PART_OF_PAGE]):
        node = 's2s' if path.parent == PARTS_OF_S2S else path.stem.removesuffix('_node')
        node = 'page' if path == PART_OF_PAGE else node
        tree = ast.parse(path.read_text())
        for call in (n for n in ast.walk(tree) if isinstance(n, ast.Call)):
            how = CALLS.get(getattr(call.func, 'attr', getattr(call.func, 'id', '')))
            if how is None:
                continue
            role, kind_at, name_at = how
            if len(call.args) <= name_at or not makes(call):
                continue
            kind = call.args[kind_at] if kind_at is not None else ast.Name('Say')
            for kind_node, name in rows(tree, kind, call.args[name_at], path):
                found[name][role].add(node)
                found[name]['type'].add(ast.unparse(kind_node).removeprefix('msg.'))
    return found


def makes(call: ast.Call) -> bool:
    """Whether a call is of a node: parts of models have methods of these names, too."""
    func = call.func
    return not isinstance(func, ast.Attribute) or ast.unparse(func.value) in (
        *('self', 'node', 'self._node'),
    )


def rows(tree: ast.AST, kind: ast.expr, topic: ast.expr, path: Path) -> list[tuple[ast.expr, str]]:
    """The types and names that a call uses; none for a topic that a parameter names."""
    if isinstance(topic, ast.Call) and ast.unparse(topic.func).endswith('name'):
        topic = topic.args[0]
    if isinstance(topic, ast.Constant):
        return [(kind, str(topic.value))]
    if isinstance(topic, ast.Call) and ast.unparse(topic.func) == 'self.param':
        return []
    for loop in (n for n in ast.walk(tree) if isinstance(n, ast.For)):
        names = [ast.unparse(n) for n in getattr(loop.target, 'elts', [])]
        if {ast.unparse(kind), ast.unparse(topic)} <= set(names):
            at = names.index(ast.unparse(kind)), names.index(ast.unparse(topic))
            return [(row.elts[at[0]], row.elts[at[1]].value) for row in loop.iter.elts]
    raise AssertionError(f'{path.name}:{topic.lineno}: this test cannot read the name of a topic')


def table(page: str, heading: str) -> list[list[str]]:
    text = (ROOT / page).read_text()
    block = text[text.index(heading) :].split('\n\n', 1)[0]
    return [
        [cell.strip() for cell in line.strip('|').split(' | ')] for line in block.splitlines()[2:]
    ]


def told(page: str, services: str) -> Table:
    found: Table = defaultdict(lambda: defaultdict(set))
    for names, types, ways, *_ in table(page, '| topic | type | from'):
        kinds = [t.rpartition('/')[2] for t in re.findall(r'`([^`]+)`', types)]
        for i, name in enumerate(re.findall(r'`([^`]+)`', names)):
            found[name]['type'] = {kinds[min(i, len(kinds) - 1)]}
            sender, _, receiver = ways.partition('→')
            found[name]['from'], found[name]['to'] = words(sender), words(receiver)
    for names, types, of, *_ in table(page, services):
        for name in re.findall(r'`([^`]+)`', names):
            kind = re.findall(r'`([^`]+)`', types)[0]
            found[name] = {'type': {kind.rpartition('/')[2]}, 'of': words(of)}
    del found['/diagnostics']  # of all nodes: base.py makes it
    return found


def words(text: str) -> set[str]:
    return {word.strip() for word in text.split(',')} - {''}


MADE = made()
PAGES = {
    'README.md': told('README.md', '| service, action | type'),
    'docs/topics.md': told('docs/topics.md', '| name | type | of'),
}
each_page = pytest.mark.parametrize('told', PAGES.values(), ids=PAGES)
# The user's own sound comes in by the parameter audio_capture.topic, whose value this is.
OPEN = {'audio/in': {'to': {'audio_capture'}}}
# Nodes of the robot's owner, and groups of ours.
OTHERS = {'any node', 'your node', 'all', 'whoever records', 'whoever asks'}


@each_page
def test_a_page_has_every_name_and_no_other(told):
    assert set(told) == set(MADE)


@each_page
def test_a_page_has_the_types(told):
    assert {n: row['type'] for n, row in told.items()} == {
        n: row['type'] for n, row in MADE.items()
    }


@each_page
def test_a_page_tells_who_publishes_listens_and_serves(told):
    for name, row in told.items():
        for role in ('from', 'to', 'of'):
            real = MADE[name][role] | OPEN.get(name, {}).get(role, set())
            said = row.get(role, set())
            assert said - OTHERS <= real, (name, role)
            assert real <= said or 'all' in said, (name, role, real - said)
