"""How soon an end of turn is known, and how often a pause is taken for one.

    python benchmarks/turns.py --json turns.json

Turns with pauses of 0.3 to 2.0 s inside their sentences are heard by the recogniser and by the
`TurnTracker` of the front-ends, on a virtual clock: a decode takes 0.3 s of it, the model of the
melody 0.06 s. Human recordings, fetched from Debian: a woman who reads English (asterisk-core-
sounds-en-g722), the same in noise, and four other voices in other languages, by their melody alone;
and synthetic voices. What was heard is kept in --cache, as it takes an hour at first; --heard-only
takes what is there. `--fit` fits weights on every third turn; `default`, `groups` and `curve` are
of the others.

`halves` tells apart the recordings by which weights may be chosen (one half of the English and
French ones, told by a hash of the name) and those that are kept apart: the other half, and all
Spanish, Italian and Russian ones. So does `speeches`, of recordings of 8 to 85 s whose speaker
pauses between sentences; `--split` measures no more than these, and the cost. `--choose` searches
for the weights that are best on the first half, and says what they yield on each; it changes
nothing.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from option_types import how_often
from result_file import Results
from speech_material import VoiceMissing, frames
from turn_cases import VOICES, foreign, human, monologue, speeches, synthetic, told
from turn_choice import (
    CHOSEN_IN,
    Asked,
    Watcher,
    choose,
    cost,
    current,
    ends_told,
    is_chosen_on,
    weighing,
)
from turn_cost import cost_of
from turn_hearing import (
    HeardWords,
    KnownListener,
    KnownModel,
    KnownVad,
    Said,
    VirtualExecutor,
    add_hearing_options,
)
from turn_material import Turn, WordTimes, noisy

from kame_ros.turns.end_listener import ASKED_AFTER_S, EndListener, sound_of
from kame_ros.turns.end_of_turn import Decision, EndOfTurn, EndOfTurnSettings, Pause
from kame_ros.turns.end_of_turn import combined as weighed
from kame_ros.turns.end_of_turn.acoustic import Acoustic
from kame_ros.turns.end_of_turn.combined import Combined
from kame_ros.turns.end_of_turn.silence import Silence
from kame_ros.turns.end_of_turn.words import WordsAndSilence
from kame_ros.turns.smart_turn import SEEN_S, EndModel
from kame_ros.turns.turn_tracker import TurnTracker

TAKE_BACK_S = 1.0  # as s2s.tts.take_back_s
_EARLY_S = 0.05  # a decision so shortly before the last sample is one after it
_ONSET_S = 0.3  # of the user's voice, until it is known for one
_FOLDS = 3  # the weights are fitted on one of them
_QUICK = (0.0, 0.25, 0.4, 0.5, 0.6, 0.75, 1.0)
_SILENCES = (0.2, 0.4, 0.6, 0.9, 1.2, 1.6)
# What the figure of the default and the curves are about. The others have figures of their own:
# noise, prompts of several sentences, between which the speaker pauses, and those whose speaker
# waits for more with the melody of an end.
_TOLD = ('human', 'human, short')
_SHORT_NAMES = {'human at 10 dB': 'noise', 'human, short': 'short', 'human, open': 'open'}
_HEARD = 'en'  # by the recogniser; the other languages by their melody alone
HUMAN_LANGUAGES = ('fr', 'es', 'it', 'ru')


class OnceAtStop:
    """Smart Turn as it is used elsewhere: asked once after 0.2 s, and then a silence of 3 s."""

    min_silence_s = 0.2

    def __init__(self, model: EndModel, threshold: float) -> None:
        self._model, self._threshold = model, threshold
        self._asked, self._over = -1.0, 0.0

    def decide(self, pause: Pause) -> Decision:
        """See EndOfTurn."""
        if pause.voice_end_s != self._asked:
            self._asked = pause.voice_end_s
            self._over = self._model.probability(sound_of(pause, SEEN_S, pause.silence_s))
        over = self._over >= self._threshold or pause.silence_s >= 3.0
        return Decision(over, 'melody')

    def reset(self) -> None:
        """A new session."""
        self._asked, self._over = -1.0, 0.0


Make = Callable[[KnownModel, VirtualExecutor], EndOfTurn]


def _silence(s: float, model: KnownModel, executor: VirtualExecutor) -> EndOfTurn:
    return Silence(EndOfTurnSettings(s))


def _words(s: float, model: KnownModel, executor: VirtualExecutor) -> EndOfTurn:
    return WordsAndSilence(EndOfTurnSettings(s, 2 * s, 3 * s))


def _acoustic(q: float, model: KnownModel, executor: VirtualExecutor) -> EndOfTurn:
    return Acoustic(EndOfTurnSettings(quickness=q), KnownListener(model, executor))


def _combined(q: float, model: KnownModel, executor: VirtualExecutor) -> EndOfTurn:
    return Combined(EndOfTurnSettings(quickness=q), KnownListener(model, executor))


def _once(p: float, model: KnownModel, executor: VirtualExecutor) -> EndOfTurn:
    return OnceAtStop(model, p)


STRATEGIES = {  # what is varied, and what makes a strategy of it
    'silence': (_silence, _SILENCES),
    'words': (_words, _SILENCES),
    'acoustic': (_acoustic, _QUICK),
    'combined': (_combined, _QUICK),
    'smart turn once': (_once, (0.3, 0.5, 0.8, 0.95)),
}


def default(model: KnownModel, executor: VirtualExecutor) -> EndOfTurn:
    """The strategy as it is configured by default."""
    return Combined(EndOfTurnSettings(), KnownListener(model, executor))


@dataclass
class Score:
    """What a strategy made of some turns."""

    pauses: int = 0
    taken: int = 0  # pauses that were taken for an end
    elsewhere: int = 0  # ends that were found where no pause was put in
    latencies: list[float] = field(default_factory=list)
    missed: int = 0  # ends that were not found

    def add(self, turn: Turn, ends: Sequence[float]) -> None:
        """The times at which the turn was found to be over."""
        early = [t for t in ends if t < turn.end - _EARLY_S]
        inside = [
            [t for t in early if start - 0.1 <= t <= end + _ONSET_S] for start, end in turn.pauses
        ]
        self.pauses += len(turn.pauses)
        self.taken += sum(bool(times) for times in inside)
        self.elsewhere += len(early) - sum(len(times) for times in inside)
        if turn.whole:
            late = [t - turn.end for t in ends if t >= turn.end - _EARLY_S]
            self.latencies += late[:1]
            self.missed += not late

    def told(self) -> dict[str, Any]:
        """The figures; `taken_elsewhere` are ends found in pauses of the speaker's own."""
        late = self.latencies
        return {
            'false_takeovers': round(self.taken / max(1, self.pauses), 4),
            'pauses': self.pauses,
            'pauses_taken': self.taken,
            'taken_elsewhere': self.elsewhere,
            'decision_median_s': round(float(np.median(late)), 3) if late else None,
            'decision_p90_s': round(float(np.percentile(late, 90)), 3) if late else None,
            'ends': len(self.latencies) + self.missed,
            'ends_missed': self.missed,
        }


