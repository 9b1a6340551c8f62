"""The daemon of a test run does not outlive the run, however that ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

_RUN = """
import importlib.util, pathlib, signal, sys, time
spec = importlib.util.spec_from_file_location('pulse_conftest', sys.argv[1])
conftest = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = conftest
spec.loader.exec_module(conftest)
pulse = conftest.Pulse(pathlib.Path(sys.argv[2]))
print(pulse.daemon.pid, pulse.up, flush=True)
time.sleep(60)
"""


def is_running(pid: int) -> bool:
    try:
        state = Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()[0]
    except OSError:
        return False
    return state != 'Z'


@pytest.mark.parametrize('signal_', [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_daemon_ends_with_an_interrupted_run(tmp_path, until, signal_) -> None:
    if not shutil.which('pulseaudio'):
        pytest.skip('NOT TESTED: no pulseaudio (requirements/apt-test.txt)')
    conftest = Path(__file__).parent / 'conftest.py'
    run = subprocess.Popen(
        [sys.executable, '-c', _RUN, conftest, tmp_path],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    daemon = 0
    try:
        assert run.stdout is not None
        told = run.stdout.readline().split()
        if told[1:] != ['True']:
            pytest.skip('NOT TESTED: pulseaudio does not start here')
        daemon = int(told[0])
        assert is_running(daemon)
        run.send_signal(signal_)
        assert run.wait(10) != 0
        assert until(lambda: not is_running(daemon), 10.0)
    finally:
        run.kill()
        run.communicate()
        if daemon and is_running(daemon):
            os.kill(daemon, signal.SIGKILL)
