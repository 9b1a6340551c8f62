"""Conversations in the folders of Full-Duplex-Bench v1 and v1.5, for whoever scores with its code.

As its data and its scripts have them (DanielLin94144/Full-Duplex-Bench, d7336bd): a folder for each
task, in it a numbered folder for each conversation, with `input.wav`, the `output.wav` that has the
same time axis, and the labels; v1.5 has `clean_input.wav` as well, without what is said over the
robot. 16 kHz, because its scripts read the times of Silero at that rate.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from kame_ros.evaluation.recorded import Label, Recorded
from kame_ros.evaluation.suite import INTERRUPTION, BadSuite
from kame_ros.wire.frame import SAMPLE_RATE
from kame_ros.wire.transcript import Word

RATE = 16_000
LIST = 'conversations.csv'
# Kinds of conversations by the task in which they are, after the version that has it.
TASKS: dict[str, tuple[str, ...]] = {
    'question': ('v1.0/smooth_turn_taking',),
    'smooth': ('v1.0/smooth_turn_taking',),
    'pause': ('v1.0/pause_handling',),
    'monologue': ('v1.0/backchannel',),
    INTERRUPTION: ('v1.0/user_interruption', 'v1.5/user_interruption'),
    'backchannel': ('v1.5/user_backchannel',),
    'to_other': ('v1.5/talking_to_other',),
    'background': ('v1.5/background_speech',),
}


@dataclass
class Exported:
    """How many conversations each task got, how many are of none, and how many have words."""

    tasks: Counter[str] = field(default_factory=Counter)
    left_out: int = 0
    with_words: int = 0


def export(recordings: Iterable[Recorded], folder: Path) -> Exported:
    """Writes them; the words of the robot where somebody heard them. Raises BadSuite or OSError."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadSuite(f'{folder} is not empty: give a new folder with -o')
    done, rows = Exported(), []
    for recorded in recordings:
        tasks = TASKS.get(recorded.kind, ()) if _complete(recorded) else ()
        done.left_out += not tasks
        done.with_words += bool(tasks) and recorded.heard
        for task in tasks:
            done.tasks[task] += 1
            number = done.tasks[task]
            _write(recorded, task, folder / task / str(number))
            rows.append((task, number, recorded.item, recorded.repetition))
    if rows:
        with (folder / LIST).open('w', encoding='utf-8', newline='') as file:
            writer = csv.writer(file)
            writer.writerow(('task', 'folder', 'conversation', 'repetition'))
            writer.writerows(rows)
    return done


def _complete(recorded: Recorded) -> bool:
    """Whether all was played; of several questions in turn there is no task."""
    turns = [label for label in recorded.asked if label.role != INTERRUPTION]
    played = all(label.start is not None and label.speech for label in recorded.labels)
    return played and len(turns) == 1


def _write(recorded: Recorded, task: str, folder: Path) -> None:
    first, *over = recorded.labels
    user, robot, words = recorded.user, recorded.robot, list(recorded.words)
    if task.endswith('pause_handling'):  # ends with the user: nothing is owed within
        end = first.span.end
        count = round(end * SAMPLE_RATE)
        user, robot = user[:count], robot[:count]
        words = [word for word in words if word.start < end]
    folder.mkdir(parents=True)
    _wav(folder / 'input.wav', user)
    _wav(folder / 'output.wav', robot)
    if task.startswith('v1.5'):
        _wav(folder / 'clean_input.wav', _without(user, over))
    for name, told in _labels(task, first, over):
        _json(folder / name, told)
    if recorded.heard:  # also where no word was said: its scripts want the file
        if task == 'v1.0/user_interruption':  # its scripts hear what comes after it, alone
            words = [word for word in words if word.end > over[0].span.end]
        _json(folder / 'output.json', _heard(words))


def _labels(task: str, first: Label, over: Sequence[Label]) -> Iterator[tuple[str, Any]]:
    """The files that the task has beside the sound."""
    if task == 'v1.0/smooth_turn_taking':
        end = first.span.end
        yield 'turn_taking.json', [_item('[TURN-TAKING]', end, end)]
    elif task == 'v1.0/pause_handling':
        edges = zip(first.speech, first.speech[1:], strict=False)
        yield 'pause.json', [_item('[PAUSE]', before.end, after.start) for before, after in edges]
    elif task == 'v1.0/user_interruption':
        said = {'context': first.text, 'interrupt': over[0].text}
        yield 'interrupt.json', [{**said, 'timestamp': _times(over[0].span)}]
    elif task == 'v1.0/backchannel':
        words = [_item(first.text, first.span.start, first.span.end)]
        yield 'transcription.json', [{'speaker': 0, 'item': words}]
    else:
        texts = {'context_text': first.text, 'current_turn_text': over[0].text}
        yield 'metadata.json', {**texts, 'timestamps': _times(over[0].span)}


def _heard(words: Sequence[Word]) -> dict[str, Any]:
    return {
        'text': ' '.join(word.text for word in words),
        'chunks': [_item(word.text, word.start, word.end) for word in words],
    }


def _item(text: str, start: float, end: float) -> dict[str, Any]:
    return {'text': text, 'timestamp': [round(start, 4), round(end, 4)]}


def _times(span: Any) -> list[float]:
    return [round(span.start, 4), round(span.end, 4)]


def _without(user: np.ndarray, over: Sequence[Label]) -> np.ndarray:
    clean = user.copy()
    for label in over:
        clean[round((label.start or 0.0) * SAMPLE_RATE) :] = 0  # nothing is said after it
    return clean


def _wav(path: Path, samples: np.ndarray) -> None:
    import soundfile
    import soxr

    sound = soxr.resample(samples.astype(np.float32) / 32_768, SAMPLE_RATE, RATE)
    soundfile.write(path, np.clip(sound, -1, 1), RATE, subtype='PCM_16')


def _json(path: Path, told: Any) -> None:
    path.write_text(json.dumps(told, ensure_ascii=False, indent=1) + '\n', encoding='utf-8')