def ends_of(turn: Turn, said: Said | None, make: Make, model: KnownModel) -> list[float]:
    """When the turn is found to be over, s of its sound: the end of the frame of the decision.

    `said`: None where nobody transcribes. What comes after its end was found is not heard.
    """
    now, words = [0.0], said is not None
    strategy, vad = make(model, VirtualExecutor(lambda: now[0])), KnownVad(turn, model.cache)
    tracker = TurnTracker(vad, strategy, TAKE_BACK_S)
    tracker.words.expected, tracker.words.language = words, turn.language
    waiting, out = list(said or ()), []
    for frame in frames(turn.sound):
        now[0] = frame.end
        while waiting and waiting[0][0] <= frame.end:
            heard = waiting.pop(0)[1]
            tracker.words.hear(heard.utterance, heard.text, heard.start, heard.end, heard.final)
        if tracker.hear(frame.samples).turn_ended:
            out.append(frame.end)
            if vad.is_known and frame.end >= turn.end:
                break
    vad.keep()
    return out


def is_fitted_on(turn: Turn) -> bool:
    """Whether the weights were fitted on this turn; it is left out of the figures then."""
    return zlib.crc32(turn.name.encode()) % _FOLDS == 0


def halves(turns: Sequence[Turn]) -> dict[str, list[Turn]]:
    """Those by which weights may be chosen, the other half of them, and the other languages."""
    out: dict[str, list[Turn]] = {'chosen_on': [], 'apart': [], 'other_languages': []}
    for turn in turns:
        name = 'apart' if turn.language in CHOSEN_IN else 'other_languages'
        out['chosen_on' if is_chosen_on(turn) else name].append(turn)
    return out


