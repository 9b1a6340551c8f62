"""What a benchmark writes: all it measured (`--json`), and the figures that are told (`--results`).

A result file is `benchmarks/results/NAME.json`. It says on which machine, when, from which commit
and by which command its figures were measured, and whether other programs computed beside it.
`figures.py` puts the figures into README.md and docs/.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from option_types import writable

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / 'benchmarks' / 'results'
_BUSY = 0.1  # of each core, taken by others: then times are longer than they could be
CORES = os.cpu_count() or 1
_TICKS = os.sysconf('SC_CLK_TCK')
# What a figure depends on: the code, and the engines.
_MEASURED = ('kame_ros', 'config')
_ENGINES = ('faster-whisper', 'hibari-tts', 'xllamacpp', 'onnxruntime', 'torch', 'moshi')


class Results:
    """The options `--json` and `--results` of a benchmark, and what it writes for them.

    Made when the benchmark begins: what others compute is counted from then on. It does not matter
    where nothing is `timed` by a real clock.
    """

    def __init__(self, parser: argparse.ArgumentParser, name: str, *, timed: bool = True) -> None:
        parser.add_argument('--json', type=writable, metavar='FILE', help='write all details here')
        parser.add_argument(
            '--results',
            type=writable,
            nargs='?',
            const=FOLDER / f'{name}.json',
            metavar='FILE',
            help=f'write the figures that are told here (default: benchmarks/results/{name}.json)',
        )
        self._name = name
        self._timed = timed
        self._load = Load()

    def write(
        self,
        options: argparse.Namespace,
        figures: Mapping[str, Any],
        everything: Any,
        load: Mapping[str, Any] | None = None,
    ) -> None:
        """Writes what the options ask for.

        `figures` are numbers by name, with units in the names and perhaps in groups; `everything`
        is what else is worth keeping, of any form. `load`: of others, where it was measured in
        several runs of the program (see busy_with).
        """
        if options.json:
            _write(options.json, everything)
        if options.results:
            about = {
                'benchmark': self._name,
                'command': shlex.join(['python', f'benchmarks/{self._name}.py', *sys.argv[1:]]),
                'date': datetime.now(timezone.utc).date().isoformat(),
                'commit': commit(),
                'machine': machine(),
                'versions': versions(),
                **(load or self._load.told(self._timed)),
            }
            _write(options.results, {**about, 'figures': figures})


class Load:
    """How many cores other programs took since this was made."""

    def __init__(self) -> None:
        self._began, self._others = time.monotonic(), self._ticks()

    def told(self, timed: bool) -> dict[str, Any]:
        """`others_cores`, a mean, and `busy`: whether it was enough to lengthen what was timed."""
        seconds = max(time.monotonic() - self._began, 1e-3)
        cores = max(0.0, (self._ticks() - self._others) / _TICKS / seconds)
        return busy_with(cores, timed)

    @staticmethod
    def _ticks() -> float:
        """Ticks of all processors that neither this process nor its ended children took."""
        fields = Path('/proc/stat').read_text().split('\n', 1)[0].split()[1:9]
        user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, fields)
        own = sum(os.times()[:4])  # its own seconds and those of the children it waited for
        return user + nice + system + irq + softirq + steal - own * _TICKS


def busy_with(others_cores: float, timed: bool = True) -> dict[str, Any]:
    """What a result file says of other programs that took so many cores meanwhile."""
    busy = timed and others_cores > _BUSY * CORES
    return {'others_cores': round(others_cores, 2), 'busy': busy}


def commit() -> str:
    """The commit that last changed what is measured; `+`: files have changed since.

    Empty outside of git.
    """
    asked = (
        ['log', '-1', '--format=%H', '--', *_MEASURED],
        ['status', '--porcelain', '--', *_MEASURED],
    )
    try:
        head, changed = (
            subprocess.run(
                ['git', *arguments], cwd=ROOT, capture_output=True, text=True, check=True
            ).stdout.strip()
            for arguments in asked
        )
    except (OSError, subprocess.CalledProcessError):
        return ''
    return head[:12] + ('+' if changed else '')


def machine() -> dict[str, Any]:
    """Processor, cores, memory and system; no name by which it could be found."""
    return {
        'processor': _line('/proc/cpuinfo', 'model name') or platform.machine(),
        'architecture': platform.machine(),
        'cores': CORES,
        'memory_gb': round(int((_line('/proc/meminfo', 'MemTotal') or '0').split()[0]) / 1e6, 1),
        'gpu': _gpu(),
        'system': f'{platform.system()} {platform.release().split("-")[0]}',
        'python': platform.python_version(),
    }


def versions() -> dict[str, str]:
    """The engines that are installed."""
    found = {}
    for name in _ENGINES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _line(path: str, key: str) -> str:
    for line in Path(path).read_text().splitlines():
        name, _, value = line.partition(':')
        if name.strip() == key:
            return value.strip()
    return ''


def _gpu() -> str:
    query = ['nvidia-smi', '--query-gpu=name', '--format=csv,noheader']
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return ''
    return ', '.join(done.stdout.split('\n')).strip(', ')


def _write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + '\n', encoding='utf-8')
