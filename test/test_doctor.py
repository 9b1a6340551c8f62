import json
import os
import re
import subprocess
import sys

import pytest

from kame_ros import doctor
from kame_ros.graph.description import load_graph
from kame_ros.runtime import weights


def test_every_finding_that_is_not_well_says_what_to_do():
    findings = list(doctor.examine())
    assert {'python', 'ros', 'engine', 'weights', 'gpu', 'ports', 'server', 'key', 'graph'} <= {
        finding.area for finding in findings
    }
    for finding in findings:
        if finding.level != doctor.OK:
            assert finding.remedy, finding


def test_a_missing_engine_is_named_with_its_package(monkeypatch):
    real = doctor._has_module
    monkeypatch.setattr(doctor, '_has_module', lambda name: name != 'hibari' and real(name))
    (finding,) = [f for f in doctor.examine() if f.what == 'hibari-tts']
    assert finding.level == doctor.LACK
    assert finding.remedy == 'pip install hibari-tts'


def test_without_onnxruntime_nothing_can_run_and_it_says_how_to_get_it(monkeypatch):
    real = doctor._has_module
    monkeypatch.setattr(doctor, '_has_module', lambda name: name != 'onnxruntime' and real(name))
    (finding,) = [f for f in doctor.examine() if f.what == 'onnxruntime']
    assert (finding.level, finding.remedy) == (doctor.LACK, 'pip install onnxruntime')


@pytest.mark.parametrize(
    ('config', 'lacks', 'says'),
    [
        ('tandem', 'onnxruntime', ['pip install onnxruntime']),
        ('tandem', 'hibari', ['pip install hibari-tts']),
        ('tandem', 'safetensors', []),
        ('kame-small', 'safetensors', ['pip install safetensors']),
        ('kame-small', 'onnxruntime', ['pip install onnxruntime']),
        ('kame-small', 'faster_whisper', ['pip install faster-whisper']),
    ],
)
def test_what_a_configuration_needs_is_missing(monkeypatch, config, lacks, says):
    monkeypatch.setattr(doctor, '_has_module', lambda name: name != lacks)
    found = list(doctor.examine_packages(load_graph(config)))
    assert [f.remedy for f in found] == says
    assert {f.level for f in found} <= {doctor.LACK}


def test_a_broken_file_of_weights_is_no_green_lamp(tmp_path, monkeypatch):
    package = tmp_path / 'pipecat'
    file = package / 'audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx'
    file.parent.mkdir(parents=True)
    (package / '__init__.py').touch()
    file.write_bytes(b'half of a file')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, 'pipecat', raising=False)
    (finding,) = [f for f in doctor.examine() if f.what == 'smart-turn']
    assert finding.level == doctor.WARN
    assert finding.detail.startswith(f'broken: {file} is not the pinned file')
    assert finding.remedy == 'pip install --no-deps pipecat-ai==0.0.108 --force-reinstall'
    assert finding.detail.endswith('the robot interrupts more often, or answers later')


def test_what_is_worse_without_the_melody_is_said(monkeypatch):
    monkeypatch.setattr(weights.Pinned, 'locate', lambda self: None)
    findings = [f for f in doctor.examine() if f.area == 'weights']
    worse = {f.what: f.detail for f in findings if 'without it' in f.detail}
    assert list(worse) == ['smart-turn']
    assert worse['smart-turn'].endswith('the robot interrupts more often, or answers later')


@pytest.mark.parametrize(
    ('module', 'package', 'remedy'),
    [
        ('pyaudio', 'pyaudio', 'make setup-devices'),
        ('pywebrtc_audio', 'pywebrtc-audio', 'make setup-devices'),
        ('torch', 'torch', 'make setup-moshi'),
    ],
)
def test_what_pip_alone_does_not_bring_names_make(module, package, remedy, monkeypatch):
    real = doctor._has_module
    monkeypatch.setattr(doctor, '_has_module', lambda name: name != module and real(name))
    (finding,) = [f for f in doctor.examine() if f.what == package]
    assert finding.remedy == remedy


def test_keys_are_never_shown(monkeypatch):
    monkeypatch.setenv('OPENAI_API_KEY', 'sk-secret')
    assert 'sk-secret' not in str(list(doctor.examine()))


