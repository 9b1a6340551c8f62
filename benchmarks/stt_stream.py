"""Streaming speech-to-text side by side: ours, offline, and the plain 30 s re-decode.

    python benchmarks/stt_stream.py --results

On the real clock time moves by the measured cost of every decode (one thread); on the virtual
clock decoding costs nothing, which leaves the policy alone. The JSON has `policies` (real clock),
`virtual` (the same keys), `by_voice` (word error rates) and `echo`.
"""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Callable
from functools import partial
from typing import Any

from option_types import decibels, in_minutes, whisper_model

os.environ.setdefault('OMP_NUM_THREADS', '1')

import numpy as np
from result_file import Results
from speech_material import HELD_OUT, SENTENCES, SPEAKERS, Clip, clips, noisy
from stt_echo import echo_scores
from stt_policies import METERS, Offline, Policy, Run, full_redecode, ours
from stt_scores import false_transcripts, score, word_error_rate

from kame_ros.wire.transcript import Word

VOICES = ('human', 'hibari', 'flite-slt', 'flite-rms')
KEYS: tuple[str, ...] = (
    'wer',
    'first_partial_s',
    'stable_median_s',
    'stable_p95_s',
    'final_median_s',
)
KEYS += ('changed', 'lost_tails', 'false_per_10min', 'rtf')
MAKERS: dict[str, Callable[[str, str], Policy]] = {'ours': ours, 'full_redecode': full_redecode}
Tables = dict[str, dict[str, dict[str, Any]]]


def main() -> None:
    """Run what the command line asks for, print a table, write the JSON."""
    from rich.console import Console
    from rich.progress import Progress

    parser = _parser()
    writer = Results(parser, 'stt_stream')
    options = parser.parse_args()
    sentences = HELD_OUT if options.held_out else SENTENCES
    groups = {voice: clips(voice, sentences) for voice in options.voices}
    material = [clip for group in groups.values() for clip in group]
    names = [voice for voice, group in groups.items() for _ in group]
    if options.snr is not None:
        material += [noisy(clip, options.snr, i) for i, clip in enumerate(material)]
        names += [f'{voice}+noise' for voice in names]
    console = Console(stderr=True)
    tables: Tables = {clock: {} for clock in options.clocks}
    voices: dict[str, dict[str, float]] = {}
    with Progress(console=console) as progress:

        def each(label: str, hear: Callable[[np.ndarray], Any]) -> list[Any]:
            task = progress.add_task(label, total=len(material))
            out = []
            for clip in material:
                out.append(hear(clip.sound))
                progress.advance(task)
            return out

        offline = Offline(options.model, options.meter)
        both = each('offline', offline.run)
        truths: list[tuple[Word, ...]] = [words for _, words in both]
        ceiling = score(material, truths, [run for run, _ in both])
        ceiling |= {'stable_median_s': None, 'stable_p95_s': None, 'first_partial_s': None}
        ceiling |= false_transcripts(lambda sound: offline.run(sound)[0], options.noise_minutes)
        voices['offline'] = _by_voice(names, material, [run for run, _ in both])
        for name in options.policies:
            policy = MAKERS[name](options.model, options.meter)
            false = false_transcripts(partial(policy.run, real=False), options.noise_minutes)
            for clock in options.clocks:
                real = clock == 'real'
                runs = each(f'{name}, {clock} clock', partial(policy.run, real=real))
                tables[clock][name] = score(material, truths, runs) | false
                voices[name] = _by_voice(names, material, runs)
        for clock in options.clocks:
            tables[clock]['offline'] = ceiling
    result = {
        'model': options.model,
        'machine': f'{platform.machine()}, {os.cpu_count()} cores, 1 thread, {options.meter} time',
        'material': {
            'voices': list(options.voices),
            'held_out': options.held_out,
            'clips': len(material),
            'seconds': round(sum(clip.seconds for clip in material), 1),
            'snr_db': options.snr,
            'noise_minutes': options.noise_minutes,
        },
        'policies': tables.get('real', {}),
        'virtual': tables.get('virtual', {}),
        'wer_by_voice': voices,
        'echo': echo_scores(options.model, options.meter) if options.echo else {},
    }
    _print(tables, result['echo'])
    told = ('model', 'material', 'policies', 'virtual', 'wer_by_voice', 'echo')
    writer.write(options, {key: result[key] for key in told}, result)


def _by_voice(names: list[str], material: list[Clip], runs: list[Run]) -> dict[str, float]:
    table = {}
    for voice in dict.fromkeys(names):
        chosen = [i for i, name in enumerate(names) if name == voice]
        table[voice] = word_error_rate([material[i] for i in chosen], [runs[i] for i in chosen])
    return table


def _print(tables: Tables, echo: Any) -> None:
    from rich.console import Console
    from rich.table import Table

    for clock, policies in tables.items():
        table = Table('policy', *KEYS, title=f'{clock} clock')
        for name, values in policies.items():
            table.add_row(name, *('' if values[k] is None else str(values[k]) for k in KEYS))
        Console(width=160).print(table)
    for name, values in echo.items():
        Console().print(f'echo, {name}: {values}')


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--model', type=whisper_model, default='whisper-base')
    parser.add_argument('--voices', nargs='+', default=VOICES, choices=SPEAKERS)
    parser.add_argument('--held-out', action='store_true', help='sentences not tuned on')
    parser.add_argument('--policies', nargs='*', default=list(MAKERS), choices=list(MAKERS))
    parser.add_argument(
        '--clocks', nargs='+', default=['virtual', 'real'], choices=['virtual', 'real']
    )
    parser.add_argument('--snr', type=decibels, default=10.0, help='dB, or clean')
    parser.add_argument('--noise-minutes', type=in_minutes, default=10.0)
    parser.add_argument('--meter', choices=list(METERS), default='wall')
    parser.add_argument('--no-echo', dest='echo', action='store_false')
    return parser


if __name__ == '__main__':
    main()
