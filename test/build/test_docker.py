"""The Dockerfiles name files that are there. Nothing here builds them: that needs Docker."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / 'docker').glob('*.Dockerfile'))
COMPOSE = ROOT / 'docker' / 'compose.yaml'


def commands(path: Path) -> str:
    """The text without comments, continued lines as one."""
    lines = (line for line in path.read_text().splitlines() if not line.startswith('#'))
    return '\n'.join(lines).replace('\\\n', ' ')


@pytest.mark.parametrize('path', [*FILES, COMPOSE], ids=lambda path: path.name)
def test_what_was_never_tried_says_so_first(path):
    assert path.read_text().startswith('# NEVER ')


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.name)
def test_everything_that_is_copied_exists(path):
    for line in re.findall(r'^COPY (.+)$', commands(path), re.MULTILINE):
        *sources, _ = line.split()
        assert sources
        assert all((ROOT / source).exists() for source in sources), line


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.name)
def test_pip_installs_from_a_lock_what_exists(path):
    for line in re.findall(r'pip install ([^&\n]*)', commands(path)):
        words = line.split()
        named = [value for key, value in pairwise(words) if key in ('-r', '-c')]
        assert named
        assert all((ROOT / 'requirements' / name).is_file() for name in named), line
        assert '-c' in words or '--no-deps' in words, line  # these are pinned in their own files


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.name)
def test_debian_packages_come_from_lists_that_exist(path):
    for name in re.findall(r'apt-\w+\.txt', commands(path)):
        assert (ROOT / 'requirements' / name).is_file()


def test_compose_builds_each_file_and_shares_sound_and_gpu():
    services = yaml.safe_load(COMPOSE.read_text())['services']
    built = {ROOT / service['build']['dockerfile'] for service in services.values()}
    assert built == set(FILES)
    assert services['robot']['devices'] == ['/dev/snd:/dev/snd']
    [gpu] = services['gpu']['deploy']['resources']['reservations']['devices']
    assert gpu['capabilities'] == ['gpu']


def test_compose_sets_no_domain_of_its_own():
    """One that is set is that of `kame ask` too, which could not bring up its graph beside it."""
    for service in yaml.safe_load(COMPOSE.read_text())['services'].values():
        assert service['environment']['ROS_DOMAIN_ID'] is None  # handed on from the host, if set


def test_an_image_is_made_of_one_that_compose_makes():
    images = {s['image'] for s in yaml.safe_load(COMPOSE.read_text())['services'].values()}
    for path in FILES:
        base = re.findall(r'^FROM (\S+)', path.read_text(), re.MULTILINE)
        assert len(base) == 1
        assert base[0] in {*images, 'ros:jazzy-ros-base'}
