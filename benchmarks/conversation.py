"""The main job, measured: what is heard, what is said, how soon, and at what cost.

    python benchmarks/conversation.py --results

Asks spoken questions in voices that are not the robot's (flite, and human recordings where Debian's
pocketsphinx-testdata is installed) through the whole graph with `kame ask`; then runs the graph for
a minute of silence. Prints, for each question, the word error rate of what was heard and of what a
recogniser hears in the answer, and the latency, with what it was spent on: until the end of the
turn was known, waiting for a part that was late (the words, the LLM, the voice), and on the way to
the loudspeaker; and for all processes together their memory (proportional set size) and their share
of the processor, idle and talking.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from option_types import configuration, seconds_or_none
from result_file import Results
from rich.console import Console
from rich.progress import track
from rich.table import Table

from kame_ros.evaluation.words import NotInstalled, errors

_QUESTIONS = (
    'What is the capital of France?',
    'How many legs does a spider have?',
    'What color is the sky on a clear day?',
    'Who wrote the play Romeo and Juliet?',
    'What do bees make?',
)
_VOICES = ('slt', 'rms')
_HUMAN = Path('/usr/share/pocketsphinx/test/data/librivox')
_TICKS = os.sysconf('SC_CLK_TCK')
_RATE = 24_000


@dataclass
class Asked:
    """One question and what came of it."""

    voice: str
    said: str
    heard: str = ''
    answer: str = ''
    answer_heard: str = ''
    heard_wer: float = 1.0
    answer_wer: float | None = None
    latency_s: float | None = None
    spent: dict[str, float] = field(default_factory=dict)  # the latency, by what it was spent on
    corrections: int = 0  # times that the robot said "Actually,": it had begun something else
    counters: dict[str, int] = field(default_factory=dict)
    memory_mb: float = 0.0
    cpu_percent: float = 0.0
    failed: str = ''


_LATE = ('late_words', 'late_llm', 'late_voice')
_PARTS = ('decision', *_LATE, 'playback')


def spent(turn: dict[str, Any]) -> dict[str, float]:
    """The latency of a recorded turn by what it was spent on, in s; empty where it is not known.

    `decision`: from the last sound of the user to the frame in which their turn was over for the
    front-end. From there on it waits for what is late: `late_words`, until the LLM is asked what
    is said, `late_llm`, until its first word, and `late_voice`, until the frame with the first
    sound of the answer is given. `playback`: from there to the loudspeaker. A decision before the
    last sound (the user went on) is less than nothing.
    """
    ended, given = turn.get('turn_ended_s'), turn.get('speech_given_s')
    begin, heard = turn['user_speech_end_s'], turn['robot_speech_start_s']
    if heard is None or ended is None or given is None:
        return {}
    said = [
        oracle
        for oracle in turn['oracles']
        if oracle['state'] == 'applied' and (oracle['first_word_at_s'] or given) < given
    ]
    asked, answered = ended, ended
    if said:
        asked = min(max(ended, said[-1]['started_at_s']), given)
        answered = min(max(asked, said[-1]['first_word_at_s']), given)
    times = (begin, ended, asked, answered, given, heard)
    return {
        name: round(after - before, 3)
        for name, (before, after) in zip(_PARTS, pairwise(times), strict=True)
    }


class Cost:
    """Memory and processor time of a process and its children, sampled while it runs."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._began = time.monotonic()
        self._ticks = self._all_ticks()
        self.memory_mb = 0.0

    def family(self) -> list[int]:
        """The process and the children of its threads."""
        children = []
        for path in Path(f'/proc/{self._pid}/task').glob('*/children'):
            children += [int(pid) for pid in path.read_text().split()]
        return [self._pid, *children]

    def sample(self) -> None:
        """Notes the memory now; the largest counts."""
        kilobytes = 0
        for pid in self.family():
            try:
                text = Path(f'/proc/{pid}/smaps_rollup').read_text()
            except OSError:
                continue
            found = re.search(r'^Pss:\s+(\d+)', text, re.MULTILINE)
            kilobytes += int(found.group(1)) if found else 0
        self.memory_mb = max(self.memory_mb, kilobytes / 1024)

    def restart(self) -> None:
        """Counts processor time from now on."""
        self._began, self._ticks = time.monotonic(), self._all_ticks()

    def cpu_percent(self) -> float:
        """The share of one core since the start, in percent."""
        spent = (self._all_ticks() - self._ticks) / _TICKS
        return 100 * spent / (time.monotonic() - self._began)

    def _all_ticks(self) -> int:
        ticks = 0
        for pid in self.family():
            try:
                fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
            except OSError:
                continue
            ticks += int(fields[11]) + int(fields[12])
        return ticks


