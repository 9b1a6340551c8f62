import shutil
import sys
from pathlib import Path

import pytest

from kame_ros.graph.surroundings import BadSurroundings, log_problem, prepare, rmw_problem

HOME = {'HOME': '/tmp'}


def test_nothing_set_is_nothing_wrong():
    env = dict(HOME)
    prepare(env)
    assert env == HOME


def test_a_domain_that_is_set_to_nothing_is_not_set():
    env = {**HOME, 'ROS_DOMAIN_ID': ' '}
    prepare(env)
    assert env == HOME


@pytest.mark.parametrize('domain', ['abc', '-1', '400'])
def test_a_domain_that_is_none(domain):
    with pytest.raises(BadSurroundings, match='ROS_DOMAIN_ID is a number from 0 to 232'):
        prepare({**HOME, 'ROS_DOMAIN_ID': domain})


def test_a_middleware_that_is_not_installed_is_named_with_what_to_do():
    with pytest.raises(BadSurroundings, match='apt install ros-jazzy-rmw-nowhere-cpp') as caught:
        prepare({**HOME, 'RMW_IMPLEMENTATION': 'rmw_nowhere_cpp'})
    assert 'unset RMW_IMPLEMENTATION' in str(caught.value)


def test_a_middleware_that_is_installed(tmp_path):
    (tmp_path / 'lib').mkdir()
    (tmp_path / 'lib' / 'librmw_mine_cpp.so').touch()
    env = {'RMW_IMPLEMENTATION': 'rmw_mine_cpp', 'AMENT_PREFIX_PATH': f'/x:{tmp_path}'}
    assert rmw_problem(env) == ''
    assert rmw_problem({'RMW_IMPLEMENTATION': ''}) == ''
    other = {**env, 'RMW_IMPLEMENTATION': 'rmw_other_cpp'}
    assert 'rmw_mine_cpp' in rmw_problem(other)


def test_the_default_middleware_is_found():
    if not list(Path(sys.prefix, 'lib').glob('librmw_fastrtps_cpp.so')):
        pytest.skip('ROS is not from wheels')
    assert rmw_problem({'RMW_IMPLEMENTATION': 'rmw_fastrtps_cpp'}) == ''


@pytest.mark.parametrize(
    'home', [{}, {'HOME': '/dev/null/x'}, {'HOME': '/proc/nowhere'}, {'ROS_HOME': '/proc/x'}]
)
def test_without_a_place_for_logs_they_go_elsewhere(home):
    env = dict(home)
    assert log_problem(env)
    prepare(env)
    folder = Path(env['ROS_LOG_DIR'])
    assert folder.is_dir()
    assert not log_problem(env)
    shutil.rmtree(folder)


def test_a_log_folder_that_is_still_to_be_made_is_none_to_complain_of(tmp_path):
    assert log_problem({'ROS_LOG_DIR': str(tmp_path / 'a' / 'b')}) == ''
