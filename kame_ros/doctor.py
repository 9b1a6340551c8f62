"""Looks at the machine: what is here, what is not, and what to do about it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from kame_ros import graph, weights
from kame_ros.processes import Domain

OK, WARN, LACK = 'ok', 'warning', 'missing'


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `remedy` is what to do about it, if anything."""

    area: str
    what: str
    level: str
    detail: str = ''
    remedy: str = ''


def examine() -> Iterator[Finding]:
    """Looks at everything, one finding at a time."""
    yield _python()
    yield from _ros()
    yield from _engines()
    yield _codec2()
    yield from _weights()
    yield from _devices()
    yield _gpu()
    yield _ports()
    yield from _servers()
    yield from _keys()
    names = ', '.join(graph.config_names())
    yield Finding('graph', 'configurations', OK, names)


def _python() -> Finding:
    version = '.'.join(map(str, sys.version_info[:3]))
    good = (3, 10) <= sys.version_info[:2] <= (3, 13)
    return Finding(
        'python',
        version,
        OK if good else WARN,
        sys.prefix,
        '' if good else 'use Python 3.11 or 3.12',
    )


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
    for package, module, purpose, extra in (
        ('faster-whisper', 'faster_whisper', 'speech-to-text', 'models'),
        ('hibari-tts', 'hibari', 'the voice of the tts front-end', 'models'),
        ('xllamacpp', 'xllamacpp', 'the embedded LLM', 'models'),
        ('pyaudio', 'pyaudio', 'microphone and loudspeaker', 'audio'),
        ('pywebrtc-audio', 'pywebrtc_audio', 'echo cancellation', 'audio'),
        ('ollama', 'ollama', 'LLMs of an ollama server', 'ollama'),
        ('openai', 'openai', 'LLMs of any OpenAI-compatible server', 'openai'),
        ('anthropic', 'anthropic', 'LLMs of Anthropic', 'anthropic'),
        ('google-genai', 'google.genai', 'LLMs of Google', 'gemini'),
        ('torch', 'torch', 'the moshi front-end', 'moshi'),
        ('moshi', 'moshi', 'the moshi front-end', 'moshi'),
    ):
        found = _has_module(module)
        needed = extra == 'models'
        yield Finding(
            'engine',
            package,
            OK if found else LACK if needed else WARN,
            _version(package) if found else f'for {purpose}',
            '' if found else 'make setup-moshi' if extra == 'moshi' else f'pip install {package}',
        )


def _codec2() -> Finding:
    from kame_ros.s2s.moshi.codec2 import APT, Codec2, Codec2MissingError

    try:
        Codec2()
    except Codec2MissingError as error:
        return Finding('engine', 'libcodec2', WARN, f'for kame-tiny: {error}', APT)
    return Finding('engine', 'libcodec2', OK, 'for kame-tiny')


def _has_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _weights() -> Iterator[Finding]:
    for model in weights.catalogue():
        detail = f'{model.role}, {model.licence}'
        if model.present:
            yield Finding('weights', model.name, OK, detail)
        else:
            yield Finding('weights', model.name, WARN, detail, model.install)


def _devices() -> Iterator[Finding]:
    if not _has_module('pyaudio'):
        return
    from kame_ros.audio.devices import DeviceError, list_devices

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


def _gpu() -> Finding:
    remedy = 'the tts front-end needs none; the moshi front-end does'
    if not shutil.which('nvidia-smi'):
        return Finding('gpu', 'NVIDIA GPU', WARN, 'none', remedy)
    query = ['nvidia-smi', '--query-gpu=name,memory.total', '--format=csv,noheader']
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        return Finding('gpu', 'NVIDIA GPU', WARN, str(error), 'is the driver loaded?')
    return Finding('gpu', 'NVIDIA GPU', OK, answer.stdout.strip().replace('\n', '; '))


def _ports() -> Finding:
    what = 'a free ROS domain'
    try:
        domain = Domain()
    except (OSError, RuntimeError) as error:
        remedy = 'end the graphs that still run (ps aux | grep kame_ros), or set ROS_DOMAIN_ID'
        return Finding('ports', what, LACK, str(error), remedy)
    number = domain.number
    domain.close()
    set_by_hand = os.environ.get('ROS_DOMAIN_ID')
    return Finding('ports', what, OK, f'{number}; ROS_DOMAIN_ID is {set_by_hand or "not set"}')


def _servers() -> Iterator[Finding]:
    host = os.environ.get('OLLAMA_HOST', '127.0.0.1:11434').split('://')[-1]
    name, _, port = host.partition(':')
    number = int(port) if port.isdigit() else 11434
    try:
        with socket.create_connection((name or '127.0.0.1', number), timeout=1.0):
            yield Finding('server', 'ollama', OK, host)
    except OSError:
        remedy = (
            'install it from ollama.com and run: ollama serve (only for oracle.backend=ollama:…)'
        )
        yield Finding('server', 'ollama', WARN, f'nothing answers at {host}', remedy)


def _keys() -> Iterator[Finding]:
    for key in ('OPENAI_API_KEY', 'ANTHROPIC_API_KEY', 'GEMINI_API_KEY'):
        given = bool(os.environ.get(key))
        yield Finding(
            'key',
            key,
            OK if given else WARN,
            'set' if given else 'not set',
            '' if given else f'export {key}=… (only for that back-end)',
        )