def questions(folder: Path, console: Console) -> list[tuple[str, str, Path]]:
    """Voice, words and file of each question."""
    found = []
    if not shutil.which('flite'):
        console.print('no flite: apt-get install flite')
    else:
        for number, text in enumerate(_QUESTIONS):
            voice = _VOICES[number % len(_VOICES)]
            path = folder / f'q{number}.wav'
            subprocess.run(['flite', '-voice', voice, '-t', text, '-o', path], check=True)
            found.append((f'flite {voice}', text, path))
    if not _HUMAN.is_dir():
        console.print('no human recordings: apt-get install pocketsphinx-testdata')
        return found
    for line in (_HUMAN / 'transcription').read_text().splitlines():
        match = re.match(r'(?:<s>)?\s*(.*?)\s*(?:</s>)?\s*\((.*)\)', line)
        if match and (_HUMAN / f'{match.group(2)}.wav').exists():
            found.append(('human', match.group(1), _HUMAN / f'{match.group(2)}.wav'))
    return found


def wer(said: str, heard: str) -> float:
    """Word error rate after normalisation, as `kame eval` has it."""
    return pooled([(said, heard)])


def pooled(pairs: Sequence[tuple[str, str]]) -> float:
    """Errors of all sentences by the words of all sentences."""
    found = [errors(said, heard) for said, heard in pairs]
    return sum(wrong for wrong, _ in found) / max(1, sum(count for _, count in found))


