import os

import pytest

pytest.importorskip('rclpy')
from kame_ros.graph.description import Graph
from kame_ros.graph.processes import Domain, Place, Taken
from kame_ros.nodes.visitor.running_graph import running


@pytest.fixture
def robot(monkeypatch):
    """The domain in which a robot runs, as far as the locks tell."""
    for name in ('ROS_DOMAIN_ID', 'ROS_AUTOMATIC_DISCOVERY_RANGE'):
        monkeypatch.setenv(name, os.environ.get(name, ''))  # what joining a domain changes
    domain = Domain()
    place = Place(domain.number, 'robot')
    yield domain.number
    place.close()
    domain.close()


def test_a_graph_that_must_be_there_is_refused_where_a_robot_runs(robot):
    here = running(Graph('none', 'robot', ()), domain=robot)
    with pytest.raises(Taken, match='end it, or give this one another'), here:
        raise AssertionError('two robots')


def test_a_graph_that_may_be_anywhere_goes_out_of_the_way(robot):
    told = []
    with running(Graph('none', 'robot', ()), domain=robot, elsewhere=told.append) as run:
        assert run.domain != robot
        assert run.node.context.get_domain_id() == run.domain
    assert [(taken.domain, taken.namespace) for taken in told] == [(robot, 'robot')]
