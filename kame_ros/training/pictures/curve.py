"""The course of a training run as a picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

NAMES = ('text', 'audio', 'words_right', 'codes_right')
MISSING = 'pictures need matplotlib: run "pip install matplotlib"'


def pyplot() -> Any:
    """The pyplot of matplotlib, drawing to files. Raises RuntimeError without matplotlib."""
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise RuntimeError(MISSING) from error
    mpl.use('Agg')
    import matplotlib.pyplot as plt

    return plt


def rows(log: Path) -> list[dict[str, float]]:
    """The lines of a log by their steps; what was cut off as the run was killed is left out."""
    found: dict[float, dict[str, float]] = {}
    for line in log.read_text(errors='replace').splitlines():
        try:
            row = json.loads(line)
            known = isinstance(row, dict) and {'step', *NAMES} <= row.keys()
        except (ValueError, RecursionError):
            continue
        if known:
            found[row['step']] = row  # a run that was resumed wrote steps twice: the last counts
    return [found[step] for step in sorted(found)]


def draw(log: Path, picture: Path) -> None:
    """Draws losses and shares of right tokens over the steps, from the run's log.jsonl."""
    plt = pyplot()
    ordered = rows(log)
    held = [row for row in ordered if 'held_text' in row]
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), constrained_layout=True)
    for axis, names in ((left, NAMES[:2]), (right, NAMES[2:])):
        for colour, name in zip(('tab:blue', 'tab:orange'), names, strict=True):
            label = name.replace('_', ' ')
            steps = [row['step'] for row in ordered]
            axis.plot(steps, [r[name] for r in ordered], color=colour, alpha=0.35, label=label)
            if held:
                axis.plot(
                    [row['step'] for row in held],
                    [row[f'held_{name}'] for row in held],
                    color=colour,
                    label=f'{label}, held out',
                )
        axis.set_xlabel('step')
        axis.legend(frameon=False)
        axis.spines[['top', 'right']].set_visible(False)
    left.set_title('loss')
    left.set_yscale('log')
    right.set_title('share of tokens that are the most likely ones')
    figure.savefig(picture, dpi=110)
    plt.close(figure)
