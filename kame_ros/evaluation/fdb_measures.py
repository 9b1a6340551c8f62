"""What Full-Duplex-Bench measures, of its own recordings and of our scenes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from kame_ros.evaluation import fdb
from kame_ros.evaluation.measures import Score
from kame_ros.evaluation.recorded import Recorded
from kame_ros.evaluation.suite import INTERRUPTION
from kame_ros.record.voiced import Segment
from kame_ros.wire.frame import SAMPLE_RATE

# Our kinds of scenes, and the tasks that are theirs.
TASKS = {
    'pause': 'fdb_pause',
    'smooth': 'fdb_turn_taking',
    INTERRUPTION: 'fdb_interruption',
    'monologue': 'fdb_backchannel',
    'backchannel': 'fdb_overlap',
    'to_other': 'fdb_overlap',
    'background': 'fdb_overlap',
}


def fdb_measure(
    rec: Recorded, compat: bool = False, human: Mapping[str, Sequence[float]] | None = None
) -> list[Score]:
    """The figures of the task that the recording is of; none for other recordings."""
    task = rec.kind if rec.kind.startswith('fdb_') else TASKS.get(rec.kind, '')
    figures = {name: value for name, value in _figures(rec, task, compat, human or {}).items()}
    scorer = 'fdb-compat' if compat else 'fdb'
    return [
        Score(rec.item, rec.repetition, rec.kind, rec.category, 0, name, round(value, 4), scorer)
        for name, value in figures.items()
        if not math.isnan(value)
    ]


def _figures(
    rec: Recorded, task: str, compat: bool, human: Mapping[str, Sequence[float]]
) -> dict[str, float]:
    asked = rec.asked
    if task == 'fdb_pause':
        # Its inputs end with the user's last word, and so does what the system may spoil.
        end = asked[0].span.end if asked else len(rec.user) / SAMPLE_RATE
        return {'fdb_pause_tor': fdb.tor([w for w in rec.words if w.start < end])}
    if task == 'fdb_turn_taking' and asked:
        end = asked[0].span.end
        words = rec.words if compat else [w for w in rec.words if w.start > asked[0].span.start]
        taken = fdb.tor(words)
        figures: dict[str, float] = {'fdb_turn_tor': taken}
        if taken:
            figures['fdb_turn_latency'] = fdb.turn_latency(words, end, compat)
        return figures
    if task == 'fdb_interruption' and len(rec.labels) > 1 and rec.labels[-1].speech:
        span = rec.labels[-1].span
        taken, latency = fdb.interruption(rec.words, span.end, compat, rec.robot_speech)
        return {'fdb_interruption_tor': taken, 'fdb_interruption_latency': latency}
    if task == 'fdb_backchannel':
        end = asked[0].span.end if asked else len(rec.robot) / SAMPLE_RATE
        inside = [Segment(s.start, min(s.end, end)) for s in rec.robot_speech if s.start < end]
        found = fdb.backchannels(
            inside, rec.words, end, human.get(rec.folder.name if rec.folder else ''), compat
        )
        return {
            'fdb_backchannel_tor': found.tor,
            'fdb_backchannel_frequency': found.frequency,
            'fdb_backchannel_jsd': found.distance,
        }
    if task == 'fdb_overlap' and len(rec.labels) > 1 and rec.labels[-1].speech:
        times = fdb.overlap(
            rec.user_speech, rec.robot_speech, rec.labels[-1].span, rec.seconds, compat
        )
        return {
            'fdb_overlap_stop': times.stop,
            'fdb_overlap_response': times.response,
            'fdb_overlap_resumed': float(times.resumed),
        }
    return {}
