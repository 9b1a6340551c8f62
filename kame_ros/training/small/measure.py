"""How well kame-small does what it is for, with users and words that it was not trained on.

The command is `kame train measure`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kame_ros.s2s.front_end import FrontEnd
from kame_ros.s2s.small.config import SmallConfig
from kame_ros.text.edits import edits
from kame_ros.training.small.cases import Case, Cases
from kame_ros.training.small.spoken_form import spoken_words
from kame_ros.training.small.stranger import Hearer
from kame_ros.training.small.trial import Trace, run
from kame_ros.wire.turn import TurnKind

KINDS = (
    'sentences', 'open', 'written', 'unknown', 'blank', 'nothing', 'replaced', 'pause', 'barge_in',
    'back_channel',
)  # fmt: skip
HEARD = ('sentences', 'open', 'written', 'unknown')
WORDS_PER_TRIAL = 5  # of `unknown` there are so many times more trials
EARLY_S = 0.05  # a sound so long before the end of a question breaks into it
YIELDS_S = 1.5  # in so long the robot is silent when somebody speaks over it
BEFORE_S = 0.64  # of the words before an answer are heard with it, and do not count
SILENCE_S = 0.5  # such a silence means that it has stopped

Alone = Mapping[str, Callable[[str], np.ndarray]]  # ways to say a text without the model
Outcome = tuple[Case, Trace]


@dataclass
class Findings:
    """Numbers by name, and some of what was said."""

    numbers: dict[str, float] = field(default_factory=dict)
    said: list[dict[str, str]] = field(default_factory=list)


def measure(
    front_end: FrontEnd,
    cases: Cases,
    trials: int,
    hearer: Hearer | None = None,
    alone: Alone | None = None,
    kinds: Sequence[str] = KINDS,
    progress: Callable[[], None] = lambda: None,
) -> Findings:
    """Runs `trials` of each kind, five times as many unknown words; `progress` after each.

    The `hearer` listens to the answers, and to the same texts as each voice of `alone` says them.
    """
    found, spent_s, played_s = Findings(), 0.0, 0.0
    openings: list[Outcome] = []
    for kind in kinds:
        outcomes: list[Outcome] = []
        for number in range(_trials_of(kind, trials)):
            case = cases.case(kind, number)
            began = time.process_time()
            trace = run(front_end, case.turns, case.oracles, case.noise, case.at_least_s)
            spent_s += time.process_time() - began
            played_s += len(trace.sound) / 24_000
            outcomes.append((case, trace))
            progress()
        _SCORES.get(kind, _score_answers)(found, kind, outcomes)
        if kind in HEARD:
            openings += outcomes
            if hearer is not None:
                _score_heard(found, kind, outcomes, hearer, alone or {})
        if kind == 'replaced' and hearer is not None:
            _score_heard(found, kind, outcomes, hearer, {})
    _score_openings(found, openings)
    found.numbers['cpu_s_per_s'] = spent_s / max(played_s, 1e-9)
    return found


def error_rate(
    wanted: Sequence[Sequence[str]], found: Sequence[Sequence[str]], after_others: bool = False
) -> float:
    """Word errors over all sentences together; see `edits`."""
    errors = sum(edits(a, b, after_others) for a, b in zip(wanted, found, strict=True))
    return errors / max(1, sum(map(len, wanted)))


def _newest(trace: Trace) -> int:
    return len(trace.oracles)


def _wanted(case: Case, trace: Trace) -> str:
    """The answer, without what it begins with where that was said of the oracle before it."""
    answer, newest = case.answer.split(), trace.words(_newest(trace))
    before = trace.words(_newest(trace) - 1) if _newest(trace) > 1 else []
    for count in range(min(len(before), len(answer) - 1), 0, -1):
        if before[:count] == answer[:count] and newest[:1] == answer[count : count + 1]:
            return ' '.join(answer[count:])
    return case.answer


def _share(them: Sequence[bool]) -> float:
    return sum(them) / len(them) if them else float('nan')


def _middle(values: Sequence[float], share: float = 0.5) -> float:
    return float(np.quantile(values, share)) if values else float('nan')


def _score_answers(found: Findings, kind: str, outcomes: list[Outcome]) -> None:
    """Whether the monologue is the oracle, and how long after it arrives it is said."""
    wanted = [spoken_words(_wanted(case, trace)) for case, trace in outcomes]
    told = [spoken_words(' '.join(trace.words(_newest(trace)))) for _, trace in outcomes]
    found.numbers[f'{kind}_monologue_error'] = error_rate(wanted, told)
    delays = [
        begins - trace.oracles[-1]
        for _, trace in outcomes
        if trace.oracles
        and trace.oracles[-1] > trace.turns[0][1]
        and (begins := trace.begins(_newest(trace))) is not None
    ]
    found.numbers[f'{kind}_oracle_to_speech_s'] = _middle(delays)
    found.numbers[f'{kind}_oracle_to_speech_p95_s'] = _middle(delays, 0.95)
    found.said += [
        {'kind': kind, 'oracle': case.answer, 'monologue': ' '.join(trace.words())}
        for case, trace in outcomes[:6]
    ]


def _score_heard(
    found: Findings, kind: str, outcomes: list[Outcome], hearer: Hearer, alone: Alone
) -> None:
    """What one hears who does not know the voice: of the model, and of the voice alone."""
    whole = [spoken_words(case.answer) for case, _ in outcomes]
    asked = [spoken_words(_wanted(case, trace)) for case, trace in outcomes]
    ways = {'model': [hearer(_answer_sound(trace)) for _, trace in outcomes]}
    ways |= {
        name: [hearer(say(case.answer)) for case, _ in outcomes] for name, say in alone.items()
    }
    for name, heard in ways.items():
        if kind == 'unknown':
            hits = [
                case.target in ''.join(words)
                for (case, _), words in zip(outcomes, heard, strict=True)
            ]
            found.numbers[f'unknown_understood_{name}'] = _share(hits)
        else:
            wanted = asked if name == 'model' else whole
            found.numbers[f'{kind}_error_{name}'] = error_rate(wanted, heard, name == 'model')
    found.said += [
        {'kind': kind, 'oracle': case.answer, 'heard': ' '.join(words)}
        for (case, _), words in list(zip(outcomes, ways['model'], strict=True))[:40]
    ]


def _answer_sound(trace: Trace) -> np.ndarray:
    """The sound of the newest oracle, and BEFORE_S of what was said before: no word is cut."""
    begins = trace.begins(_newest(trace))
    return trace.sound[:0] if begins is None else trace.heard_from(max(0.0, begins - BEFORE_S))


def _score_openings(found: Findings, outcomes: list[Outcome]) -> None:
    """From the end of the question to the first sound, and whether it is broken into."""
    if not outcomes:
        return
    waits = [
        None if (first := trace.first_sound()) is None else first - trace.turns[0][1]
        for _, trace in outcomes
    ]
    known = [wait for wait in waits if wait is not None]
    in_time = [wait for wait in known if wait > -EARLY_S]
    found.numbers['end_to_first_sound_s'] = _middle(in_time)
    found.numbers['end_to_first_sound_p95_s'] = _middle(in_time, 0.95)
    found.numbers['breaks_into_a_question'] = _share([wait <= -EARLY_S for wait in known])
    found.numbers['never_answers'] = _share([wait is None for wait in waits])


def _score_blank(found: Findings, kind: str, outcomes: list[Outcome]) -> None:
    """Without an oracle: whether it opens, how much it says, whether it owns up to that."""
    words = [trace.words() for _, trace in outcomes]
    found.numbers['blank_words'] = sum(map(len, words)) / max(1, len(words))
    found.numbers['blank_opened'] = _share([bool(each) for each in words])
    found.numbers['blank_owns_up'] = _share(["don't know" in ' '.join(each) for each in words])
    found.said += [{'kind': kind, 'monologue': ' '.join(each)} for each in words[:6]]


def _score_nothing(found: Findings, kind: str, outcomes: list[Outcome]) -> None:
    """In an empty room with noises now and then: how often it speaks."""
    heard = [trace.first_sound() is not None or bool(trace.words()) for _, trace in outcomes]
    found.numbers['nothing_asked_speaks'] = _share(heard)


def _score_replaced(found: Findings, kind: str, outcomes: list[Outcome]) -> None:
    """Another oracle in mid-sentence: whether what is said ends with it, and takes the old back."""
    _score_answers(found, kind, outcomes)
    ends = [trace.words()[-3:] == case.answer.split()[-3:] for case, trace in outcomes]
    found.numbers['replaced_ends_with_new'] = _share(ends)
    aloud = [_corrects(trace) for _, trace in outcomes]
    found.numbers['replaced_corrects_aloud'] = _share(aloud)


def _corrects(trace: Trace) -> bool:
    """Whether words of its own stand between the two oracles."""
    generations = [piece.generation for _, piece in trace.pieces]
    if 1 not in generations:
        return False
    return -1 in generations[len(generations) - generations[::-1].index(1) :]


def _score_pause(found: Findings, kind: str, outcomes: list[Outcome]) -> None:
    """Pauses inside a question: in how many of them, and of the questions, it begins to speak."""
    into = [
        trace.first_sound(begin, end) is not None
        for case, trace in outcomes
        for begin, end in case.pauses
    ]
    early = [
        (first := trace.first_sound()) is not None and first < trace.turns[0][1] - EARLY_S
        for _, trace in outcomes
    ]
    found.numbers['breaks_into_a_pause'] = _share(into)
    found.numbers['breaks_into_a_paused_question'] = _share(early)
    waits = [
        first - trace.turns[0][1]
        for (_, trace), broke in zip(outcomes, early, strict=True)
        if not broke and (first := trace.first_sound()) is not None
    ]
    found.numbers['paused_end_to_first_sound_s'] = _middle(waits)


def _score_barge_in(found: Findings, kind: str, outcomes: list[Outcome]) -> None:
    """The user speaks over the robot: whether and how soon it is silent."""
    spoken = [(case, trace) for case, trace in outcomes if len(trace.turns) > 1]
    stops = [
        None if (at := trace.silent_from(trace.turns[1][0], SILENCE_S)) is None
        else at - trace.turns[1][0]
        for _, trace in spoken
    ]  # fmt: skip
    found.numbers['barge_in_yields'] = _share([s is not None and s <= YIELDS_S for s in stops])
    found.numbers['barge_in_stops_after_s'] = _middle([s for s in stops if s is not None])
    told = [TurnKind.BARGE_IN in {event.kind for _, event in trace.events} for _, trace in spoken]
    found.numbers['barge_in_noticed'] = _share(told)


def _score_back_channel(found: Findings, kind: str, outcomes: list[Outcome]) -> None:
    """The user says "uh-huh": whether the robot goes on to the end."""
    spoken = [(case, trace) for case, trace in outcomes if len(trace.turns) > 1]
    on = [trace.words(_newest(trace))[-3:] == case.answer.split()[-3:] for case, trace in spoken]
    found.numbers['back_channel_goes_on'] = _share(on)


_SCORES: dict[str, Callable[[Findings, str, list[Outcome]], None]] = {
    'blank': _score_blank,
    'nothing': _score_nothing,
    'replaced': _score_replaced,
    'pause': _score_pause,
    'barge_in': _score_barge_in,
    'back_channel': _score_back_channel,
}

# What each row of the table is called, the number it shows, and what it is to be.
_ROWS = (
    ('error of a stranger, sentences', 'sentences_error', '<= 0.08'),
    ('error of a stranger, open sentences', 'open_error', '<= 0.12'),
    ('error of a stranger, figures and names', 'written_error', '<= 0.12'),
    ('unknown words understood', 'unknown_understood', ''),
    ('error of a stranger after a replacement', 'replaced_error', ''),
    ('monologue against oracle, sentences', 'sentences_monologue_error', ''),
    ('monologue against oracle, open', 'open_monologue_error', ''),
    ('monologue against oracle, figures', 'written_monologue_error', ''),
    ('end of question to first sound, s', 'end_to_first_sound_s', '<= 0.3'),
    ('the same, 95 of 100, s', 'end_to_first_sound_p95_s', '<= 0.3'),
    ('oracle to the same in speech, s', 'open_oracle_to_speech_s', '<= 0.5'),
    ('the same, 95 of 100, s', 'open_oracle_to_speech_p95_s', ''),
    ('questions it breaks into', 'breaks_into_a_question', ''),
    ('pauses of 0.5 to 1.5 s it breaks into', 'breaks_into_a_pause', '<= 0.10'),
    ('questions with a pause it breaks into', 'breaks_into_a_paused_question', ''),
    ('end of a paused question to sound, s', 'paused_end_to_first_sound_s', ''),
    ('questions it never answers', 'never_answers', ''),
    ('ends with the new oracle', 'replaced_ends_with_new', '>= 0.95'),
    ('takes the old one back aloud', 'replaced_corrects_aloud', ''),
    ('without an oracle: opens', 'blank_opened', ''),
    ('without an oracle: words', 'blank_words', ''),
    ('without an oracle: says it does not know', 'blank_owns_up', ''),
    ('asked nothing: speaks', 'nothing_asked_speaks', '0'),
    ('spoken over: silent within 1.5 s', 'barge_in_yields', ''),
    ('spoken over: silent after, s', 'barge_in_stops_after_s', ''),
    ('"uh-huh": goes on to the end', 'back_channel_goes_on', ''),
    ('processor, of one core', 'cpu_s_per_s', ''),
    ('a step of 80 ms, ms', 'step_median_ms', '<= 15'),
    ('the same, 99 of 100, ms', 'step_p99_ms', ''),
)


def table(found: Findings, columns: Sequence[str] = ('model', 'codec', 'voice')) -> str:
    """The numbers for people; the columns beside the model are the voices without it."""
    numbers = found.numbers
    lines = [f'{"":42}' + ''.join(f'{name:>9}' for name in columns) + '   wanted']
    for label, name, wanted in _ROWS:
        values = [numbers.get(f'{name}_{column}') for column in columns]
        if name in numbers:
            values[0] = numbers[name]
        if any(value is not None for value in values):
            cells = ''.join('         ' if v is None else f'{v:9.3f}' for v in values)
            lines.append(f'{label:42}{cells}   {wanted}'.rstrip())
    return '\n'.join(lines)


def voices() -> dict[str, Callable[[str], np.ndarray]]:
    """The voice alone, and the same through the codec of kame-small.

    Raises MissingWeights without hibari.
    """
    from kame_ros.s2s.small.speaker import UnitVoice
    from kame_ros.s2s.small.unit_decoder import UnitDecoder
    from kame_ros.s2s.tts.voice import HibariVoice

    hibari, unit_voice, decoder = HibariVoice(), UnitVoice(), UnitDecoder()

    def codec(text: str) -> np.ndarray:
        decoder.reset()
        codes = np.concatenate([sentence.codes for sentence in unit_voice.say(text)])
        sound = np.concatenate([decoder.step(row) for row in codes])
        return np.asarray(sound / 32768, np.float32)

    return {'codec': codec, 'voice': lambda text: hibari.say(text.split()).samples}


def measure_weights(
    config: SmallConfig,
    trials: int,
    whisper: str = 'whisper-base',
    with_voices: bool = True,
    kinds: Sequence[str] = KINDS,
    progress: Callable[[], None] = lambda: None,
) -> Findings:
    """Measures the model that `config` names, through its front-end, with cases of its seed.

    `whisper` listens to what is said, and to the voices without the model; empty: nobody does.
    Raises MissingWeights or CorruptWeights, EspeakMissingError or FliteMissingError.
    """
    from kame_ros.s2s.small.make import build
    from kame_ros.training.small.stranger import WhisperHearer
    from kame_ros.turns.vad import SileroVad

    cases = Cases(config.seed)
    front_end = build(config, SileroVad())
    front_end.warm_up()
    hearer = WhisperHearer(whisper) if whisper else None
    alone = voices() if whisper and with_voices else None
    found = measure(front_end, cases, trials, hearer, alone, kinds, progress)
    counted = front_end.counters()
    found.numbers |= {name: counted[name] for name in ('step_median_ms', 'step_p99_ms')}
    return found


def trials_in_all(trials: int, kinds: Sequence[str] = KINDS) -> int:
    """How often `progress` is called."""
    return sum(_trials_of(kind, trials) for kind in kinds)


def _trials_of(kind: str, trials: int) -> int:
    return trials * (WORDS_PER_TRIAL if kind == 'unknown' else 1)
