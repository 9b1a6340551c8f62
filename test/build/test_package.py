"""What the files that describe the package say agrees."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import kame_ros

ROOT = Path(__file__).parents[2]


def test_one_version():
    package = ET.parse(ROOT / 'package.xml').getroot()
    assert package.findtext('version') == kame_ros.__version__


def test_only_the_nodes_import_rclpy():
    for path in ROOT.glob('kame_ros/**/*.py'):
        ros = re.search(
            r'^\s*(from|import) (rclpy|\w+_msgs|std_srvs|kame_ros\.(msg|action))',
            path.read_text(),
            re.MULTILINE,
        )
        if 'nodes' not in path.parts:
            assert not ros, f'{path} knows ROS: {ros and ros.group(0)}'


def test_every_node_has_a_main():
    for path in ROOT.glob('kame_ros/nodes/*_node.py'):
        assert 'def main(' in path.read_text()
