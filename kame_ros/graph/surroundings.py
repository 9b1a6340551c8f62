"""What ROS finds around a process: its implementation, its domain, and where it may write.

Each of these ends a process in its own way, with a raw line or a traceback. Here they are looked
at before, and mended where they can be.
"""

from __future__ import annotations

import ctypes.util
import os
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path

from kame_ros.graph.names import BadConfig, check_domain
from kame_ros.trust import temporary_folder


class BadSurroundings(RuntimeError):
    """ROS cannot run here as it is set; the text is a sentence that says what to do."""


def prepare(env: MutableMapping[str, str] | None = None) -> None:
    """Looks at an environment, this process's own by default, and mends what can be.

    Raises BadSurroundings.
    """
    env = os.environ if env is None else env
    if problem := rmw_problem(env):
        raise BadSurroundings(problem)
    try:
        if check_domain(env.get('ROS_DOMAIN_ID', '')) is None:
            env.pop('ROS_DOMAIN_ID', None)  # set to nothing is not set
    except BadConfig as error:
        raise BadSurroundings(str(error)) from error
    if log_problem(env):
        env['ROS_LOG_DIR'] = str(temporary_folder.make('log-'))


def rmw_problem(env: Mapping[str, str]) -> str:
    """What is wrong with the ROS middleware that is asked for; empty: nothing."""
    wanted = env.get('RMW_IMPLEMENTATION', '')
    if not wanted or _has_library(wanted, env):
        return ''
    here = ', '.join(sorted(set(_implementations(env)))) or 'none'
    package = wanted.replace('_', '-')
    return (
        f'RMW_IMPLEMENTATION is {wanted}, which is not installed (there is {here}): unset '
        f'RMW_IMPLEMENTATION, or apt install ros-jazzy-{package}'
    )


def _folders(env: Mapping[str, str]) -> Iterator[Path]:
    for name in ('AMENT_PREFIX_PATH', 'COLCON_PREFIX_PATH'):
        for prefix in filter(None, env.get(name, '').split(os.pathsep)):
            yield Path(prefix, 'lib')
    yield from (Path(f) for f in filter(None, env.get('LD_LIBRARY_PATH', '').split(os.pathsep)))
    yield Path(sys.prefix, 'lib')
    # From wheels: the libraries are wherever the package is.
    yield from (Path(folder) for folder in sys.path if folder.endswith('-packages'))


def _has_library(name: str, env: Mapping[str, str]) -> bool:
    if os.sep in name:
        return Path(name).is_file()
    found = any((folder / f'lib{name}.so').exists() for folder in _folders(env))
    return found or ctypes.util.find_library(name) is not None


def _implementations(env: Mapping[str, str]) -> Iterator[str]:
    for folder in _folders(env):
        for path in folder.glob('librmw_*_cpp.so'):
            name = path.stem.removeprefix('lib')
            if not any(part in name for part in ('__', '_dynamic_', '_shared_')):
                yield name


def log_problem(env: Mapping[str, str]) -> str:
    """Why ROS cannot write its logs where it would; empty: it can."""
    if given := env.get('ROS_LOG_DIR') or env.get('ROS_HOME'):
        folder = Path(given)
    elif home := env.get('HOME'):
        folder = Path(home, '.ros')
    else:
        return 'HOME is not set'
    try:
        folder.mkdir(parents=True, exist_ok=True)  # as ROS does
    except OSError as error:
        return f'{folder} cannot be made: {error.strerror}'
    return '' if os.access(folder, os.W_OK | os.X_OK) else f'{folder} cannot be written'
