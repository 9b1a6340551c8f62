"""The groups of the diagnostics aggregator are those of the nodes."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILE = ROOT / 'config' / 'settings' / 'diagnostics_aggregator.yaml'
SETTINGS = yaml.safe_load(FILE.read_text())['analyzers']['ros__parameters']
GROUPS = {name: group for name, group in SETTINGS.items() if isinstance(group, dict)}
# What each node calls itself, from its own file; nodes/diagnostics.py takes the full name.
NODES = {
    name
    for path in ROOT.glob('kame_ros/nodes/*_node.py')
    for name in re.findall(r"super\(\).__init__\('(\w+)'", path.read_text())
}


def groups_of(status: str) -> list[str]:
    """The groups that match a status: as the GenericAnalyzer does, with all of its name."""
    return [
        name
        for name, group in GROUPS.items()
        if any(re.fullmatch(pattern, status) for pattern in group['regex'])
    ]


def test_every_program_of_a_node_has_a_name():
    programs = ROOT.glob('kame_ros/nodes/*_node.py')
    assert {path.name.removesuffix('_node.py') for path in programs} == NODES


@pytest.mark.parametrize('namespace', ['', 'robot/', 'fleet/r1/'])
def test_every_status_is_in_one_group(namespace):
    assert all(len(groups_of(f'{namespace}{node}')) == 1 for node in NODES)


def test_every_pattern_is_of_a_node():
    for group in GROUPS.values():
        for pattern in group['regex']:
            assert any(re.fullmatch(pattern, f'robot/{node}') for node in NODES), pattern


@pytest.mark.parametrize('name', ['robot/lidar', 'robot/oracle_db', 'robot/s2s/motor', 'bridges'])
def test_the_health_of_others_is_in_no_group(name):
    assert groups_of(name) == []


def test_groups_are_what_the_aggregator_reads():
    """Other keys it passes over in silence, and numbers must be written as its types."""
    for group in GROUPS.values():
        assert set(group) == {'type', 'path', 'regex', 'timeout'}
        assert group['type'] == 'diagnostic_aggregator/GenericAnalyzer'
        assert isinstance(group['timeout'], float)
    assert isinstance(SETTINGS['pub_rate'], float)
    assert len({group['path'] for group in GROUPS.values()}) == len(GROUPS)
