"""The folder of a run: each conversation is in it whole, or not at all."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from kame_ros import __version__
from kame_ros.evaluation.sound_file import write_wav
from kame_ros.evaluation.suite import Suite
from kame_ros.runtime.weights import file_sha256
from kame_ros.text.misfit import misfit
from kame_ros.trust.redact import redact
from kame_ros.wire.frame import SAMPLE_RATE

RUN, DONE = 'run.json', 'done.json'
FORMAT = 1
_SAME = ('format', 'suite', 'suite_sha256', 'config', 'parameters', 'seed', 'kame_ros')
_SECRET = re.compile(r'key|token|secret|password', re.IGNORECASE)


class BadRun(ValueError):
    """A run that cannot be gone on with, or is none; the text is one sentence."""


@dataclass(frozen=True)
class RunPlace:
    """One conversation: an item in a repetition, counted from 1."""

    item: str
    repetition: int

    @property
    def path(self) -> Path:
        """Inside the run's folder."""
        return Path('items') / self.item / str(self.repetition)


def describe(
    suite: Suite, config: str, nodes: Mapping[str, Mapping[str, Any]], seed: int = 0
) -> dict[str, Any]:
    """What a run is: the suite, the configuration, the versions, and the machine. No keys."""
    return {
        'format': FORMAT,
        'suite': suite.name,
        'suite_sha256': suite.sha256,
        'suite_folder': str(suite.folder),
        'voices': list(suite.voices),
        'config': config,
        'parameters': {name: _plain(values) for name, values in nodes.items()},
        'seed': seed,
        'kame_ros': __version__,
        'commits': [_commit()],
        'machine': machine(),
        'begun': _now(),
    }


def machine() -> dict[str, Any]:
    """Where it runs."""
    return {
        'python': platform.python_version(),
        'os': platform.platform(),
        'cpu': _cpu(),
        'cores': os.cpu_count(),
        'memory_gb': round(os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30, 1),
        'gpu': _output('nvidia-smi', '--query-gpu=name,driver_version', '--format=csv,noheader'),
        'ros': os.environ.get('ROS_DISTRO', ''),
        'rmw': os.environ.get('RMW_IMPLEMENTATION', ''),
        'load_before': round(os.getloadavg()[0], 2),
    }


