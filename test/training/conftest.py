"""One thread for the models of the tests; dialogues of hummed words."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

os.environ.setdefault('OMP_NUM_THREADS', '1')


WORD_S, PAUSE_S = 0.3, 0.4
TEXT = ('the', 'capital', 'of', 'france', 'is', 'paris', 'and', 'the', 'red', 'cup')


@dataclass
class Talks:
    """Folders of recordings and transcripts."""

    audio: Path
    text: Path

    def add(
        self,
        name: str,
        turns: int = 4,
        words: int = 5,
        rate: int = 16_000,
        change: Callable[[np.ndarray], np.ndarray] | None = None,
        suffix: str = 'flac',
        **options: Any,
    ) -> list[dict[str, Any]]:
        """Writes a dialogue of B and A by turns, and gives its words. `change` is done to sound."""
        import soundfile

        rows: list[dict[str, Any]] = []
        seconds = 1.0 + turns * (words * WORD_S + PAUSE_S)
        sound = np.zeros((int(seconds * rate), 2), np.float32)
        now = 0.5
        for turn in range(turns):
            for number in range(words):
                begin, length = int(now * rate), int(0.9 * WORD_S * rate)
                pitch = turn + number + sum(map(ord, name))
                sound[begin : begin + length, (turn + 1) % 2] = hum(pitch, length, rate)
                word = TEXT[(7 * turn + number) % len(TEXT)]
                times = {'start': round(now, 3), 'end': round(now + 0.9 * WORD_S, 3)}
                rows.append({'speaker': 'BA'[turn % 2], 'word': word, **times})
                now += WORD_S
            now += PAUSE_S
        if change is not None:
            sound = change(sound)
        for folder in (self.audio, self.text):
            folder.mkdir(exist_ok=True)
        soundfile.write(self.audio / f'{name}.{suffix}', sound, rate, **options)
        self.write(name, rows)
        return rows

    def make_oracles(self) -> None:
        """Writes random oracles beside the transcripts, which `prepare` then takes."""
        from kame_ros.cli import main

        folder = str(self.text.with_name('oracles'))
        assert main(['train', 'oracles', str(self.text), '-o', folder, '--random']) == 0

    def write(self, name: str, rows: object) -> None:
        """Writes a transcript."""
        (self.text / f'{name}.json').write_text(json.dumps(rows))


def hum(pitch: int, length: int, rate: int) -> np.ndarray:
    """A vowel, more or less."""
    time = np.arange(length) / rate
    base = 100.0 + 15 * (pitch % 9)
    tones = [np.sin(2 * np.pi * base * k * time) / k for k in (1, 2, 3, 5, 8)]
    fade = np.minimum(1.0, np.minimum(np.arange(length), np.arange(length)[::-1]) / (0.02 * rate))
    return np.asarray(0.2 * np.sum(tones, axis=0) * fade, np.float32)


@pytest.fixture
def talks(tmp_path: Path) -> Talks:
    """No dialogue yet."""
    return Talks(tmp_path / 'audio', tmp_path / 'text')


@pytest.fixture(scope='session')
def kame(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small random KAME, with Mimi and tokeniser."""
    pytest.importorskip('torch')  # test/s2s/moshi hides that moshi is missing
    pytest.importorskip('moshi')
    from kame_ros.s2s.moshi.weights import random_checkpoint

    return random_checkpoint.write(tmp_path_factory.mktemp('kame'))


@pytest.fixture
def prepare(kame: Path, talks: Talks, tmp_path: Path) -> Callable[..., int]:
    """Runs `kame train prepare` on the dialogues, into `data` unless told otherwise."""
    from kame_ros.cli import main

    def run(*more: str, out: str = 'data', checkpoint: str = str(kame)) -> int:
        given = ['train', 'prepare', str(talks.audio), str(talks.text), '-o', str(tmp_path / out)]
        if (tmp_path / 'oracles').exists() and '--oracles' not in more:
            given += ['--oracles', str(tmp_path / 'oracles')]
        return main([*given, '--checkpoint', checkpoint, '--workers', '1', *more])

    return run


@pytest.fixture
def encodings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows with each recording that is encoded."""
    from kame_ros.training.data import encode

    done: list[int] = []
    whole = encode.whole

    def counted(*args: Any, **more: Any) -> Any:
        done.append(1)
        return whole(*args, **more)

    monkeypatch.setattr(encode, 'whole', counted)
    return done


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """What was printed since the last time, in one line."""
    return lambda: ' '.join(capsys.readouterr().err.split())
