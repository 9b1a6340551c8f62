"""Draws the curves of `turns.py`: false take-overs against the time to the decision.

python benchmarks/turn_picture.py [RESULTS.json [PICTURE.svg]]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from option_types import readable, writable
from result_file import FOLDER, ROOT

_COLOURS = {
    'silence': '#9a9a9a',
    'words': '#c58b2a',
    'smart turn once': '#a05195',
    'acoustic': '#3f7fbf',
    'combined': '#1b7f3b',
}
_LABELS = {'smart turn once': 'Smart Turn, asked once after 0.2 s'}


def draw(results: Path, picture: Path) -> None:
    """Writes the picture of a result file."""
    import matplotlib

    matplotlib.use('Agg')
    matplotlib.rcParams['svg.hashsalt'] = 'turns'  # the same picture for the same figures
    from matplotlib import pyplot

    figures = json.loads(results.read_text())
    figures = figures.get('figures', figures)
    drawing, axes = pyplot.subplots(figsize=(7.5, 4.5))
    for name, colour in _COLOURS.items():
        points = sorted(
            (point['decision_median_s'], 100 * point['false_takeovers'])
            for point in figures['curve'][name]
        )
        label = _LABELS.get(name, name)
        axes.plot(*zip(*points, strict=True), 'o-', color=colour, markersize=3, label=label)
    told = figures['default']
    axes.plot(
        told['decision_median_s'],
        100 * told['false_takeovers'],
        '*',
        color=_COLOURS['combined'],
        markersize=14,
        label='the default',
    )
    axes.set_xlim(0.1, 2.0)
    axes.set_ylim(0, 100)
    axes.set_xlabel('median from the last sound of the user to the decision, s')
    axes.set_ylabel('pauses taken for an end, %')
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    drawing.tight_layout()
    drawing.savefig(picture, metadata={'Date': None})


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('figures', type=readable, nargs='?', default=FOLDER / 'turns.json')
    picture = ROOT / 'docs' / 'pictures' / 'turns.svg'
    parser.add_argument('picture', type=writable, nargs='?', default=picture)
    options = parser.parse_args()
    draw(options.figures, options.picture)


if __name__ == '__main__':
    main()
