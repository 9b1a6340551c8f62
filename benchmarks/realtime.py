"""The Realtime socket beside ROS topics, in one run: what it adds to the latency, what it costs.

    python benchmarks/realtime.py [--trials 10] [--results]

A client sends a question through the socket of the page node as it is spoken, again and again, and
hears the answers. For each turn: the latency as the client has it, from the last sample of speech
that it sent to the first that it got, and as the topics have it, from `audio/in` to `audio/played`.
Then the processor's share of the page node while nobody looks, while one talks, and while a page
is open.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import os
import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from option_types import how_often, in_seconds
from result_file import Results
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

import kame_ros.msg as msg
from kame_ros.audio.wav import read_wav
from kame_ros.graph.description import load_graph
from kame_ros.graph.page import page_parameters
from kame_ros.nodes.common import convert, qos
from kame_ros.nodes.visitor.running_graph import RunningGraph, running
from kame_ros.page.access import TOKEN_VARIABLE, new_token
from kame_ros.wire.frame import SAMPLE_RATE

ROOT = Path(__file__).resolve().parent.parent
_LOUD = 400  # of 32768
_BLOCK = 1_920  # samples: 80 ms, as the page sends them
_BLOCK_S = _BLOCK / SAMPLE_RATE
_PAUSE_S = 7.0  # behind each question, for the answer
_TICKS = os.sysconf('SC_CLK_TCK')


def loud_at(samples: np.ndarray, last: bool = False) -> int:
    """The first loud sample, or the one after the last; -1: there is none."""
    found = np.flatnonzero(np.abs(samples.astype(np.int32)) > _LOUD)
    return -1 if not len(found) else int(found[-1]) + 1 if last else int(found[0])


class Topics:
    """When sound was loud on `audio/in` and `audio/played`, by the stamps of the frames."""

    def __init__(self, run: RunningGraph) -> None:
        self.heard: list[float] = []  # the end of the loud part of each frame
        self.played: list[float] = []  # its beginning
        for topic, keep, last in (
            ('audio/in', self.heard, True),
            ('audio/played', self.played, False),
        ):
            run.node.create_subscription(
                msg.AudioFrame, run.graph.path(topic), self._keeping(keep, last), qos.RECORD
            )

    def _keeping(self, keep: list[float], last: bool) -> Callable[[msg.AudioFrame], None]:
        def on_frame(message: msg.AudioFrame) -> None:
            at = loud_at(np.frombuffer(message.data, np.int16), last)
            if at >= 0:
                keep.append(convert.from_time(message.header.stamp) + at / SAMPLE_RATE)

        return on_frame


class Talker(threading.Thread):
    """Sends the question so often, as it is spoken, and notes what it hears."""

    def __init__(self, url: str, token: str, trials: int) -> None:
        super().__init__(daemon=True)
        self._url, self._token, self._trials = url, token, trials
        self.sent: list[float] = []  # when the last sample of each question was spoken
        self.heard: list[float] = []  # when loud sound came
        self.words = ''

    def run(self) -> None:
        """Until all questions were asked."""
        key = {'Authorization': f'Bearer {self._token}'}
        question = read_wav(ROOT / 'examples' / 'question.wav').samples
        pause = np.zeros(int(_PAUSE_S * SAMPLE_RATE), np.int16)
        asked = np.concatenate([question, pause])
        end = loud_at(question, last=True)
        with connect(self._url, additional_headers=key, max_size=None) as socket:
            listening = threading.Thread(target=self._listen, args=(socket,), daemon=True)
            listening.start()
            due = time.time()
            for _ in range(self._trials):
                for start in range(0, len(asked), _BLOCK):
                    block = asked[start : start + _BLOCK]
                    due += _BLOCK_S  # a block is sent when its last sample was spoken
                    time.sleep(max(0.0, due - time.time()))
                    audio = base64.b64encode(block.astype('<i2').tobytes()).decode()
                    socket.send(json.dumps({'type': 'input_audio_buffer.append', 'audio': audio}))
                    if start <= end < start + _BLOCK:
                        self.sent.append(due - _BLOCK_S + (end - start) / SAMPLE_RATE)

    def _listen(self, socket: Any) -> None:
        try:
            for text in socket:
                now = time.time()
                event = json.loads(text)
                if event['type'] == 'response.output_audio.delta':
                    at = loud_at(np.frombuffer(base64.b64decode(event['delta']), '<i2'))
                    if at >= 0:
                        self.heard.append(now + at / SAMPLE_RATE)
                elif event['type'] == 'response.output_audio_transcript.delta':
                    self.words += event['delta']
        except ConnectionClosed:
            return


class Looker(threading.Thread):
    """A page that is open."""

    def __init__(self, url: str, token: str) -> None:
        super().__init__(daemon=True)
        self._stack = contextlib.ExitStack()
        self._socket = self._stack.enter_context(connect(f'{url}?token={token}', max_size=None))

    def run(self) -> None:
        """Reads all that it is told."""
        try:
            for _ in self._socket:
                pass
        except ConnectionClosed:
            return

    def close(self) -> None:
        """The page is closed."""
        self._stack.close()


def processor(pid: int) -> float:
    """Seconds that a process has computed."""
    fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def share(run: RunningGraph, pid: int, while_: Callable[[], bool]) -> float:
    """The processor's share of a process as long as something is so, in percent of a core."""
    began, before = time.monotonic(), processor(pid)
    while while_():
        run.spin(0.1)
    return 100.0 * (processor(pid) - before) / (time.monotonic() - began)


