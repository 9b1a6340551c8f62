"""How good a streaming transcript is: errors, latencies, changes."""

from __future__ import annotations

import difflib
import re
import statistics
from collections.abc import Callable, Sequence
from typing import Any

import jiwer
import numpy as np
from speech_material import Clip, disturbances
from stt_policies import Run

from kame_ros.wire.transcript import Word

_SPELLINGS = {'mister': 'mr', '60': 'sixty', 'hawai': 'hawaii'}


def normal(text: str) -> list[str]:
    """The words of a text without case, punctuation and differences of spelling."""
    words = re.sub(r"[^\w\s']", ' ', text.casefold()).replace("'", '').split()
    return [_SPELLINGS.get(word, word) for word in words]


def errors(reference: Sequence[str], heard: Sequence[str]) -> int:
    """Insertions, deletions and substitutions."""
    if not reference:
        return len(heard)
    done = jiwer.process_words(' '.join(reference), ' '.join(heard))
    return done.insertions + done.deletions + done.substitutions


def word_error_rate(material: Sequence[Clip], runs: Sequence[Run]) -> float:
    """Errors per word of the references, %."""
    wrong = sum(errors(normal(c.text), normal(r.text)) for c, r in zip(material, runs, strict=True))
    return round(100 * wrong / sum(len(normal(c.text)) for c in material), 2)


def score(
    material: Sequence[Clip], truths: Sequence[tuple[Word, ...]], runs: Sequence[Run]
) -> dict[str, Any]:
    """All measures of one policy. `truths` are the timed words of the offline transcripts."""
    stables: list[float] = []
    firsts, finals, shown, changed, broken, tails = [], [], 0, 0, 0, 0
    for clip, truth, run in zip(material, truths, runs, strict=True):
        if run.transcripts:
            spoken = truth[0].start if truth else 0.0
            firsts.append(run.transcripts[0][0] - spoken)
        if run.finals:
            finals.append(run.finals[-1][0] - clip.speech_end)
        stables += stable_latencies(truth, run)
        all_, wrong, inconsistent = changes(run)
        shown, changed, broken = shown + all_, changed + wrong, broken + inconsistent
        tails += lost_tail(clip, truth, run)
    return {
        'wer': word_error_rate(material, runs),
        'first_partial_s': _median(firsts),
        'stable_median_s': _median(stables),
        'stable_p95_s': round(float(np.percentile(stables, 95)), 3) if stables else None,
        'final_median_s': _median(finals),
        'final_p95_s': round(float(np.percentile(finals, 95)), 3) if finals else None,
        'changed': round(changed / shown, 4) if shown else 0.0,
        'committed_changed': broken,
        'lost_tails': tails,
        'rtf': round(sum(r.decoding for r in runs) / sum(c.speech_s for c in material), 3),
        'rtf_with_silence': round(sum(r.decoding for r in runs) / sum(r.seconds for r in runs), 3),
    }


def stable_latencies(truth: Sequence[Word], run: Run) -> list[float]:
    """For every word of the truth that became stable: that moment minus end of the word, s."""
    stable: list[tuple[str, float]] = []
    done: dict[int, int] = {}
    for t, transcript in run.transcripts:
        words = normal(transcript.stable_text)
        known = done.get(transcript.utterance, 0)
        stable += [(word, t) for word in words[known:]]
        done[transcript.utterance] = max(known, len(words))
    ends = [(word, w.end) for w in truth for word in normal(w.text)]
    matcher = difflib.SequenceMatcher(a=[w for w, _ in ends], b=[w for w, _ in stable])
    return [
        stable[block.b + i][1] - ends[block.a + i][1]
        for block in matcher.get_matching_blocks()
        for i in range(block.size)
    ]


def changes(run: Run) -> tuple[int, int, int]:
    """Words shown in partials, those that the final has otherwise, and broken commitments."""
    finals = {o.utterance: o.text for _, o in run.finals}
    shown = changed = broken = 0
    for _, transcript in run.transcripts:
        final = finals.get(transcript.utterance, '')
        broken += not final.startswith(transcript.committed_text)
        if not transcript.final:
            words, last = normal(transcript.text), normal(final)
            shown += len(words)
            changed += sum(i >= len(last) or w != last[i] for i, w in enumerate(words))
    return shown, changed, broken


def lost_tail(clip: Clip, truth: Sequence[Word], run: Run) -> bool:
    """Whether the last word is absent from the end of the final, where offline hears it."""
    last = normal(clip.text)[-1]
    offline = normal(''.join(w.text for w in truth))[-2:]
    return last in offline and last not in normal(run.text)[-2:]


def false_transcripts(hear: Callable[[np.ndarray], Run], minutes: float) -> dict[str, Any]:
    """Finals with a text for sounds in which nobody speaks, per 10 minutes."""
    kinds = {}
    for kind, sound in disturbances(60 * minutes).items():
        kinds[kind] = [o.text for _, o in hear(sound).finals if o.text]
    count = sum(len(texts) for texts in kinds.values())
    return {
        'false_per_10min': round(count * 10 / minutes, 1),
        'false_texts': {kind: texts for kind, texts in kinds.items() if texts},
    }


def _median(values: Sequence[float]) -> float | None:
    return round(statistics.median(values), 3) if values else None
