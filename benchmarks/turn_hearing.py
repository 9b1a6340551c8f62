"""What is heard of a turn, computed once and kept: the words as they come, what a model says."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import numpy as np
from option_types import made_folder, whisper_model
from stt_policies import Policy
from turn_material import Turn, write_whole

from kame_ros.runtime import weights
from kame_ros.stt.engines.whisper import WhisperRecogniser
from kame_ros.stt.recogniser import Hypothesis
from kame_ros.stt.transcriber import TranscriberConfig
from kame_ros.turns.end_listener import EndListener
from kame_ros.turns.smart_turn import EndModel, SmartTurn
from kame_ros.turns.vad import SileroVad
from kame_ros.wire.transcript import Transcript

DECODE_S = 0.3  # what a decode of whisper-base takes of the virtual clock: two quiet cores
MODEL_S = 0.06  # the same, of Smart Turn
Said = list[tuple[float, Transcript]]


class HeardWords:
    """The transcripts of the stt node for a turn, with the times at which they come; kept."""

    def __init__(self, cache: Path, model: str) -> None:
        self._folder = cache / f'heard-{model}-{DECODE_S}'
        self._folder.mkdir(parents=True, exist_ok=True)
        self._name = model
        self._policies: dict[str, Policy] = {}

    def of(self, turn: Turn) -> Said:
        path = self._folder / f'{_digest(turn.sound)}.json'
        if not path.exists():
            run = self._policy(turn.language).run(turn.sound, True)
            write_whole(path, [_row(t, heard) for t, heard in run.transcripts])
        return [_transcript(row) for row in json.loads(path.read_text())]

    def know(self, turn: Turn) -> bool:
        """Whether the turn was heard before."""
        return (self._folder / f'{_digest(turn.sound)}.json').exists()

    def _policy(self, language: str) -> Policy:
        if language not in self._policies:
            recogniser = _Metered(WhisperRecogniser(self._name, language=language))
            self._policies[language] = Policy(recogniser, TranscriberConfig(), recogniser.meter)
        return self._policies[language]


class _Metered:
    """A recogniser whose decodes all take the same time of a virtual clock."""

    def __init__(self, recogniser: WhisperRecogniser) -> None:
        self._recogniser = recogniser
        self.max_sound_s = recogniser.max_sound_s
        self._spent = 0.0

    def meter(self) -> float:
        return self._spent

    def warm_up(self) -> None:
        self._recogniser.warm_up()

    def recognise(self, sound: np.ndarray, final: bool) -> Hypothesis:
        self._spent += DECODE_S
        return self._recogniser.recognise(sound, final)


class KnownModel:
    """Smart Turn, whose answers are kept by the sound they were given for."""

    def __init__(self, cache: Path) -> None:
        self.cache, self._path = cache, cache / 'smart-turn.json'
        self._known = json.loads(self._path.read_text()) if self._path.exists() else {}
        self._model: EndModel | None = None
        self._new = 0
        self.judged: dict[str, tuple[float, float]] = {}  # see KnownListener

    def probability(self, sound: np.ndarray) -> float:
        """See EndModel."""
        key = _digest(sound)
        if key not in self._known:
            self._model = self._model or SmartTurn()
            self._known[key] = round(self._model.probability(sound), 5)
            self._new += 1
        return float(self._known[key])

    def keep(self) -> None:
        """Writes the answers."""
        if self._new:
            write_whole(self._path, self._known)
            self._new = 0


class KnownListener(EndListener):
    """An `EndListener` that takes the noise out of a sound once for all strategies."""

    def __init__(self, model: KnownModel, executor: Executor) -> None:
        super().__init__(model, executor)
        self._judged = model.judged

    def _judge(self, sound: np.ndarray, around: np.ndarray) -> tuple[float, float]:
        key = _digest(sound) + _digest(around)
        if key not in self._judged:
            self._judged[key] = super()._judge(sound, around)
        return self._judged[key]


class KnownVad:
    """Silero, whose probabilities for a turn are computed once and kept."""

    def __init__(self, turn: Turn, cache: Path) -> None:
        folder = cache / 'voiced'
        folder.mkdir(exist_ok=True)
        self._path = folder / f'{_digest(turn.sound)}.json'
        self._known: list[float] = []
        if self._path.exists():
            self._known = json.loads(self._path.read_text())
        self._vad = None if self._known else SileroVad()
        self.reset()

    @property
    def is_known(self) -> bool:
        """Whether all of the turn was heard before."""
        return self._vad is None

    def reset(self) -> None:
        self._at = self._rest = 0
        if self._vad is not None:
            self._vad.reset()
            self._known = []

    def push(self, sound: np.ndarray) -> list[float]:
        """See Vad."""
        if self._vad is not None:
            new = self._vad.push(sound)
            self._known += [round(float(probability), 3) for probability in new]
            return new
        count, self._rest = divmod(self._rest + len(sound), 512)
        begin, self._at = self._at, self._at + count
        return self._known[begin : self._at]

    def keep(self) -> None:
        """All of the turn was heard."""
        if self._vad is not None:
            write_whole(self._path, self._known)


class VirtualExecutor(Executor):
    """Does its work at once; it is done so many seconds later, on a clock that is given."""

    def __init__(self, clock: Callable[[], float], seconds: float = MODEL_S) -> None:
        self._clock, self._seconds = clock, seconds

    def submit(self, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return _Later(work(*args, **kwargs), self._clock, self._clock() + self._seconds)


class _Later(Future):  # type: ignore[type-arg]
    def __init__(self, result: Any, clock: Callable[[], float], at: float) -> None:
        super().__init__()
        self._clock, self._at = clock, at
        self.set_result(result)

    def done(self) -> bool:
        return self._clock() >= self._at - 1e-9


def _digest(sound: np.ndarray) -> str:
    return hashlib.sha1(np.ascontiguousarray(sound, np.float32).tobytes()).hexdigest()[:20]


def _row(t: float, heard: Transcript) -> list[Any]:
    return [
        round(t, 3),
        heard.utterance,
        heard.revision,
        heard.text,
        heard.final,
        round(heard.start, 3),
        round(heard.end, 3),
    ]


def _transcript(row: list[Any]) -> tuple[float, Transcript]:
    t, utterance, revision, text, final, start, end = row
    return t, Transcript(utterance, revision, text, len(text) if final else 0, final, start, end)


def add_hearing_options(parser: argparse.ArgumentParser) -> None:
    """Who hears the recordings, and where that is kept."""
    parser.add_argument(
        '--model', type=whisper_model, default='whisper-base', help='the recogniser'
    )
    parser.add_argument(
        '--cache',
        type=made_folder,
        default=str(weights.cache_folder() / 'benchmark-turns'),
        help='where recordings and what was heard of them are kept',
    )