def for_seconds(seconds: float) -> Callable[[], bool]:
    """Is so for a while."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() < end


def latencies(ends: list[float], begins: list[float]) -> list[float]:
    """From each end to the first beginning after it, as far as there is one before the next end."""
    found = []
    for end, limit in zip(ends, [*ends[1:], float('inf')], strict=True):
        after = [t for t in begins if end - 1.0 < t < limit]
        if after:
            found.append(after[0] - end)
    return found


def turns_of(times: list[float], gap_s: float = 3.0) -> list[float]:
    """The last of the times before each pause."""
    return [
        t for t, later in zip(times, [*times[1:], float('inf')], strict=True) if later > t + gap_s
    ]


def measured(run: RunningGraph, token: str, trials: int, seconds: float) -> dict[str, Any]:
    """All figures, of a graph that is up."""
    values = run.conductor.health['page'].values or {}
    address, pid = values['address'].replace('http', 'ws', 1), int(values['pid'])
    topics = Topics(run)
    run.spin(2.0)
    nobody = share(run, pid, for_seconds(seconds))
    looker = Looker(f'{address}watch', token)
    looker.start()
    run.spin(1.0)
    page_only = share(run, pid, for_seconds(seconds))
    looker.close()
    run.spin(1.0)
    half = Talker(f'{address}v1/realtime', token, trials)
    half.start()
    talks = share(run, pid, half.is_alive)
    run.spin(1.0)
    looker = Looker(f'{address}watch', token)
    looker.start()
    rest = Talker(f'{address}v1/realtime', token, trials)
    rest.start()
    both = share(run, pid, rest.is_alive)
    looker.close()
    sent, got = half.sent + rest.sent, half.heard + rest.heard
    socket_s = latencies(sent, got)
    topic_s = latencies(turns_of(topics.heard), topics.played)
    return {
        'turns': len(sent),
        'answered': len(socket_s),
        'socket_median_s': statistics.median(socket_s),
        'topics_median_s': statistics.median(topic_s),
        'socket_adds_median_s': statistics.median(
            a - b for a, b in zip(socket_s, topic_s, strict=False)
        ),
        'cpu_percent': {
            'nobody': nobody,
            'page_open': page_only,
            'one_talks': talks,
            'one_talks_and_page_open': both,
        },
        'socket_s': socket_s,
        'topics_s': topic_s,
        'words': half.words + rest.words,
        'counters': run.conductor.health['page'].values,
    }


def main() -> int:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n', 1)[0])
    parser.add_argument(
        '--trials', type=how_often(), default=5, help='questions without a page, and with'
    )
    parser.add_argument('--seconds', type=in_seconds, default=15.0, help='of each idle measurement')
    results = Results(parser, 'realtime')
    options = parser.parse_args()
    os.environ[TOKEN_VARIABLE] = token = new_token()
    overrides = page_parameters('talk')
    overrides['page']['port'] = 0
    graph = load_graph(overrides=overrides, also=['page'])
    with running(graph) as run:
        run.bring_up(180.0)
        found = measured(run, token, options.trials, options.seconds)
    shares = found['cpu_percent']
    print(f'{found["answered"]} of {found["turns"]} turns answered')
    print(f'latency, median: socket {found["socket_median_s"]:.3f} s, topics '
          f'{found["topics_median_s"]:.3f} s, the socket adds '
          f'{1000 * found["socket_adds_median_s"]:.0f} ms')  # fmt: skip
    for name, value in shares.items():
        print(f'processor, page node, {name.replace("_", " ")}: {value:.2f} % of a core')
    figures = {
        name: round(found[name], 3)
        for name in ('turns', 'answered', 'socket_median_s', 'topics_median_s')
    }
    figures['socket_adds_median_s'] = round(found['socket_adds_median_s'], 3)
    figures['cpu_percent'] = {name: round(value, 2) for name, value in shares.items()}
    results.write(options, figures, found)
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
