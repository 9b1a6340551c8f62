"""An example of training as a picture: what is heard, fed, written and spoken, on one time axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kame_ros.training.data.layout import FRAME_HZ, Example, Marks
from kame_ros.training.pictures.curve import pyplot

ROWS = ('user', 'oracle', 'monologue', 'robot')


def draw(
    example: Example,
    user: np.ndarray,
    robot: np.ndarray,
    name: Callable[[int], str],
    marks: Marks,
    picture: Path,
    title: str = '',
    heard: Sequence[tuple[float, str]] = (),
) -> None:
    """Draws the streams. `user` and `robot` are sound at 24 kHz; `name` gives a token's text.

    `heard` are words of the user, with the time in s at which each begins.
    """
    plt = pyplot()
    seconds = len(example.text) / FRAME_HZ
    size = (max(8.0, 1.4 * seconds), 5.0)
    figure, axes = plt.subplots(4, 1, sharex=True, figsize=size, constrained_layout=True)
    for axis, row in zip(axes, ROWS, strict=True):
        axis.set_ylabel(row)
        axis.set_yticks([])
        axis.spines[['top', 'right', 'left']].set_visible(False)
    for axis, sound in ((axes[0], user), (axes[3], robot)):
        axis.plot(np.arange(len(sound)) / 24000, sound, linewidth=0.4)
    _tokens(axes[1], example.oracle, name, marks)
    _tokens(axes[2], example.text, name, marks)
    for at, word in heard:
        axes[0].annotate(
            word, (at, 1.0), xycoords=('data', 'axes fraction'), rotation=90, fontsize=7, va='top'
        )
    axes[3].set_xlabel('s')
    axes[0].set_xlim(0, seconds)
    figure.suptitle(title)
    figure.savefig(picture, dpi=110)
    plt.close(figure)


def _tokens(axis: Any, tokens: np.ndarray, name: Callable[[int], str], marks: Marks) -> None:
    """Each word upright at its frame; a red line where an oracle begins, grey before a word."""
    axis.set_ylim(0, 1)
    for frame, token in enumerate(tokens.tolist()):
        at = frame / FRAME_HZ
        if token == marks.start:
            axis.axvline(at, color='tab:red')
        elif token == marks.end_of_padding:
            axis.axvline(at, color='0.9')
        elif token != marks.padding:
            axis.text(at, 0.05, name(token), rotation=90, fontsize=7, va='bottom')
