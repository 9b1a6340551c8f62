"""No parameter that is set while a node runs names what its start has not."""

import pytest
from every_node import NODES
from rclpy.parameter import Parameter

from kame_ros.settings.param import FILE, HOST, MODEL, OPTIONS, PACKAGE, RECORDING, SERVER

BAD = {
    FILE: ('/etc/passwd', '~/x', '/proc/self/environ', '../x.txt'),
    MODEL: ('/etc/passwd', '~/x', './../../x', 'a/../../../etc/passwd'),
    RECORDING: ('/etc/x.wav', '~/.bashrc', '../x.wav', 'x.txt', '.hidden.wav'),
    SERVER: ('http://anywhere.example', 'https://[::1', 'ftp://localhost', 'file:///etc/passwd'),
    HOST: ('0.0.0.0', '192.168.1.5', '::'),
    OPTIONS: ('a=/etc/passwd', 'a=1; b=~/x', 'a=../x', 'a=http://anywhere.example', 'a=file:///x'),
    PACKAGE: ('os', 'std_msgs', 'kame_ros'),
}
ROWS = [(name, row) for name, kind in NODES.items() for row in kind.PARAMETERS if row.names]
PATH_WORDS = ('path', 'file', 'folder', 'address', 'package ')


def set_one(node, name, value):
    (result,) = node.set_parameters([Parameter(name, value=value)])
    assert '\n' not in result.reason
    assert len(result.reason) < 500
    return result.successful


@pytest.mark.parametrize(('name', 'row'), ROWS, ids=lambda v: getattr(v, 'name', v))
def test_what_the_start_has_not_named_is_refused(ros, name, row):
    node = ros.add(NODES[name]())
    before = node.param(row.name)
    for value in BAD[row.names]:
        assert not set_one(node, row.name, value), value
    assert node.param(row.name) == before
    assert set_one(node, row.name, row.default)


@pytest.mark.parametrize(('name', 'row'), ROWS, ids=lambda v: getattr(v, 'name', v))
def test_what_the_start_has_named_may_be_set_again(ros, name, row):
    given = BAD[row.names][0]
    node = ros.add(NODES[name](parameter_overrides=[Parameter(row.name, value=given)]))
    assert set_one(node, row.name, row.default)
    assert set_one(node, row.name, given)
    assert node.param(row.name) == given


def test_every_parameter_that_speaks_of_a_file_or_an_address_is_guarded():
    free = {
        f'{name}.{row.name}'
        for name, kind in NODES.items()
        for row in kind.PARAMETERS
        if isinstance(row.default, str) and not row.names and not row.choices
        if any(word in row.description.lower().replace('profile', '') for word in PATH_WORDS)
    }
    assert free <= {'oracle.backend', 'oracle.fallback'}  # see kame_ros.oracle.llm.trusted_backends


@pytest.mark.parametrize('package', ['../x', 'os.path', '', 'A b', 'x' * 500])
def test_what_is_no_package_is_refused_when_the_bridge_is_configured(ros, package):
    node = ros.add(NODES['bridge'](parameter_overrides=[Parameter('package', value=package)]))
    assert node.trigger_configure().name == 'FAILURE'
    assert 'no name of a ROS package' in node.fault