def ask(voice: str, text: str, path: Path, folder: Path, config: str) -> tuple[Asked, Path]:
    """Runs `kame ask` and samples what it costs."""
    asked = Asked(voice, text)
    answer, record = folder / f'{path.stem}-answer.wav', folder / f'{path.stem}.json'
    command = [sys.executable, '-m', 'kame_ros.cli', 'ask', str(path), '-o', str(answer)]
    process = subprocess.Popen(
        [*command, '--json', str(record), '--config', config],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    cost = Cost(process.pid)
    while process.poll() is None:
        cost.sample()
        asked.memory_mb = cost.memory_mb
        asked.cpu_percent = max(asked.cpu_percent, cost.cpu_percent())
        time.sleep(0.5)
    if process.returncode:
        asked.failed = (process.stderr.read() if process.stderr else '').strip().splitlines()[-1]
        return asked, answer
    session = json.loads(record.read_text())
    turns = session['turns']
    asked.heard = ' '.join(turn['user_text'] for turn in turns)
    asked.answer = ' '.join(turn['robot_text'] for turn in turns)
    asked.heard_wer = wer(text, asked.heard)
    asked.latency_s = turns[-1]['latency_s'] if turns else None
    asked.spent = spent(turns[-1]) if turns else {}
    asked.corrections = int(session['diagnostics'].get('s2s', {}).get('corrections', 0))
    asked.counters = session['counters']
    return asked, answer


class Judge:
    """A recogniser outside the graph."""

    def __init__(self) -> None:
        from faster_whisper import WhisperModel

        from kame_ros.runtime import weights

        path = str(weights.find('whisper-base'))
        self._model = WhisperModel(path, compute_type='int8', cpu_threads=1)

    def hear(self, path: Path) -> str:
        """What is said in a file."""
        sound, rate = soundfile.read(path, dtype='float32')
        sound = soxr.resample(sound, rate, 16_000).astype(np.float32)
        segments, _ = self._model.transcribe(sound, language='en', beam_size=5)
        return ' '.join(segment.text for segment in segments)


def idle(seconds: float, config: str, folder: Path) -> dict[str, Any]:
    """A graph that hears `seconds` of silence: what it costs, and whether a frame is lost."""
    quiet = folder / 'quiet.wav'
    soundfile.write(quiet, np.zeros(int(seconds * _RATE), np.int16), _RATE)
    record = folder / 'quiet.json'
    process = subprocess.Popen(
        [
            *(sys.executable, '-m', 'kame_ros.cli', 'ask', str(quiet)),
            *('--json', str(record), '--config', config),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    cost = Cost(process.pid)
    time.sleep(12)  # until the models are loaded
    cost.restart()
    end = time.monotonic() + seconds - 5
    percent = 0.0
    while process.poll() is None and time.monotonic() < end:
        cost.sample()
        percent = cost.cpu_percent()
        time.sleep(0.5)
    process.wait(60)
    return {
        'seconds': seconds,
        'memory_mb': round(cost.memory_mb, 1),
        'cpu_percent': round(percent, 1),
        'counters': json.loads(record.read_text())['counters'],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument(
        '--config',
        type=configuration,
        default='tandem',
        help='which configuration (default: tandem)',
    )
    parser.add_argument(
        '--idle',
        type=seconds_or_none,
        default=60.0,
        help='seconds of silence; 0: none (default: 60)',
    )
    writer = Results(parser, 'conversation')
    args = parser.parse_args()
    try:
        errors('', '')
    except NotInstalled as error:
        parser.exit(1, f'{error}\n')
    console = Console(stderr=True)
    results = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        judge = Judge()
        for voice, text, path in track(questions(folder, console), 'asking', console=console):
            asked, answer = ask(voice, text, path, folder, args.config)
            if asked.answer and answer.exists():
                asked.answer_heard = judge.hear(answer)
                asked.answer_wer = wer(asked.answer, asked.answer_heard)
            results.append(asked)
        quiet = idle(args.idle, args.config, folder) if args.idle else {}
    report(results, quiet, console)
    everything = {'asked': [asdict(asked) for asked in results], 'idle': quiet}
    writer.write(args, told(results, quiet), everything)


def told(results: list[Asked], quiet: dict[str, Any]) -> dict[str, Any]:
    """The figures of a result file."""
    answered = [asked for asked in results if not asked.failed]
    latencies = [a.latency_s for a in answered if a.latency_s is not None]
    figures: dict[str, Any] = {
        'questions': len(results),
        'failed': len(results) - len(answered),
        'corrected': sum(a.corrections > 0 for a in answered),
        'latency_median_s': round(statistics.median(latencies), 3) if latencies else None,
        'memory_gb': round(max((a.memory_mb for a in answered), default=0.0) / 1024, 3),
    }
    figures |= shares([a for a in answered if a.spent])
    for kind in ('human', 'flite'):
        heard = [(a.said, a.heard) for a in answered if a.voice.startswith(kind)]
        figures[f'wer_heard_{kind}'] = round(pooled(heard), 4) if heard else None
    said = [(a.answer, a.answer_heard) for a in answered if a.answer_wer is not None]
    figures['wer_said'] = round(pooled(said), 4) if said else None
    if quiet:
        counters = quiet['counters']
        figures |= {
            'idle_s': quiet['seconds'],
            'idle_cpu_percent': quiet['cpu_percent'],
            'idle_frames': counters['frames_in'],
            'idle_frames_lost': counters['frames_dropped'],
        }
    return figures


def shares(answered: list[Asked]) -> dict[str, Any]:
    """The medians of what the latency was spent on, and the share of all of it that was waiting
    for a part that was late.
    """
    if not answered:
        return {}
    medians = {
        f'{name}_median_s': round(statistics.median(a.spent[name] for a in answered), 3)
        for name in ('decision', 'playback')
    }
    late = [sum(a.spent[name] for name in _LATE) for a in answered]
    total = sum(sum(a.spent.values()) for a in answered)
    return {
        **medians,
        'late_median_s': round(statistics.median(late), 3),
        'late_share': round(sum(late) / total, 3) if total > 0 else None,
        'late_by_part_s': {
            name: round(statistics.mean(a.spent[name] for a in answered), 3) for name in _LATE
        },
    }


def report(results: list[Asked], quiet: dict[str, Any], console: Console) -> None:
    table = Table()
    for column in ('voice', 'said', 'heard', 'WER', 'answer', 'WER', 'latency'):
        table.add_column(column)
    for asked in results:
        table.add_row(
            asked.voice,
            asked.said,
            asked.failed or asked.heard,
            f'{asked.heard_wer:.2f}',
            asked.answer,
            '-' if asked.answer_wer is None else f'{asked.answer_wer:.2f}',
            '-' if asked.latency_s is None else f'{asked.latency_s:+.2f} s',
        )
    console.print(table)
    latencies = [a.latency_s for a in results if a.latency_s is not None]
    if latencies:
        console.print(f'median latency {statistics.median(latencies):.2f} s')
    console.print(f'{sum(a.corrections > 0 for a in results)} answers were begun and corrected')
    for name, value in shares([a for a in results if a.spent]).items():
        console.print(f'of it: {name} {value}')
    for name in sorted({a.voice for a in results}):
        mine = [a for a in results if a.voice == name]
        heard = pooled([(a.said, a.heard) for a in mine])
        console.print(f'{name}: {len(mine)} questions, WER of what was heard {heard:.3f}')
    said = [(a.answer, a.answer_heard) for a in results if a.answer_wer is not None]
    if said:
        console.print(f'WER of what is heard in the answers {pooled(said):.3f}')
    if results:
        console.print(
            f'talking: {max(a.memory_mb for a in results):.0f} MB, '
            f'{max(a.cpu_percent for a in results):.0f} % of a core (loading included)'
        )
    console.print(f'idle: {quiet}')


if __name__ == '__main__':
    main()
