"""The processes of a graph: started, watched, and ended by their own ids."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from kame_ros.graph import early, memory, surroundings
from kame_ros.graph.description import Graph, NodeSpec, parameter_file
from kame_ros.trust import temporary_folder
from kame_ros.trust.private_folder import open_private, private_folder

_DOMAINS = range(1, 102)  # above 101, Linux may hand a domain's ports to other programs
_GENTLE_S = 8.0  # for a node to end after SIGINT
_FIRM_S = 2.0  # after SIGTERM
_TAIL_BYTES = 64_000  # of a log that are read for its last lines: it may be as long as the disk


class Domain:
    """A ROS domain id that no other graph on this machine uses, held until it is closed.

    Raises RuntimeError when there is none left.
    """

    def __init__(self) -> None:
        folder = private_folder()
        for number in _DOMAINS:
            lock = _locked(folder / f'domain-{number}')
            if lock is None:
                continue
            if _is_free(number):
                self.number = number
                self._lock = lock
                return
            lock.close()
        raise RuntimeError('all ROS domains of this machine are in use')

    def close(self) -> None:
        """Lets others have the domain."""
        self._lock.close()


class Place:
    """A namespace in a ROS domain, held by one `kame up` or `kame ask` of this user at a time.

    Raises Taken where another one has it.
    """

    def __init__(self, domain: int, namespace: str) -> None:
        name = namespace.strip('/').replace('/', '.')
        lock = _locked(private_folder() / f'place-{domain}-{name}')
        if lock is None:
            raise Taken(domain, namespace)
        self._lock = lock

    def close(self) -> None:
        """Lets others have it."""
        self._lock.close()


class Taken(RuntimeError):
    """A robot runs already where another one was to be started."""

    def __init__(self, domain: int, namespace: str) -> None:
        self.domain, self.namespace = domain, namespace.strip('/')
        super().__init__(
            f'a robot runs already as /{self.namespace} in ROS_DOMAIN_ID {domain}: end it, '
            'or give this one another --namespace or --domain'
        )


def _locked(path: Path) -> BinaryIO | None:
    """The file, locked until it is closed; None if another process has it, or it is not ours."""
    try:
        lock = open_private(path)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return None
    return lock


def _is_free(domain: int) -> bool:
    """Whether no ROS process is in a domain that was started by other means."""
    # The discovery port of the first participant (DDS-RTPS specification, 9.6.1.1).
    port = 7400 + 250 * domain + 10
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(('0.0.0.0', port))
        except OSError:
            return False
    return True


def environment(domain: int, discovery: str = 'LOCALHOST') -> dict[str, str]:
    """The environment of a graph's processes.

    `discovery` is ROS_AUTOMATIC_DISCOVERY_RANGE: LOCALHOST, or SUBNET to be found from elsewhere.
    Raises BadSurroundings where ROS cannot run.
    """
    env = dict(os.environ)
    surroundings.prepare(env)
    env['ROS_DOMAIN_ID'] = str(domain)
    env['ROS_AUTOMATIC_DISCOVERY_RANGE'] = discovery
    env[early.PARENT] = str(os.getpid())
    env[early.PROGRAM] = '1'
    env['PYTHONUNBUFFERED'] = '1'
    # Two threads of one model on busy cores are slower than one: they wait for each other.
    env.setdefault('OMP_NUM_THREADS', '1')
    env.setdefault('RCUTILS_CONSOLE_OUTPUT_FORMAT', '[{severity}] [{name}] {message}')
    prefix = Path(sys.prefix)
    if (prefix / 'share' / 'ament_index').is_dir():  # ROS from wheels: the venv is the prefix
        paths = env.get('AMENT_PREFIX_PATH', '').split(os.pathsep)
        if str(prefix) not in paths:
            env['AMENT_PREFIX_PATH'] = os.pathsep.join(filter(None, [str(prefix), *paths]))
    return env


def join(env: Mapping[str, str]) -> None:
    """Makes this process one of the graph's: ROS reads its environment when it is initialised."""
    os.environ.update({k: env[k] for k in env if k.startswith(('ROS_', 'AMENT_'))})


