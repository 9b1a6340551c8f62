"""One turn of `kame ask` to look at, on one time axis, and to hear: question and answer together.

    kame ask examples/question.wav --config kame-small -o answer.wav --json session.json
    python benchmarks/ask_picture.py examples/question.wav answer.wav session.json turn.svg t.flac

An answer (oracle) begins where the LLM was asked and is coloured from its first word on, green if
the robot said it. A word of the robot stands where it is heard to begin.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from kame_ros.audio.wav import read_wav
from kame_ros.wire.frame import SAMPLE_RATE

_ROWS = ('the user', 'the oracle', 'the monologue', 'the robot')
_DRAWN_HZ = 100  # of the waves, to keep the picture small
_HEARD_HZ = 16_000
_USED = {'applied': '#bfe3c0'}
_OTHER = '#e6e6e6'


def draw(question: Path, answer: Path, session: Path, picture: Path) -> None:
    """Writes the picture of the first turn of a session."""
    import matplotlib

    matplotlib.use('Agg')
    matplotlib.rcParams['svg.hashsalt'] = 'turn'  # the same picture for the same turn
    matplotlib.rcParams['svg.fonttype'] = 'none'
    from matplotlib import pyplot

    turn = json.loads(session.read_text())['turns'][0]
    sounds = [read_wav(path).samples / 32768 for path in (question, answer)]
    ends = [len(sounds[0]) / SAMPLE_RATE, _end(sounds[1]) + 0.5]
    figure, axes = pyplot.subplots(
        4, 1, sharex=True, figsize=(9, 4.6), height_ratios=(1, 1.4, 1, 1), layout='constrained'
    )
    for axis, name in zip(axes, _ROWS, strict=True):
        axis.set_ylabel(name, rotation=0, ha='right', va='center')
        axis.set_yticks([])
        axis.spines[['top', 'right', 'left']].set_visible(False)
        axis.axvline(turn['user_speech_end_s'], color='0.6', linewidth=0.8, linestyle='--')
    for axis, sound, colour in ((axes[0], sounds[0], '#3f7fbf'), (axes[3], sounds[1], '#c56a1a')):
        _wave(axis, sound, colour)
    axes[0].set_title(turn['user_text'], loc='left', fontsize=9)
    _oracles(axes[1], turn['oracles'], max(ends))
    for row, word in enumerate(turn['robot_words']):
        axes[2].text(word['at_s'], 0.75 - 0.5 * (row % 2), word['text'], fontsize=8, va='center')
    axes[0].set_xlim(0, max(ends))
    axes[3].set_xlabel('s')
    figure.savefig(picture, metadata={'Date': None})


def _end(sound: np.ndarray) -> float:
    loud = np.flatnonzero(np.abs(sound) > 0.01)
    return float(loud[-1]) / SAMPLE_RATE if len(loud) else 0.0


def _wave(axis: Any, sound: np.ndarray, colour: str) -> None:
    """The highest and the lowest sample of each piece."""
    step = SAMPLE_RATE // _DRAWN_HZ
    pieces = sound[: len(sound) // step * step].reshape(-1, step)
    times = np.arange(len(pieces)) * step / SAMPLE_RATE
    axis.fill_between(times, pieces.min(1), pieces.max(1), color=colour, linewidth=0)


def _oracles(axis: Any, oracles: list[dict[str, Any]], end: float) -> None:
    axis.set_ylim(len(oracles), 0)
    for row, oracle in enumerate(oracles):
        asked, first = oracle['started_at_s'], oracle['first_word_at_s']
        # An answer lasts until the next one has its first word.
        news = [each['first_word_at_s'] for each in oracles[row + 1 :]]
        over = max(next((at for at in news if at is not None), end), first or asked)
        axis.barh(row + 0.5, over - asked, 0.8, asked, color=_OTHER)
        if first is not None:
            colour = _USED.get(oracle['state'], '#f2d9c0')
            axis.barh(row + 0.5, over - first, 0.8, first, color=colour)
        text = oracle['text'] or '(no word)'
        axis.text(asked, row + 0.5, f' {text[:70]}', fontsize=8, va='center', clip_on=True)


def mix(question: Path, answer: Path, sound: Path) -> None:
    """Writes both voices at once, as who stands by hears them, at 16 kHz."""
    import soundfile
    import soxr

    one, other = (read_wav(path).samples / 32768 for path in (question, answer))
    length = max(len(one), round((_end(other) + 0.5) * SAMPLE_RATE))
    both = np.zeros(length)
    for voice in (one, other):
        both[: len(voice)] += voice[:length]
    heard = soxr.resample(both, SAMPLE_RATE, _HEARD_HZ)
    soundfile.write(sound, np.clip(heard, -1, 1), _HEARD_HZ)


if __name__ == '__main__':
    if len(sys.argv) != 6:
        raise SystemExit(__doc__)
    asked, answered, told, picture, sound = map(Path, sys.argv[1:])
    draw(asked, answered, told, picture)
    mix(asked, answered, sound)