class Bench:
    """The turns, and what was heard of them."""

    def __init__(self, cache: Path, model: str, heard_only: bool = False) -> None:
        self.times = WordTimes(cache, model)
        self.words = HeardWords(cache, model)
        self.melody = KnownModel(cache)
        self._heard_only = heard_only

    def knows(self, turn: Turn) -> bool:
        """Whether the turn is to be listened to."""
        return not self._heard_only or self.words.know(turn)

    def score(self, turns: Sequence[Turn], make: Make, *, heard: bool = True) -> dict[str, Any]:
        """The figures of a strategy; English is `heard` by a recogniser, or by its melody alone."""
        score = Score()
        for turn in turns:
            by_words = heard and turn.language == _HEARD
            if not by_words or self.knows(turn):
                said = self.words.of(turn) if by_words else None
                score.add(turn, ends_of(turn, said, make, self.melody))
        self.melody.keep()
        return score.told()

    def halves(self, turns: Sequence[Turn], *, heard: bool = True) -> dict[str, Any]:
        """The figures of the default, on each half and on the languages that are kept apart."""
        return {
            name: self.score(part, default, heard=heard) for name, part in halves(turns).items()
        }

    def asked(self, turns: Sequence[Turn]) -> list[tuple[Turn, list[Asked]]]:
        """What a strategy is asked in each turn, if none is over before its end."""
        out = []
        for turn in turns:
            by_words = turn.language == _HEARD
            if not by_words or self.knows(turn):
                watcher = Watcher()
                said = self.words.of(turn) if by_words else None
                ends_of(turn, said, watcher.listening, self.melody)
                out.append((turn, watcher.asked))
        self.melody.keep()
        return out

    def breaks(self, turn: Turn) -> int:
        """How often a long turn is broken by the default."""
        ends = ends_of(turn, self.words.of(turn), default, self.melody)
        return sum(t < turn.end - _EARLY_S for t in ends)

    def rows(self, turns: Sequence[Turn]) -> list[tuple[float, str, float, bool]]:
        """For `--fit`: melody, words, silence and whether the user goes on, a row each frame."""
        out: list[tuple[float, str, float, bool]] = []
        for turn in turns:
            watcher = _Watcher()
            ends_of(turn, self.words.of(turn), watcher.listening, self.melody)
            for t, over, words, silence_s in watcher.rows:
                paused = any(start - 0.3 <= t <= end for start, end in turn.pauses)
                if paused or (turn.whole and t >= turn.end - _EARLY_S):
                    out.append((over, words, silence_s, paused))
        self.melody.keep()
        return out


class _Watcher:
    """Never says that a turn is over; keeps what it would be decided by."""

    min_silence_s = ASKED_AFTER_S

    def __init__(self) -> None:
        self.rows: list[tuple[float, float, str, float]] = []
        self._words = WordsAndSilence()

    def listening(self, model: EndModel, executor: VirtualExecutor) -> _Watcher:
        """Itself, with an ear."""
        self._listener = EndListener(model, executor)
        return self

    def decide(self, pause: Pause) -> Decision:
        """See EndOfTurn."""
        over = self._listener.hear(pause)
        if over is not None and pause.silence_s <= 2.0:
            words = self._words.wanted(pause)[1]
            self.rows.append((pause.now_s, over, words, pause.silence_s))
        return Decision(False, '')

    def reset(self) -> None:
        """A new session."""


def fit(rows: Sequence[tuple[float, str, float, bool]]) -> dict[str, float]:
    """The weights of `combined` by logistic regression; ends and pauses count alike."""
    over = np.clip([row[0] for row in rows], 1e-6, 1 - 1e-6)
    melody = np.clip(np.log(over / (1 - over)), -weighed._SURE, weighed._SURE)
    table = np.stack(
        [
            np.ones(len(rows)),
            -melody,
            [row[1] == 'complete' for row in rows],
            [row[1] == 'incomplete' for row in rows],
            [-row[2] for row in rows],
        ],
        axis=1,
    ).astype(float)
    goes_on = np.array([row[3] for row in rows], float)
    weight = np.where(goes_on == 1, 0.5 / goes_on.mean(), 0.5 / (1 - goes_on.mean()))
    found = np.zeros(table.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-table @ found))
        slope = table.T @ (weight * (p - goes_on)) + 1e-3 * found
        bend = (table * (weight * p * (1 - p))[:, None]).T @ table + 1e-3 * np.eye(len(found))
        found -= np.linalg.solve(bend, slope)
    names = ('BEGIN', 'MELODY', 'complete', 'incomplete', '1 / MEAN_PAUSE_S')
    return {name: round(float(value), 3) for name, value in zip(names, found, strict=True)}


def split_figures(bench: Bench, cache: Path, sentences: Sequence[Turn]) -> dict[str, Any]:
    """What weights may be chosen by and what is kept apart; long turns; and the cost."""
    talks = [turn for name in (_HEARD, *HUMAN_LANGUAGES) for turn in speeches(cache, name)]
    figures: dict[str, Any] = {
        'halves': bench.halves(sentences),
        'speeches': bench.halves(talks, heard=False),
    }
    # A long turn ends as soon as a short one, and nothing is learned from wrong ends.
    with weighing({'HOLD_S': 0.0, 'WRONG_S': 0.0}):
        figures['unheld'] = {
            'halves': bench.halves(sentences),
            'speeches': bench.halves(talks, heard=False),
        }
    long = [turn for turn in (told(cache), monologue(cache)) if bench.knows(turn)]
    figures['monologue_breaks'] = {turn.name: bench.breaks(turn) for turn in long}
    figures['cost'] = cost_of([told(cache)], cache)
    for name, value in figures.items():
        print(name, value, flush=True)
    return figures


