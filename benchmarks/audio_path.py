"""Ears and mouth, measured: age and loss of frames, echo, barge-in, ends of turns.

    python benchmarks/audio_path.py --results [--minutes 10] [--only echo,turns]

The sound path runs as a graph, once without devices (what the graph itself costs) and, where
PulseAudio and PyAudio are installed, once on the null sink of a PulseAudio of its own. Echo and
turns are simulated with real voices, voice activity and recognition. Needs what `stt_stream.py`
needs: flite, and jiwer.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from option_types import in_minutes, some_of, whisper_model
from result_file import Results
from rich.console import Console

from kame_ros.audio.echo.canceller import METHODS

_PARTS = ('graph', 'devices', 'echo', 'barge_in', 'turns')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--minutes', type=in_minutes, default=10.0, help='of each run of the graph')
    parser.add_argument('--model', type=whisper_model, default='whisper-base')
    parser.add_argument('--meter', choices=('wall', 'cpu'), default='wall')
    parser.add_argument(
        '--only', type=some_of(_PARTS), default=','.join(_PARTS), help='parts, with commas between'
    )
    writer = Results(parser, 'audio_path')
    args = parser.parse_args()
    parts = args.only
    figures: dict[str, Any] = {}
    console = Console(stderr=True)
    for part in parts:
        console.print(f'[dim]{part}[/]')
        figures[part] = _measure(part, args)
        console.print_json(json.dumps(figures[part]))
    headlines = _headlines(figures)
    writer.write(args, headlines, headlines | figures)


def _measure(part: str, args: argparse.Namespace) -> Any:
    if part in ('graph', 'devices'):
        from audio_path_graph import measure, pulse

        if part == 'graph':
            return measure(args.minutes, devices=False)
        with pulse() as up:
            return measure(args.minutes, devices=True) if up else 'PulseAudio is not installed'
    if part == 'echo':
        from audio_path_echo import echo_scores

        return echo_scores(args.model)
    from audio_path_turns import barge_in_scores, turn_end_scores

    return {'barge_in': barge_in_scores, 'turns': turn_end_scores}[part](args.model, args.meter)


def _headlines(figures: dict[str, Any]) -> dict[str, Any]:
    """The keys that a table of results asks for, from the parts that were measured."""
    lines: dict[str, Any] = {}
    for part in ('graph', 'devices'):
        if isinstance(figures.get(part), dict):
            lines.setdefault('frame_age_p99_ms', figures[part]['frame_age_p99_ms'])
            lines['frames_lost'] = lines.get('frames_lost', 0) + figures[part]['frames_lost']
            lines['cpu_percent'] = figures[part]['cpu_percent']
    for method in METHODS:
        rows = [row[method] for row in figures.get('echo', {}).values()
                if isinstance(row, dict) and isinstance(row.get(method), dict)]  # fmt: skip
        suffix = '' if method == METHODS[0] else f'_{method}'  # the first one is the default
        for key in ('erle_db', 'double_talk_wer') if rows else ():
            lines[key + suffix] = round(sum(row[key] for row in rows) / len(rows), 1)
    if 'barge_in' in figures:
        lines['barge_in_stop_ms'] = figures['barge_in']['barge_in_stop_ms']
    if 'turns' in figures:
        words = figures['turns']['silence and words']
        lines['false_takeovers'] = words['false_takeovers']
        lines['turn_end_latency_s'] = words['turn_end_latency_s']
    return lines


if __name__ == '__main__':
    main()
