import ctypes.util

from kame_ros import doctor
from kame_ros.s2s.moshi import codec2


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


def test_a_missing_codec2_is_named_with_its_apt_command(monkeypatch):
    monkeypatch.setattr(ctypes.util, 'find_library', lambda name: 'no-such-library')
    codec2._library.cache_clear()
    (finding,) = [f for f in doctor.examine() if f.what == 'libcodec2']
    codec2._library.cache_clear()
    assert finding.level == doctor.WARN
    assert 'kame-tiny' in finding.detail
    assert finding.remedy.startswith('apt install libcodec2-1.0')


def test_keys_are_never_shown(monkeypatch):
    monkeypatch.setenv('OPENAI_API_KEY', 'sk-secret')
    assert 'sk-secret' not in str(list(doctor.examine()))