def best_weights(bench: Bench, turns: Sequence[Turn]) -> None:
    """Chooses weights on one half; prints what they, and those of now, yield on each."""
    asked = {name: bench.asked(part) for name, part in halves(turns).items()}

    def score(part: str) -> Score:
        out = Score()
        for turn, questions in asked[part]:
            out.add(turn, ends_told(questions))
        return out

    def costs() -> float:
        figures = score('chosen_on')
        return cost(figures.taken / max(1, figures.pauses), figures.latencies)

    now = current()
    for chosen in (now, choose(costs)):
        print(chosen)
        with weighing(chosen):
            for part in asked:
                print(part, score(part).told(), flush=True)


def main() -> None:
    """Measures what the options ask for."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    results = Results(parser, 'turns', timed=False)
    add_hearing_options(parser)
    what = parser.add_mutually_exclusive_group()
    what.add_argument('--fit', action='store_true', help='print the weights of combined, no more')
    what.add_argument(
        '--choose',
        action='store_true',
        help='search for the best weights of combined on one half of the recordings, no more',
    )
    what.add_argument(
        '--split',
        action='store_true',
        help='only what weights may be chosen by and what is kept apart, long turns and the cost',
    )
    parser.add_argument(
        '--most',
        type=how_often(0),
        default=40,
        metavar='N',
        help='sentences of each foreign human voice (default: 40)',
    )
    parser.add_argument(
        '--voices',
        nargs='*',
        default=VOICES,
        choices=VOICES,
        help='synthetic voices, English (default: all); none: --voices',
    )
    parser.add_argument(
        '--heard-only',
        action='store_true',
        help='only turns that the recogniser has heard already: a part of all, but in minutes',
    )
    options = parser.parse_args()
    if (options.fit or options.choose) and (options.json or options.results):
        parser.error('--fit and --choose only print: no --json, no --results')
    bench = Bench(options.cache, options.model, options.heard_only)
    every = human(options.cache, bench.times)
    abroad = {
        language: foreign(options.cache, bench.times, language, options.most)
        for language in HUMAN_LANGUAGES
        if options.most
    }
    if options.fit:
        print(fit(bench.rows([turn for turn in every if is_fitted_on(turn)])))
        return
    all_of = [turn for turns in abroad.values() for turn in turns]
    seen = [turn for turn in every if turn.group == 'human']
    if options.choose:
        best_weights(bench, [*seen, *all_of])
        return
    if options.split:
        figures = split_figures(bench, options.cache, [*seen, *all_of])
        results.write(options, figures, figures)
        return
    turns = [turn for turn in every if not is_fitted_on(turn)]
    recorded = [turn for turn in turns if turn.group in _TOLD]
    figures = {'default': bench.score(recorded, default)}
    print('default', figures['default'], flush=True)
    groups = {turn.group: None for turn in turns}
    figures['groups'] = {}
    for group in groups:
        name = _SHORT_NAMES.get(group, group)
        score = bench.score([turn for turn in turns if turn.group == group], default)
        figures['groups'][name] = score
        print(name, score, flush=True)
    figures['with_fitted'] = bench.score(seen, default)
    print('with those that the weights were fitted on', figures['with_fitted'], flush=True)
    if abroad:
        figures['other_voices'] = bench.score(all_of, default, heard=False)
        print('other human voices, by melody alone', figures['other_voices'], flush=True)
        loud = [noisy(turn, 10.0, np.random.default_rng(k)) for k, turn in enumerate(all_of[::2])]
        figures['other_voices_noise'] = bench.score(loud, default, heard=False)
        print('one half of them in noise', figures['other_voices_noise'], flush=True)
        figures['languages'] = {
            language: bench.score(turns, default, heard=False) for language, turns in abroad.items()
        }
        for language, score in figures['languages'].items():
            print(language, score, flush=True)
    figures |= split_figures(bench, options.cache, [*seen, *all_of])
    figures['curve'] = {}
    for name, (make, settings) in STRATEGIES.items():
        figures['curve'][name] = [
            {'setting': setting, **bench.score(recorded, partial(make, setting))}
            for setting in settings
        ]
        for point in figures['curve'][name]:
            print(name, point, flush=True)
    times = WordTimes(options.cache, options.model)
    for voice in options.voices:
        spoken = synthetic(options.cache, times, (voice,))
        figures['groups'][voice] = bench.score(spoken, default)
        print(voice, figures['groups'][voice], flush=True)
    results.write(options, figures, figures)


if __name__ == '__main__':
    try:
        main()
    except VoiceMissing as missing:
        raise SystemExit(str(missing)) from missing
