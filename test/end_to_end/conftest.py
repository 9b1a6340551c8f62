"""Runs the command `kame` as a user would, and sees that it leaves no process behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

# Frames, 1 s. These tests run real processes in real time on a machine that others use too. When
# it does not run them for a moment, silence is played and a silent frame is left out afterwards, or
# a frame comes too late: that is what the buffers are for, and no test can forbid it. That nothing
# is lost while the processes do run is tested on virtual clocks: test/s2s/test_mic_queue.py,
# test/audio/playout/test_buffer.py and test_rhythm.py.
MOST_LOST = 13

_KAME = [sys.executable, '-m', 'kame_ros.cli']
_MARK = 'KAME_TEST_RUN'


class Kame:
    """Starts `kame` with a mark in its environment, by which its children are known."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._mark = uuid.uuid4().hex
        self._env = {**os.environ, _MARK: self._mark, 'COLUMNS': '200'}
        for name in ('ROS_DOMAIN_ID', 'ROS_AUTOMATIC_DISCOVERY_RANGE'):
            self._env.pop(name, None)  # the command chooses
        self._started: dict[str, subprocess.Popen[str]] = {}

    def run(self, *args: object, patience: float = 240.0) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end."""
        return subprocess.run(
            [*_KAME, *map(str, args)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=patience,
            env=self._env,
            check=False,
        )

    def start(self, name: str, *args: object, **env: str) -> subprocess.Popen[str]:
        """Starts a command; what it prints is in `printed(name)`. `env` is added to its own."""
        with (self.folder / f'{name}.txt').open('w') as output:
            process = subprocess.Popen(
                [*_KAME, *map(str, args)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                env={**self._env, **env},
            )
        self._started[name] = process
        return process

    def printed(self, name: str) -> str:
        return (self.folder / f'{name}.txt').read_text()

    def until_printed(self, name: str, text: str, patience: float = 120.0) -> bool:
        """Whether a command prints this within `patience` seconds, and before it ends."""
        end = time.monotonic() + patience
        while text not in self.printed(name):
            if time.monotonic() > end or self._started[name].poll() is not None:
                return text in self.printed(name)
            time.sleep(0.1)
        return True

    def processes(self) -> dict[int, str]:
        """The command lines of all living processes that this object's commands started."""
        found = {}
        for folder in Path('/proc').glob('[0-9]*'):
            try:
                if f'{_MARK}={self._mark}'.encode() in (folder / 'environ').read_bytes():
                    found[int(folder.name)] = (folder / 'cmdline').read_text().replace('\0', ' ')
            except OSError:
                continue
        return found

    def pid_of(self, node: str) -> int:
        return next(p for p, line in self.processes().items() if f'nodes.{node}_node' in line)

    def end(self) -> None:
        for process in self._started.values():
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            process.wait(30)


@pytest.fixture(scope='module')
def kame(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kame]:
    kame = Kame(tmp_path_factory.mktemp('kame'))
    yield kame
    kame.end()
    assert kame.processes() == {}


def check_frames(session: dict[str, Any]) -> None:
    """Each frame of a session of `kame ask` is accounted for, and hardly any was lost.

    The books are exact, however busy the machine is; the losses have a bound.
    """
    count = session['counters']
    told = session['diagnostics']
    play = {key: float(value) for key, value in told['audio_playback'].items() if key != 'sink'}
    assert count['frames_in'] == count['frames_heard'] == int(told['s2s']['frames_out']) > 0
    unplayed = 'concealed skipped dropped_silent dropped_speech flushed depth'
    assert count['frames_out'] + sum(play[why] for why in unplayed.split()) == count['frames_in']
    losses = ('frames_dropped', 'frames_left_out', 'frames_concealed', 'stt_frames_dropped')
    lost = {name: count[name] for name in losses}
    assert sum(lost.values()) <= MOST_LOST, lost
    assert count['oracle_chunks_dropped'] == 0  # text waits; none is ever too late


@pytest.fixture(name='check_frames', scope='session')
def check_frames_fixture() -> Callable[[dict[str, Any]], None]:
    return check_frames


@pytest.fixture(name='most_lost', scope='session')
def most_lost_fixture() -> int:
    return MOST_LOST


@pytest.fixture(scope='module')
def light(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration that hears silence, thinks nothing and can be made to speak."""
    path = tmp_path_factory.mktemp('config') / 'light.yaml'
    path.write_text(
        '/**/audio_capture: {ros__parameters: {source: silence}}\n'
        '/**/s2s: {ros__parameters: {front_end: tts}}\n'
        '/**/audio_playback: {ros__parameters: {sink: "null"}}\n'
    )
    return path
