"""The layout for Foxglove shows topics and fields that there are, in panels that there are."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
LAYOUT = json.loads((ROOT / 'config/foxglove-layout.json').read_text())
TOPICS = (ROOT / 'docs/topics.md').read_text()
TYPES = dict(re.findall(r'^\| `([a-z_/]+)` \| `([\w/]+)`', TOPICS, flags=re.MULTILINE))
RAW = {'audio/mic/raw', 'audio/played/raw'}  # of the bridge


def paths(value):
    """All texts that name a topic, with or without a field."""
    if isinstance(value, dict):
        return [path for each in value.values() for path in paths(each)]
    if isinstance(value, list):
        return [path for each in value for path in paths(each)]
    return [value] if isinstance(value, str) and value.startswith('/') else []


def test_every_topic_and_field_is_there():
    found = paths(LAYOUT['configById'])
    assert len(found) > 10
    for path in found:
        topic, _, field = path.removeprefix('/robot/').partition('.')
        if path == '/diagnostics' or topic in RAW:
            continue
        assert topic in TYPES, path
        package, _, kind = TYPES[topic].partition('/')
        if package == 'kame_ros' and field:
            text = (ROOT / f'msg/{kind}.msg').read_text()
            assert re.search(rf'^\S+ +{field.split(".")[0]}\b', text, flags=re.MULTILINE), path


def test_every_panel_is_shown():
    def leaves(node):
        if isinstance(node, str):
            return [node]
        return leaves(node['first']) + leaves(node['second'])

    assert sorted(leaves(LAYOUT['layout'])) == sorted(LAYOUT['configById'])
