"""The bridge with the real messages of other packages, which are generated here."""

import json
import subprocess
import sys
from pathlib import Path

import foreign_packages
import pytest
from foreign_packages import DRIVERS, FOXGLOVE, HRI, MGONZS13

TRIAL = Path(foreign_packages.__file__).parent / 'bridge_trial.py'

pytestmark = [pytest.mark.graph, pytest.mark.long, pytest.mark.timeout(1_200)]


@pytest.fixture(scope='module')
def drivers(tmp_path_factory):
    folder = tmp_path_factory.mktemp('drivers')
    packages = {'audio_common_msgs': DRIVERS, 'hri_msgs': HRI, 'foxglove_msgs': FOXGLOVE}
    return foreign_packages.build(folder, packages)


@pytest.fixture(scope='module')
def mgonzs13(tmp_path_factory):
    folder = tmp_path_factory.mktemp('mgonzs13')
    return foreign_packages.build(folder, {'audio_common_msgs': MGONZS13})


def trial(env, what):
    done = subprocess.run(
        [sys.executable, TRIAL, what], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_user_is_a_voice_of_ros4hri_and_sound_is_there_for_foxglove(drivers):
    assert trial(drivers, 'humans') == {
        'tracked': ['user'],
        'speech': [['what', '', 0.0, 'en'], ['', 'what time', 1.0, 'en']],
        'is_speaking': [True],
        'audio': True,
        'raw': ['pcm-s16', 24_000, 1, 5],
        'raw_data': True,
    }


@pytest.mark.parametrize('kind', ['AudioData', 'AudioDataStamped'])
def test_sound_of_ros_drivers(drivers, kind):
    assert trial(drivers, kind) == {'in': True, 'rate': 16_000, 'out': True}


def test_sound_of_mgonzs13(mgonzs13):
    assert trial(mgonzs13, 'AudioStamped') == {'in': True, 'rate': 16_000, 'out': True}
