"""Which room of the package may import which; any other arrow is a mistake. There is no circle."""

import ast
import re
from graphlib import TopologicalSorter

from generated import PACKAGE, imports_of, room_of

# Each room, and all it may stand on. `kame_ros/x.py` is a room of its own, too.
STANDS_ON = {
    'wire': set(),
    'settings': set(),
    'text': set(),
    'trust': {'text'},
    'runtime': {'text', 'trust'},
    'graph': {'settings', 'trust'},
    'audio': {'wire', 'settings', 'runtime'},
    'turns': {'wire', 'settings', 'runtime', 'text', 'audio'},
    'stt': {'wire', 'settings', 'runtime', 'text', 'trust', 'audio', 'turns'},
    's2s': {'wire', 'settings', 'runtime', 'text', 'trust', 'audio', 'turns'},
    'oracle': {'wire', 'settings', 'runtime', 'text', 'trust', 'turns'},  # what is an "uh-huh"?
    'consumers': {'wire', 'settings', 'runtime', 'text'},
    'record': {'wire', 'runtime', 'text', 'audio', 'consumers'},
    'conversation': {'wire', 'runtime', 'text', 'audio', 'consumers', 'record'},
    'realtime': {'wire', 'audio'},
    'page': {'wire', 'runtime', 'conversation', 'realtime'},
    'bag': {'wire', 'settings', 'runtime', 'text', 'trust', 'consumers'},
    'replay': {
        *('wire', 'settings', 'runtime', 'text', 'audio', 'turns', 'stt', 's2s', 'oracle'),
        *('consumers', 'record', 'conversation', 'bag'),
    },
    'training': {'wire', 'settings', 'runtime', 'text', 'audio', 'turns', 'stt', 's2s', 'oracle'},
    'evaluation': {
        *('wire', 'settings', 'runtime', 'text', 'trust', 'audio', 'turns', 'stt', 's2s', 'oracle'),
        *('consumers', 'record', 'bag', 'training'),  # training has the voices of users
    },
}
# What is fetched is fetched by commands, where people watch it, and never by a node.
STANDS_ON |= {'fetch': {'runtime', 'text', 'trust', 'settings', 'graph', 's2s', 'oracle'}}
BELOW_THE_NODES = set(STANDS_ON)
STANDS_ON |= {
    'nodes': BELOW_THE_NODES - {'training', 'fetch'},  # of evaluation: who plays the user's side
    'doctor': BELOW_THE_NODES,
    'commands': BELOW_THE_NODES | {'nodes', 'doctor'},
    'cli': {'commands'},
    '__init__': set(),
}


def test_no_room_imports_what_it_may_not():
    wrong = []
    for path in sorted(PACKAGE.rglob('*.py')):
        room = room_of(path)
        assert room in STANDS_ON, f'{room} is a new room: say in STANDS_ON what it may stand on'
        inside = path.relative_to(PACKAGE)
        wrong += [f'{inside} imports {other}' for other in imports_of(path) - STANDS_ON[room]]
    assert not wrong, f'{"; ".join(wrong)}: STANDS_ON says what each room may stand on'


def test_only_the_nodes_import_ros():
    """Also not in a function: what is below the nodes never needs ROS."""
    wrong = [
        f'{path.relative_to(PACKAGE)} imports {module}'
        for path in sorted(PACKAGE.rglob('*.py'))
        if room_of(path) != 'nodes'
        for module in sorted(ros_of(path.read_text()))
    ]
    assert not wrong, f'{"; ".join(wrong)}: only kame_ros/nodes/ may'


def ros_of(text):
    """The modules of ROS that a source imports, messages of this package among them."""
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f'{node.module}.{alias.name}' for alias in node.names}
    ours = re.compile(r'kame_ros\.(msg|srv|action)\b')
    ros = re.compile(r'(rclpy|launch|launch_ros|rcl_\w+|ament_\w+|rosidl_\w+|\w+_(msgs|srvs))\b')
    return {name for name in names if ours.match(name) or ros.match(name)}


def test_imports_of_ros_are_found_wherever_they_stand():
    text = (
        'import numpy\n\ndef f():\n    from rclpy.node import Node\n    from kame_ros import msg\n'
    )
    assert ros_of(text) == {'rclpy.node.Node', 'kame_ros.msg'}


def test_there_is_no_circle():
    order = list(TopologicalSorter(STANDS_ON).static_order())
    assert set(order) == set(STANDS_ON)