class NodeProcess:
    """One node in a process of its own, in a group of its own: Ctrl-C is ours to pass on."""

    def __init__(
        self, spec: NodeSpec, namespace: str, folder: Path, env: Mapping[str, str]
    ) -> None:
        self.spec = spec
        self.log = folder / f'{spec.name}.log'
        self._env = env
        file = folder / f'{spec.name}.yaml'
        file.write_text(parameter_file(spec), encoding='utf-8')
        self._command = [sys.executable, '-m', spec.module, '--ros-args']
        self._command += ['-r', f'__node:={spec.name}', '--params-file', str(file)]
        if namespace.strip('/'):
            self._command += ['-r', f'__ns:=/{namespace.strip("/")}']
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the process."""
        with self.log.open('ab') as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(self._env),
                start_new_session=True,
            )

    @property
    def pid(self) -> int | None:
        """The process id, once it was started."""
        return self._process.pid if self._process else None

    @property
    def exit_status(self) -> int | None:
        """None while it runs."""
        return self._process.poll() if self._process else None

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def moved(self) -> int:
        """Bytes that it has read and written so far: they grow while a model is got or loaded."""
        try:
            counts = Path(f'/proc/{self.pid}/io').read_text(encoding='ascii').split()
            return int(counts[1]) + int(counts[3])  # rchar, wchar
        except (OSError, ValueError, IndexError):
            return 0

    def send(self, number: signal.Signals) -> None:
        """Sends a signal, if it still runs."""
        if self._process is not None and self.running:
            self._process.send_signal(number)

    def wait(self, seconds: float) -> bool:
        """Waits for its end; False if it still runs then."""
        if self._process is None:
            return True
        try:
            self._process.wait(max(0.0, seconds))
        except subprocess.TimeoutExpired:
            return False
        return True

    @property
    def refusal(self) -> str:
        """Why it ended for a wrong setting, in its own words; empty: it did not say."""
        said = [line for line in self.tail().splitlines() if line.startswith(early.REFUSAL)]
        return said[-1].removeprefix(early.REFUSAL) if said else ''

    def tail(self, lines: int = 12) -> str:
        """The last lines that it printed; of a very long one its end."""
        try:
            with self.log.open('rb') as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL_BYTES))
                end = log.read(_TAIL_BYTES)
        except OSError:
            return ''
        return '\n'.join(end.decode('utf-8', errors='replace').splitlines()[-lines:])


class GraphProcesses:
    """All processes of a graph; ending the `with` block ends every one of them."""

    def __init__(self, graph: Graph, env: Mapping[str, str]) -> None:
        self.folder = temporary_folder.make()
        env = {**env, memory.FOLDER: str(self.folder)}
        self.nodes = [NodeProcess(spec, graph.namespace, self.folder, env) for spec in graph.nodes]
        self.keep_logs = False

    def __enter__(self) -> GraphProcesses:
        for node in self.nodes:
            node.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        if not self.keep_logs:
            shutil.rmtree(self.folder, ignore_errors=True)

    def ended(self) -> list[NodeProcess]:
        """Those that do not run."""
        return [node for node in self.nodes if not node.running]

    def stop(self) -> list[str]:
        """Ends all, the ear first; returns the names of those that had to be killed."""
        ear_first = list(reversed(self.nodes))
        for number, patience in (
            (signal.SIGINT, _GENTLE_S),
            (signal.SIGTERM, _FIRM_S),
        ):
            for node in ear_first:
                node.send(number)
            end = time.monotonic() + patience
            if all([node.wait(end - time.monotonic()) for node in ear_first]):
                return []
        left = [node for node in ear_first if node.running]
        for node in left:
            node.send(signal.SIGKILL)
            node.wait(_FIRM_S)
        return [node.spec.name for node in left]