class RunFolder:
    """Conversations of one configuration with one suite. One process at a time writes into it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: BinaryIO | None = None

    @property
    def told(self) -> dict[str, Any]:
        """What `run.json` says; raises BadRun."""
        try:
            told = json.loads((self.path / RUN).read_text(encoding='utf-8'))
            if not isinstance(told, dict) or told.get('format') != FORMAT:
                raise ValueError('another format')
        except FileNotFoundError as error:
            raise BadRun(f'{self.path} holds no run ({RUN})') from error
        except (OSError, ValueError) as error:
            raise BadRun(f'{self.path / RUN} is not understood ({misfit(error)})') from error
        return told

    def check(self, told: Mapping[str, Any]) -> None:
        """Raises BadRun where `open` would, but for another process; writes nothing."""
        if self.path.exists() and not self.path.is_dir():
            raise BadRun(f'{self.path} is no folder')
        if not (self.path / RUN).is_file():
            if self.path.is_dir() and {path.name for path in self.path.iterdir()} - {'.lock'}:
                raise BadRun(f'{self.path} holds something else: give a new folder with -o')
            return
        old = self.told
        if self._is_empty():
            return
        for key in _SAME:
            was, now = old.get(key), told.get(key)
            if was != now:
                raise BadRun(
                    f'{self.path} is another run: its {key} is {_short(was, now)}, '
                    f'not {_short(now, was)}; give a new folder with -o'
                )

    def open(self, told: Mapping[str, Any]) -> None:
        """Begins a run, or goes on with one that is the same; raises BadRun for another."""
        self.check(told)
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = (self.path / '.lock').open('wb')
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BadRun(f'another process writes into {self.path}') from error
        if not (self.path / RUN).is_file() or self._is_empty():
            write_json(self.path / RUN, told)
            return
        self.check(told)  # another process may have begun it since
        old = self.told
        commits = [*old.get('commits', [])]
        commits += [c for c in told['commits'] if c not in commits]
        write_json(self.path / RUN, {**old, 'commits': commits})

    def _is_empty(self) -> bool:
        """Its graph never came up, as with a wrong parameter: nothing is there to be mixed with."""
        return {path.name for path in self.path.iterdir()} <= {RUN, '.lock'}

    def close(self, **more: Any) -> None:
        """Ends it; `more` is added to `run.json`."""
        if self._lock is not None:
            ended = {'ended': _now(), 'load_after': round(os.getloadavg()[0], 2)}
            write_json(self.path / RUN, {**self.told, **ended, **more})
            self._lock.close()
            self._lock = None

    def is_done(self, place: RunPlace) -> bool:
        """Whether this conversation is there."""
        return (self.path / place.path / DONE).is_file()

    def places(self) -> Iterator[RunPlace]:
        """All conversations that are there, in order."""
        found = []
        for done in (self.path / 'items').glob(f'*/*/{DONE}'):
            name, repetition = done.parent.parent.name, done.parent.name
            if repetition.isdigit():
                found.append(RunPlace(name, int(repetition)))
        return iter(sorted(found, key=lambda place: (place.item, place.repetition)))

    def put(
        self,
        place: RunPlace,
        user: np.ndarray,
        robot: np.ndarray,
        events: Iterator[Mapping[str, Any]],
        session: Mapping[str, Any],
        labels: Mapping[str, Any],
    ) -> None:
        """Writes a conversation beside its place, and moves it there when it is whole."""
        final = self.path / place.path
        part = final.with_name(f'.{final.name}.part')
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        write_stereo(part / 'audio.wav', user, robot)
        with (part / 'events.jsonl').open('w', encoding='utf-8') as file:
            for event in events:
                file.write(json.dumps(event, ensure_ascii=False) + '\n')
        write_json(part / 'session.json', session)
        write_json(part / 'labels.json', labels)
        files = sorted(path for path in part.iterdir())
        write_json(part / DONE, {path.name: file_sha256(path) for path in files})
        shutil.rmtree(final, ignore_errors=True)
        part.rename(final)


def told_or(path: Path, otherwise: dict[str, Any]) -> dict[str, Any]:
    """What a run says of itself, or `otherwise` where the folder holds none; raises BadRun."""
    return RunFolder(path).told if (path / RUN).is_file() else otherwise


def write_stereo(path: Path, user: np.ndarray, robot: np.ndarray) -> None:
    """int16 at 24 kHz, both in one file."""
    write_wav(path, stereo(user, robot), SAMPLE_RATE)


def stereo(user: np.ndarray, robot: np.ndarray) -> np.ndarray:
    """int16: the user left, the robot right, the shorter one filled up with silence."""
    both = np.zeros((max(len(user), len(robot), 1), 2), np.int16)
    both[: len(user), 0], both[: len(robot), 1] = user, robot
    return both


def write_json(path: Path, told: Mapping[str, Any]) -> None:
    """Writes a file whole or not at all."""
    part = path.with_name(path.name + '.part')
    part.write_text(json.dumps(told, indent=1, ensure_ascii=False) + '\n', encoding='utf-8')
    part.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """Raises BadRun for what is no JSON object."""
    try:
        told = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise BadRun(f'{path} is not understood ({misfit(error)})') from error
    if not isinstance(told, dict):
        raise BadRun(f'{path} is no JSON object')
    return told


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as they are compared and shown; what might be a secret is left out."""
    return {
        str(key): redact(str(value))
        for key, value in sorted(values.items())
        if not _SECRET.search(key)
    }


def _short(value: Any, other: Any) -> str:
    """A value for people: of tables only what differs."""
    if isinstance(value, dict) and isinstance(other, dict):
        parts = []
        for key in sorted(set(value) | set(other)):
            if value.get(key) != other.get(key):
                parts.append(f'{key}: {_short(value.get(key), other.get(key))}')
        return '; '.join(parts)
    return str(value)[:80]


def _now() -> str:
    return time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())


def _cpu() -> str:
    try:
        lines = Path('/proc/cpuinfo').read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(':')[2].strip() for line in lines if 'model name' in line), '')


def _commit() -> str:
    root = Path(__file__).resolve().parents[2]
    if not (root / '.git').exists():
        return ''
    commit = _output('git', '-C', str(root), 'rev-parse', '--short=12', 'HEAD')
    dirty = _output('git', '-C', str(root), 'status', '--porcelain', '--untracked-files=no')
    return f'{commit}{"+changes" if dirty else ""}'


def _output(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ''
    return done.stdout.strip() if done.returncode == 0 else ''
