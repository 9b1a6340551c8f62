"""How well kame-tiny does what it is for, on sentences and voices it was not trained on."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

import numpy as np

from kame_ros.audio.frame import FRAME_S, SAMPLE_RATE
from kame_ros.s2s.front_end import FrontEnd
from kame_ros.training.tiny import lexicon
from kame_ros.training.tiny.recogniser import Recogniser, decode
from kame_ros.training.tiny.robot_voice import RobotVoice
from kame_ros.training.tiny.stranger import Stranger, plain
from kame_ros.training.tiny.trial import Arrival, Outcome, run
from kame_ros.training.tiny.user_voices import HELD_OUT, utter

LEAD_S = 0.4  # s of silence before the user speaks
LATENCY_S = (0.2, 1.5)


@dataclass
class Report:
    """Numbers by name, and some of what was said."""

    numbers: dict[str, float] = field(default_factory=dict)
    said: list[dict[str, str]] = field(default_factory=list)  # oracle, monologue, recognised


KINDS = ('answer', 'jumble', 'open', 'blank', 'replaced')
Split = Callable[[str], list[str]]


def measure(
    front_end: FrontEnd,
    voice: RobotVoice,
    split: Split,
    trials: int,
    seed: int = 1,
    stranger: Stranger | None = None,
    progress: Callable[[], None] = lambda: None,
) -> Report:
    """Runs `trials` of each kind, and calls `progress` after each trial.

    An answer of a template; words of the vocabulary in any order; sentences of any words, which are
    partly spelled; no oracle; one that is replaced. `split` gives the units of a text. A `stranger`
    listens to the first and the third, and to the same in the voice itself, without the model.
    """
    rng = random.Random(f'measure/{seed}')
    report, began, heard_s = Report(), time.process_time(), 0.0
    recogniser = Recogniser(voice)
    for kind in KINDS:
        outcomes = []
        for _ in range(trials):
            case = _case(rng, kind)
            outcome = run(front_end, case.user, case.arrivals)
            heard_s += len(outcome.sound) / SAMPLE_RATE
            outcomes.append((case, outcome))
            progress()
        if kind == 'blank':
            _blank(report, outcomes)
        elif kind == 'replaced':
            _replaced(report, outcomes)
        else:
            _followed(report, kind, outcomes, recogniser, split)
            if stranger is not None and kind != 'jumble':
                _listen(report, kind, outcomes, stranger, voice, split)
    report.numbers['cpu_s_per_s'] = (time.process_time() - began) / heard_s
    return report


@dataclass(frozen=True)
class _Case:
    user: np.ndarray
    ends: float  # s, of the user's speech
    answer: str
    arrivals: list[Arrival]


_TEXTS: dict[str, Callable[[random.Random], str]] = {
    'jumble': lambda rng: lexicon.jumble(rng, 4, 10),
    'open': lambda rng: rng.choice(lexicon.open_sentences()),
}


def _case(rng: random.Random, kind: str) -> _Case:
    speech = utter(rng, rng.choice(HELD_OUT)) * 0.3
    user = np.concatenate([np.zeros(round(LEAD_S * 24000)), speech])
    ends = len(user) / 24000
    answer = _TEXTS.get(kind, lexicon.answer)(rng)
    late = Arrival(answer, ends + rng.uniform(*LATENCY_S))
    guess = Arrival(lexicon.answer(rng), max(0.5, ends - 0.8))
    arrivals = [guess, late] if rng.random() < 0.5 and ends > 1.6 else [late]
    if kind == 'blank':
        arrivals = []
    if kind == 'replaced':
        arrivals = [late, Arrival(lexicon.answer(rng), after=rng.randint(2, 4))]
    return _Case(user, ends, answer, arrivals)


OPENINGS = tuple(tuple(opening.split()) for opening in lexicon.LEAD_INS)


def without_lead_in(words: list[str], openings: Sequence[tuple[str, ...]] = OPENINGS) -> list[str]:
    """The words after the opening, if there is one."""
    for own in openings:
        if tuple(words[: len(own)]) == own:
            return words[len(own) :]
    return words


def _answer(
    case: _Case, words: list[str], openings: Sequence[tuple[str, ...]] = OPENINGS
) -> list[str]:
    """What was said to answer: not the lead-in, nor what was begun of a guess and taken back."""
    if len(case.arrivals) > 1 and lexicon.CORRECTION in words:
        return words[len(words) - words[::-1].index(lexicon.CORRECTION) :]
    return without_lead_in(words, openings)


def _wer(wanted: list[list[str]], found: list[list[str]]) -> float:
    """Word error rate over all sentences together."""
    errors = sum(distance(a, b) for a, b in zip(wanted, found, strict=True))
    return errors / max(1, sum(len(a) for a in wanted))


def distance(a: list[str], b: list[str]) -> int:
    """The least number of words to put in, leave out or change."""
    row = list(range(len(b) + 1))
    for i, one in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, two in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (one != two))
    return row[-1]


def _followed(
    report: Report,
    kind: str,
    outcomes: list[tuple[_Case, Outcome]],
    recogniser: Recogniser,
    split: Split,
) -> None:
    units = [split(case.answer) for case, _ in outcomes]
    wanted = [lexicon.joined(each) for each in units]
    texts = [_answer(case, outcome.words()) for case, outcome in outcomes]
    spoken = [tuple(recogniser.alike(list(each))) for each in OPENINGS]
    sounds = [_answer(case, recogniser.words(o.sound), spoken) for case, o in outcomes]
    report.numbers[f'{kind}_monologue_wer'] = _wer(wanted, texts)
    report.numbers[f'{kind}_audio_wer'] = _wer([recogniser.alike(each) for each in units], sounds)
    if kind == 'open':
        words = [word for each in wanted for word in each]
        report.numbers['open_words_known'] = sum(w in lexicon.WORDS for w in words) / len(words)
    report.said += [
        {'oracle': ' '.join(a), 'monologue': ' '.join(b), 'recognised': ' '.join(c)}
        for a, b, c in list(zip(wanted, texts, sounds, strict=True))[:6]
    ]
    openings = [outcome.pieces[0][0] - case.ends for case, outcome in outcomes if outcome.pieces]
    report.numbers[f'{kind}_lead_in_s'] = median(openings) if openings else float('nan')
    delays = [_delay(case, outcome) for case, outcome in outcomes]
    known = [delay for delay in delays if delay is not None]
    report.numbers[f'{kind}_oracle_delay_s'] = median(known) if known else float('nan')


def _listen(
    report: Report,
    kind: str,
    outcomes: list[tuple[_Case, Outcome]],
    stranger: Stranger,
    voice: RobotVoice,
    split: Split,
) -> None:
    """What one hears who does not know the voice; of the model, and of the voice alone."""
    wanted = [plain(case.answer) for case, _ in outcomes]
    model = [stranger.words(_sound_of_answer(case, outcome)) for case, outcome in outcomes]
    alone = [stranger.words(decode(voice.say(split(case.answer)))) for case, _ in outcomes]
    report.numbers[f'{kind}_whisper_wer'] = _wer(wanted, model)
    report.numbers[f'{kind}_whisper_wer_of_the_voice'] = _wer(wanted, alone)


def _sound_of_answer(case: _Case, outcome: Outcome) -> np.ndarray:
    """The sound from the first word of the answer on, by the times of the monologue."""
    words = outcome.words()
    skipped = len(words) - len(_answer(case, words))
    begun = 0
    for now, piece in outcome.pieces:
        begun += piece.text.startswith(' ') or not begun
        if begun > skipped:
            return outcome.sound[round(now * SAMPLE_RATE) :]
    return outcome.sound[:0]


def _delay(case: _Case, outcome: Outcome) -> float | None:
    """From the first word of the last oracle to the first word spoken of it."""
    first = case.answer.lower().split()[0].strip(',')
    for now, piece in outcome.pieces:
        if piece.generation == len(outcome.fed) and piece.text.strip() == first:
            return now - outcome.fed[-1] + FRAME_S
    return None


def _blank(report: Report, outcomes: list[tuple[_Case, Outcome]]) -> None:
    """Without an oracle: how many words of the answer are said, and how many words at all."""
    told = [without_lead_in(outcome.words()) for _, outcome in outcomes]
    hits = [
        len(set(case.answer.split()) & set(words))
        for (case, _), words in zip(outcomes, told, strict=True)
    ]
    size = sum(len(set(case.answer.split())) for case, _ in outcomes)
    report.numbers['blank_answer_words_said'] = sum(hits) / size
    report.numbers['blank_words_said'] = sum(map(len, told)) / len(told)
    opened = sum(bool(outcome.words()) for _, outcome in outcomes)
    report.numbers['blank_opened'] = opened / len(outcomes)


def _replaced(report: Report, outcomes: list[tuple[_Case, Outcome]]) -> None:
    """Another oracle in mid-sentence: does the speech end with the new one, and all of it?"""
    ends = corrected = 0
    wanted, found = [], []
    for case, outcome in outcomes:
        new = case.arrivals[-1].text.split()
        words = outcome.words()
        ends += words[-3:] == new[-3:]
        corrected += lexicon.CORRECTION in words
        after = _answer(case, words) if lexicon.CORRECTION in words else []
        wanted.append(new)
        found.append(after or outcome.words(generation=2))
    report.numbers['replaced_ends_with_new'] = ends / len(outcomes)
    report.numbers['replaced_corrected_aloud'] = corrected / len(outcomes)
    report.numbers['replaced_new_wer'] = _wer(wanted, found)
