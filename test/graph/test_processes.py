import os
import subprocess
import sys
import tracemalloc

import pytest

from kame_ros.graph.description import NodeSpec
from kame_ros.graph.processes import Domain, NodeProcess, environment


def test_two_graphs_get_two_domains():
    first, second = Domain(), Domain()
    try:
        assert first.number != second.number
    finally:
        first.close()
        second.close()


def test_another_process_gets_another_domain():
    code = 'from kame_ros.graph.processes import Domain; print(Domain().number)'
    domain = Domain()
    other = subprocess.run([sys.executable, '-c', code], capture_output=True, check=True)
    domain.close()
    assert int(other.stdout) != domain.number


def test_a_domain_can_be_had_again():
    first = Domain()
    number = first.number
    first.close()
    second = Domain()
    second.close()
    assert second.number == number


def test_discovery_stays_on_this_machine_unless_it_is_widened():
    assert environment(5)['ROS_AUTOMATIC_DISCOVERY_RANGE'] == 'LOCALHOST'
    assert environment(5)['ROS_DOMAIN_ID'] == '5'
    assert environment(5, 'SUBNET')['ROS_AUTOMATIC_DISCOVERY_RANGE'] == 'SUBNET'


class FakeSpec(NodeSpec):
    """Runs a module of the standard library instead of a node."""

    @property
    def module(self) -> str:
        return self.name


@pytest.fixture
def process(tmp_path):
    process = NodeProcess(FakeSpec('this'), 'robot', tmp_path, dict(os.environ))
    yield process
    process.wait(10)


def test_the_output_of_a_process_is_kept(process):
    process.start()
    assert process.wait(20)
    assert 'beautiful is better than ugly' in process.tail(30).lower()
    assert process.exit_status == 0
    assert not process.running


def test_of_a_long_log_only_the_end_is_read(process):
    with process.log.open('wb') as log:
        log.write(b'\xe4\xbd' * 500_000 + b'\n')
        log.write(b''.join(b'line %d\n' % k for k in range(100)))
        log.seek(200_000_000)  # a hole
        log.write('\nthe end, 亀\nerror: a wrong setting\n'.encode())
    tracemalloc.start()
    assert process.tail(2) == 'the end, 亀\nerror: a wrong setting'
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1_000_000
    assert process.refusal == 'a wrong setting'
    assert len(process.tail()) < 70_000


def test_a_process_that_was_never_started_is_harmless(process):
    assert process.pid is None
    assert not process.running
    assert process.wait(0)
    assert process.tail() == ''
