"""A conversation as it is scored, wherever it was recorded: two channels, labels, what is known."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from kame_ros.audio.wav import BadAudio, to_int16
from kame_ros.evaluation.run_folder import DONE, BadRun, RunFolder, RunPlace, read_json
from kame_ros.evaluation.suite import ASKING
from kame_ros.record.sound_turns import SoundTurn, respond, user_turns, worded
from kame_ros.record.speech import USER_GAP_S, merged, speech_segments
from kame_ros.record.voiced import Segment
from kame_ros.runtime.weights import file_sha256
from kame_ros.text.json_lines import json_lines
from kame_ros.text.misfit import misfit
from kame_ros.wire.frame import SAMPLE_RATE
from kame_ros.wire.transcript import Word

_MOST_S = 3_600.0
_LONGEST_NAME = 200  # bytes, of 255 that a file's name may have

OnBad = Callable[[str, Exception], None]  # is told of a recording that cannot be scored, and why


@dataclass(frozen=True)
class Label:
    """A cue as it was played, in seconds of the recording; `start` is None if it was left out."""

    role: str
    text: str = ''
    question: str = ''
    accepted: tuple[str, ...] = ()
    start: float | None = None
    speech: tuple[Segment, ...] = ()

    @property
    def asks(self) -> bool:
        """Whether it is a turn that asks for an answer, and was played."""
        return self.role in ASKING and bool(self.speech)

    @property
    def span(self) -> Segment:
        """From its first to its last voice; of a noise, a point."""
        if self.speech:
            return Segment(self.speech[0].start, self.speech[-1].end)
        return Segment(self.start or 0.0, self.start or 0.0)


@dataclass
class Recorded:
    """int16 at 24 kHz of the user and of the robot, on one time axis."""

    item: str
    repetition: int
    kind: str
    user: np.ndarray
    robot: np.ndarray
    labels: tuple[Label, ...] = ()
    category: str = ''
    voice: str = ''
    tags: Mapping[str, Any] = field(default_factory=dict)
    session: Mapping[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)  # of the robot, by the outside recogniser
    heard: bool = False  # the words are known, and none were said where there are none
    folder: Path | None = None

    @property
    def seconds(self) -> float:
        """The length."""
        return max(len(self.user), len(self.robot)) / SAMPLE_RATE

    @cached_property
    def user_speech(self) -> list[Segment]:
        """Where the user's channel has a voice."""
        return speech_segments(self.user)

    @cached_property
    def robot_speech(self) -> list[Segment]:
        """Where the robot's channel has a voice."""
        return speech_segments(self.robot)

    @property
    def asked(self) -> list[Label]:
        """The labels of the turns."""
        return [label for label in self.labels if label.asks]

    @cached_property
    def turns(self) -> list[SoundTurn]:
        """The user's turns, by their labels or else by sound, and the robot's answers."""
        if self.labels:
            spans = [label.span for label in self.asked]
        else:
            spans = user_turns(merged(self.user_speech, USER_GAP_S), self.robot_speech)
        answers = worded(self.robot_speech, list(self._told_words()))
        return respond(spans, answers, self.user_speech, self._count_words)

    def _told_words(self) -> Iterator[float]:
        """When the words began of which the front-end told; a hum is none."""
        for event in self.events:
            at = event.get('played_at') if event.get('topic') == 'monologue' else None
            if isinstance(at, int | float) and str(event.get('text', '')).strip():
                yield at

    def _count_words(self, stretch: Segment) -> int:
        return sum(stretch.start - 0.2 <= word.start < stretch.end for word in self.words)

    def said(self, number: int) -> list[Word]:
        """The robot's words from its answer to turn `number` on, until the user's next turn."""
        turn = self.turns[number]
        if turn.response is None:
            return []
        begin = turn.response.start - 0.3
        return [word for word in self.words if begin <= word.start < turn.until]


def text(words: list[Word]) -> str:
    """Words as a text."""
    return ' '.join(word.text for word in words)


def of_run(folder: RunFolder, on_bad: OnBad | None = None) -> Iterator[Recorded]:
    """The conversations of a run, in order.

    One that is spoiled is told to `on_bad`, with its name, and left out; without it, raises
    BadRun, BadAudio or OSError.
    """
    for place in folder.places():
        try:
            recorded = _of_place(folder.path / place.path, place)
        except (BadRun, BadAudio, OSError) as error:
            if on_bad is None:
                raise
            on_bad(f'{place.item}/{place.repetition}', error)
            continue
        yield recorded


