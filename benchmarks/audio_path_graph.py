"""The sound path of a running graph: age, jitter and loss of frames, and the processors' share."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import kame_ros.msg as msg
from kame_ros.graph.description import load_graph
from kame_ros.nodes.common import convert, qos
from kame_ros.nodes.common.clock import NodeClock
from kame_ros.nodes.visitor.running_graph import RunningGraph, running
from kame_ros.wire.frame import FRAME_S

_TICKS = os.sysconf('SC_CLK_TCK')
_SETTLE_S = 10.0  # discovery, and the first frames
_LOSSES = {
    'audio_capture': ('blocks_dropped', 'frames_silent', 'blocks_late'),
    's2s': ('frames_dropped', 'frames_missing'),
    'audio_playback': (
        'late', 'concealed', 'underruns', 'skipped', 'dropped_speech', 'dropped_silent',
        'blocks_missing', 'blocks_dropped', 'frames_unplayed',
    ),
}  # fmt: skip


_PRCTL = ctypes.CDLL(None).prctl  # found here: after the fork nothing may be loaded


def _end_with_parent() -> None:
    _PRCTL(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: a run that is killed leaves no daemon


@contextlib.contextmanager
def pulse() -> Iterator[bool]:
    """A PulseAudio of our own with a null sink, where it can be had; says whether."""
    if not shutil.which('pulseaudio'):
        yield False
        return
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in ('XDG_RUNTIME_DIR', 'HOME'):
            (root / name).mkdir(mode=0o700)
        script = root / 'bench.pa'
        script.write_text(
            'load-module module-native-protocol-unix\n'
            'load-module module-null-sink sink_name=loop rate=48000 channels=2 format=s16le '
            'norewinds=1\n'
        )
        socket = root / 'XDG_RUNTIME_DIR' / 'pulse' / 'native'
        own = {name: str(root / name) for name in ('XDG_RUNTIME_DIR', 'HOME')}
        own['PULSE_SERVER'] = f'unix:{socket}'
        before = {name: os.environ.get(name) for name in own}
        os.environ.update(own)
        daemon = subprocess.Popen(
            ['pulseaudio', '--daemonize=no', '--exit-idle-time=-1', '-n', '-F', str(script)],
            stderr=subprocess.DEVNULL,
            preexec_fn=_end_with_parent,
        )
        try:
            end = time.monotonic() + 10
            while not socket.exists() and time.monotonic() < end:
                time.sleep(0.05)
            yield socket.exists()
        finally:
            daemon.terminate()
            daemon.wait(10)
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})


class _Ears:
    """Hears all sound topics and notes when each frame came."""

    def __init__(self, run: RunningGraph) -> None:
        self.clock = NodeClock(run.node.get_clock())
        self.mic: list[tuple[int, float, float]] = []  # seq, end of the sound, arrival
        self.speech: dict[int, float] = {}  # seq, arrival
        self.played: list[tuple[int, int, float]] = []  # seq, source_seq, when it is heard
        for topic, heard in (
            ('audio/mic', self._on_mic),
            ('audio/speech', self._on_speech),
            ('audio/played', self._on_played),
        ):
            run.node.create_subscription(
                msg.AudioFrame, run.graph.path(topic), heard, qos.AUDIO_ASK
            )

    def _on_mic(self, frame: msg.AudioFrame) -> None:
        end = convert.from_time(frame.header.stamp) + FRAME_S
        self.mic.append((frame.seq, end, self.clock.now()))

    def _on_speech(self, frame: msg.AudioFrame) -> None:
        self.speech[frame.seq] = self.clock.now()

    def _on_played(self, frame: msg.AudioFrame) -> None:
        t = convert.from_time(frame.header.stamp)
        self.played.append((frame.seq, frame.source_seq, t))


def measure(minutes: float, devices: bool) -> dict[str, Any]:
    """Runs ear, front-end and mouth for so long; milliseconds and percent."""
    source, sink = ('device', 'device') if devices else ('silence', 'null')
    config = (
        f'/**/audio_capture: {{ros__parameters: {{source: {source}}}}}\n'
        '/**/s2s: {ros__parameters: {front_end: tts}}\n'
        f'/**/audio_playback: {{ros__parameters: {{sink: "{sink}"}}}}\n'
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'sound.yaml'
        path.write_text(config)
        with running(load_graph(str(path))) as run:
            ears = _Ears(run)
            run.conductor.bring_up(120.0, lambda: None)
            run.spin(_SETTLE_S)
            lost0, cpu0, began = _lost(run), _cpu(run), time.monotonic()
            ears.mic.clear(), ears.played.clear()  # type: ignore[func-returns-value]
            run.spin(minutes * 60.0)
            seconds = time.monotonic() - began
            run.spin(1.2)  # the last counters
            lost1, cpu1 = _lost(run), _cpu(run)
            return _summary(ears, seconds, run) | {
                'cpu_percent': {
                    name: round(100 * (cpu1[name] - cpu0[name]) / (seconds + 1.2), 2)
                    for name in cpu1
                },
                'frames_lost': int(sum(lost1.values()) - sum(lost0.values())) + _gaps(ears),
                'losses': {k: lost1[k] - lost0[k] for k in lost1 if lost1[k] != lost0[k]},
                'devices': devices,
                'minutes': minutes,
            }


def _summary(ears: _Ears, seconds: float, run: RunningGraph) -> dict[str, Any]:
    age = np.array([arrival - end for _, end, arrival in ears.mic]) * 1e3
    gap = np.diff([arrival for _, _, arrival in ears.mic]) * 1e3
    out = [
        (t - ears.speech[source]) * 1e3
        for _, source, t in ears.played
        if source in ears.speech and t > 0
    ]
    playback = run.conductor.health['audio_playback'].values or {}
    capture = run.conductor.health['audio_capture'].values or {}
    return {
        'frames': len(age),
        'frame_age_median_ms': round(float(np.median(age)), 2),
        'frame_age_p99_ms': round(float(np.percentile(age, 99)), 2),
        'frame_jitter_median_ms': round(float(np.median(np.abs(gap - 80.0))), 2),
        'frame_jitter_p99_ms': round(float(np.percentile(np.abs(gap - 80.0), 99)), 2),
        'speech_to_device_median_ms': round(float(np.median(out)), 1) if out else None,
        'speech_to_device_p99_ms': round(float(np.percentile(out, 99)), 1) if out else None,
        'drift_ppm': float(playback.get('drift_ppm', 0.0)),
        'capture_clock_ppm': float(capture.get('clock_ppm', 0.0)),
        'echo_delay_ms': float(capture.get('echo_delay_ms', -1.0)),
    }


def _gaps(ears: _Ears) -> int:
    return sum(
        int(np.sum(np.diff([item[0] for item in items]) - 1)) for items in (ears.mic, ears.played)
    )


def _lost(run: RunningGraph) -> dict[str, float]:
    lost: dict[str, float] = {}
    for name, counters in _LOSSES.items():
        health = run.conductor.health.get(name)
        values = (health.values or {}) if health else {}
        lost |= {f'{name}.{key}': float(values.get(key, 0)) for key in counters}
    return lost


def _cpu(run: RunningGraph) -> dict[str, float]:
    seconds = {}
    for process in run.processes.nodes:
        fields = Path(f'/proc/{process.pid}/stat').read_text().rsplit(')', 1)[1].split()
        seconds[process.spec.name] = (int(fields[11]) + int(fields[12])) / _TICKS
    return seconds