WITHOUT = """
import sys

class Without:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {missing}:
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Without())
from kame_ros.cli import main
raise SystemExit(main({args}))
"""


@pytest.mark.parametrize(
    'missing',
    [['rich'], ['yaml'], ['numpy'], ['rclpy'], ['rich', 'yaml', 'numpy', 'soundfile', 'soxr']],
)
def test_it_lives_whatever_is_not_installed(missing):
    code = WITHOUT.format(missing=missing, args=['doctor'])
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=False)
    assert done.stderr == ''
    assert done.returncode in (0, 1)
    assert 'ROS_DOMAIN_ID' in done.stdout


def test_another_command_names_what_is_not_installed():
    code = WITHOUT.format(missing=['soundfile'], args=['ask', __file__])
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert 'soundfile is not installed; kame doctor tells' in done.stderr
    assert 'Traceback' not in done.stderr


def test_a_look_that_fails_is_a_finding(monkeypatch):
    def broken():
        raise RuntimeError('the driver is gone')

    monkeypatch.setattr(doctor, '_gpu', broken)
    (finding,) = [f for f in doctor.examine() if 'the driver is gone' in f.detail]
    assert (finding.area, finding.level) == ('gpu', doctor.WARN)
    assert {'key', 'graph'} <= {f.area for f in doctor.examine()}


@pytest.mark.parametrize(
    ('name', 'value', 'what', 'level'),
    [
        ('RMW_IMPLEMENTATION', 'rmw_nowhere_cpp', 'middleware', doctor.LACK),
        ('ROS_DOMAIN_ID', 'abc', 'ROS_DOMAIN_ID', doctor.LACK),
        ('ROS_DOMAIN_ID', '', 'ROS_DOMAIN_ID', doctor.OK),
        ('ROS_AUTOMATIC_DISCOVERY_RANGE', 'OFF', 'ROS_AUTOMATIC_DISCOVERY_RANGE', doctor.WARN),
        ('HOME', '', 'HOME', doctor.WARN),
        ('HOME', '/dev/null/x', 'HOME', doctor.WARN),
        ('ALL_PROXY', 'socks5://127.0.0.1:1', 'ALL_PROXY', doctor.WARN),
        ('HF_ENDPOINT', 'http://[::1', 'HF_ENDPOINT', doctor.WARN),
        ('HF_ENDPOINT', 'https://hub.example.org', 'HF_ENDPOINT', doctor.OK),
    ],
)
def test_what_people_set_is_looked_at(monkeypatch, name, value, what, level):
    for other in ('NO_PROXY', 'no_proxy', 'HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy'):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, value)
    (finding,) = [f for f in doctor.examine() if f.area == 'settings' and f.what == what]
    assert finding.level == level
    assert finding.remedy or level == doctor.OK


@pytest.mark.parametrize('environment', [{}, {'HF_ENDPOINT': 'http://[::1'}])
@pytest.mark.parametrize('more', [[], ['--config', 'kame']])
def test_its_json_is_json(environment, more):
    done = subprocess.run(
        [sys.executable, '-m', 'kame_ros.cli', 'doctor', '--json', *more],
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
    )
    areas = {finding['area'] for finding in json.loads(done.stdout)}
    assert ({'fit'} if more else {'settings', 'python'}) <= areas


@pytest.mark.parametrize(
    ('host', 'says'),
    [
        ('http://[::1', 'OLLAMA_HOST: .* is no address'),
        ('127.0.0.1:9', r'nothing answers at http://127\.0\.0\.1:9'),
        (':9', r'nothing answers at http://127\.0\.0\.1:9'),
        ('https://127.0.0.1:9/x', r'nothing answers at https://127\.0\.0\.1:9/x'),
    ],
)
def test_it_looks_for_ollama_where_its_clients_do(monkeypatch, host, says):
    monkeypatch.setenv('OLLAMA_HOST', host)
    (finding,) = [f for f in doctor.examine() if f.what == 'ollama' and f.area == 'server']
    assert finding.level == doctor.WARN
    assert re.search(says, finding.detail)