def _of_place(path: Path, place: RunPlace) -> Recorded:
    _check_whole(path)
    labels, session = read_json(path / 'labels.json'), read_json(path / 'session.json')
    user, robot = read_stereo(path / 'audio.wav')
    events = read_events(path / 'events.jsonl')
    try:
        return Recorded(
            item=place.item,
            repetition=place.repetition,
            kind=str(labels.get('kind', 'question')),
            user=user,
            robot=robot,
            labels=tuple(_label(cue) for cue in labels.get('cues', ())),
            category=str(labels.get('category', '')),
            voice=str(labels.get('voice', '')),
            tags=dict(labels.get('tags', {})),
            session=session,
            events=events,
            folder=path,
        )
    except (AttributeError, KeyError, TypeError, ValueError, re.error) as error:
        raise BadRun(f'{path / "labels.json"} is not understood ({misfit(error)})') from error


def _check_whole(path: Path) -> None:
    """Raises BadRun for a conversation of which a file is cut, or is another than it was."""
    for name, digest in read_json(path / DONE).items():
        file = path / name
        if not file.is_file() or file_sha256(file) != digest:
            raise BadRun(
                f'{file} is missing or another file than it was: remove {path}, and let '
                'kame eval run lead it again'
            )


def of_scored_run(path: Path, on_bad: OnBad | None = None) -> Iterator[Recorded]:
    """The conversations of a run with the words that were heard when it was scored; as `of_run`.

    Without them where it is not scored yet.
    """
    for recorded in of_run(RunFolder(path), on_bad):
        words = heard_path(path, recorded)
        if words.is_file():
            try:
                told = json.loads(words.read_text(encoding='utf-8'))
                recorded.words, recorded.heard = words_of(told['words']), True
            except (ValueError, KeyError, TypeError) as error:
                raise BadRun(f'{words} is not understood: score the run again') from error
        yield recorded


def heard_path(folder: Path, recorded: Recorded) -> Path:
    """The file in the folder of the scores with the words that were heard of the robot."""
    name = recorded.item
    if len(name.encode()) > _LONGEST_NAME:  # as that of its sound was, which had no folder in it
        name = f'{name[:40]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}'
    return folder / 'heard' / f'{name}.{recorded.repetition}.json'


def words_of(rows: Any) -> list[Word]:
    """The words as they stand in that file; raises ValueError or TypeError."""
    return [Word(str(text), float(a), float(b), float(p)) for text, a, b, p in rows]


def read_events(path: Path) -> list[dict[str, Any]]:
    """The lines of a journal; none where there is no file."""
    if not path.is_file():
        return []
    try:
        events = [json.loads(x) for x in json_lines(path.read_text(encoding='utf-8')) if x]
    except ValueError as error:
        raise BadRun(f'{path} is not understood ({misfit(error)})') from error
    if not all(isinstance(e, dict) and isinstance(e.get('t'), int | float) for e in events):
        raise BadRun(f'{path} has lines that are no events')
    return events


def _label(told: Mapping[str, Any]) -> Label:
    speech = [(float(a), float(b)) for a, b in told.get('speech', ())]
    start = told.get('start_s')
    times = [t for span in speech for t in span] + ([] if start is None else [float(start)])
    if not all(math.isfinite(t) for t in times):
        raise ValueError(f'no times of a recording: {times}')
    for pattern in told.get('accepted', ()):
        re.compile(pattern)
    return Label(
        role=str(told['role']),
        text=str(told.get('text', '')),
        question=str(told.get('question', '')),
        accepted=tuple(told.get('accepted', ())),
        start=start,
        speech=tuple(Segment(a, b) for a, b in speech),
    )


def read_stereo(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The left and the right channel as int16 at 24 kHz; raises BadAudio."""
    import soundfile
    import soxr

    try:
        with soundfile.SoundFile(os.fsencode(path)) as file:
            if file.channels != 2:
                raise BadAudio(f'{path} has {file.channels} channels, not two')
            if file.frames > _MOST_S * file.samplerate:
                raise BadAudio(f'{path} is longer than {_MOST_S:g} s')
            rate = file.samplerate
            sound = file.read(dtype='float32', always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise BadAudio(f'{path} is not a sound file that can be read ({error})') from error
    sound = np.nan_to_num(sound)
    if rate != SAMPLE_RATE:
        sound = soxr.resample(sound, rate, SAMPLE_RATE)
    return to_int16(sound[:, 0])[0], to_int16(sound[:, 1])[0]
