"""What a run that skipped tests says at its end, and that it passes over none in silence."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

from skipped import remedy, summary


def test_each_lack_has_its_command():
    assert remedy("could not import 'moshi': No module named 'moshi'") == 'make setup-moshi'
    assert remedy('the moshi front-end needs torch: make setup-moshi') == 'make setup-moshi'
    assert remedy('NOT TESTED on a real driver: no PyAudio') == 'make setup-devices'
    assert 'apt-get' in remedy('NOT TESTED: no libspeexdsp1 (requirements/apt-test.txt)')
    assert 'apt-get' in remedy('the recording is absent: apt-get install pocketsphinx-testdata')
    assert remedy('a machine with eight GPUs') is None


def test_skips_are_counted_by_command_and_the_rest_is_told_whole():
    reasons = ['needs torch', "could not import 'torch'", 'a machine with eight GPUs']
    assert summary(reasons, long_left_out=True) == [
        '2 skipped; to run them: make setup-moshi',
        '1 skipped: a machine with eight GPUs',
        'the long tests were left out; to run all: make test-all',
    ]
    assert summary([], long_left_out=False) == []


def test_no_folder_of_tests_is_passed_over(pytestconfig):
    """By default pytest goes into no folder that is called build, and says nothing of it."""
    over = pytestconfig.getini('norecursedirs')
    folders = {path.parent for path in Path(__file__).parent.rglob('test_*.py')}
    assert len(folders) > 20
    assert [f for f in sorted(folders) if any(fnmatch(f.name, pattern) for pattern in over)] == []
