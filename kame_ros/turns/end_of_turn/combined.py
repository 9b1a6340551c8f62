"""Weighs melody, words, silence and the speaker's habits: will they go on?

The odds that they go on are a product: of what the melody says, of what the words say, and of how
seldom a pause of this speaker is longer than the silence so far. The weights were fitted on
recorded speech (`benchmarks/turns.py --fit`); the threshold is the cost of a wrong guess.

A melody may be strange to the model (synthetic voices are): a whole question ("What time is it?")
and a short answer ("Yes, please.") end a turn without it, and for a speaker whose ends it did not
hear, words and silence decide alone. So they do while the model has not answered.

The end of a sentence alone may sound like an end where all of it does not: where the first hearing
is not sure, the whole turn is heard, too, and both count alike, until the silence is long.

It hears where a sentence ends, not a story. Whoever has gone on after such ends in this turn will
do so again: each makes the melody count for less. And the longer the turn, the more sentences it
is likely to have: a long one ends after a longer silence, as speakers who go on pause briefly.
Whoever went on after the turn had been taken for over has shown that they pause: the rest of that
turn, and less and less the next ones, end after clearly more silence.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from kame_ros.text.language import primary
from kame_ros.turns import smart_turn
from kame_ros.turns.end_listener import (
    ASKED_AFTER_S,
    BEFORE_S,
    HEARD_S,
    WHOLE_S,
    EndListener,
)
from kame_ros.turns.end_of_turn import Decision, EndOfTurn, EndOfTurnSettings, Pause
from kame_ros.turns.end_of_turn.words import WordsAndSilence
from kame_ros.turns.end_of_turn.wrong_ends import WrongEnds
from kame_ros.turns.smart_turn import SmartTurn
from kame_ros.turns.words_heard import is_answer, is_request

log = logging.getLogger(__name__)
# Odds that the turn is over (logarithms, to e) and s of silence: from either on, the first hearing
# counts alone.
SURE, AGAIN_S = 2.5, 1.0
# Logarithms of odds (to e) that the user goes on.
BEGIN = 2.2  # in the moment when they fall silent
MELODY = 1.5  # for each of the model's odds that it is over
WORDS = {'complete': -0.9, 'incomplete': 2.2}  # others: nothing
PER_S = 1.25  # less for each second of silence, of somebody who pauses as is usual
# After so little voice (s) nobody can hear an end: so much more, and so little is left of the
# weight of the melody; that a sentence is complete tells nothing.
SHORT, _SHORT_LEFT, _SHORT_S = 1.6, 0.4, (0.5, 1.1)
# The same where the noise hides how a voice falls silent: dB between the loud and the quiet.
NOISE, _NOISE_LEFT, _NOISE_DB = 1.2, 0.65, (20.0, 32.0)
TELLS, _TELLS_MOST = 0.7, 5  # for each time but the first that they went on: they tell a story
# s of silence, at least, for each doubling of a turn's length beyond so much (s); at most.
HOLD_S, LONG_S, _MOST_HOLD_S = 0.4, 4.0, 0.5
# s of silence, at least, in a turn that was taken for over and went on; half of it in the next one.
WRONG_S = 0.8
MEAN_PAUSE_S = 0.8  # of somebody whom we do not know yet
_KNOWN = 12  # pauses: so much is our guess of the mean worth against what was heard
_SHORTEST_MEAN_S, _LONGEST_MEAN_S = 0.4, 1.2
_LONGEST_S = 3.0  # nobody waits for longer,
_LONGEST_WHOLE_S = 2.0  # nor for so long after a whole sentence
_HASTE = 4.0  # by how much the threshold moves from patient to quick
_SURE = 6.0  # more than this no model knows
_COUNTS = 4.0  # more than this does not count
_WHOLE_S = 0.3  # of silence after a whole question or answer: then its words are known
REQUEST = 'request'  # why a turn is over after a whole request
_REQUEST_S = 1.0  # of silence after a whole request ("Show me how it works."), at least
_LEAST_QUESTION = 3  # words, where they can be counted
_UNSPACED = ('ja', 'zh', 'th', 'yue')
_STRANGE = -1.0  # the odds of an end that the model did not hear
_ENDS = 8  # of a speaker, that are remembered


class Combined:
    """Melody, words and silence in, whether the turn is over out. Implements `EndOfTurn`."""

    def __init__(
        self, settings: EndOfTurnSettings | None = None, listener: EndListener | None = None
    ) -> None:
        """Loads the model. Raises MissingWeights, CorruptWeights, or ImportError."""
        settings = settings or EndOfTurnSettings()
        self._listener = listener or EndListener(SmartTurn())
        self._by_words = WordsAndSilence(settings)
        self._threshold = _HASTE * (settings.quickness - 0.5)
        self._patience = 2.0 * (1.0 - settings.quickness)
        self._wrong = WrongEnds()
        self.min_silence_s = ASKED_AFTER_S
        self._forget()

    def _forget(self) -> None:
        self._turn_start_s = -1.0
        self._last: float | None = None  # the odds that the turn is over by its melody so far
        self._ends: deque[float] = deque(maxlen=_ENDS)  # the same of turns that have ended
        self._voice_end_s = -1.0  # of the last pause
        self._misled = 0  # times that they went on after an end by its melody
        self._wrong.forget()

    def decide(self, pause: Pause) -> Decision:
        """Whether it is unlikely enough that they go on."""
        over = self._heard(pause)
        self._remember(pause, over)
        _, words = self._by_words.wanted(pause)
        self._wrong.hear(pause, noise=words == 'noise')
        decision = self._judged(pause, over, words)
        whole = words == 'complete' and is_whole(pause)
        least_s = self._patience * self._wrong.least_s(WRONG_S)
        if words != 'noise' and not whole and pause.silence_s < least_s:
            decision = replace(decision, over=False)
        if decision.over:
            self._wrong.ended(pause)
        return decision

    def told(self, pause: Pause, over: bool) -> None:
        """See Learns: an end that another one found may be wrong, too, and one that was doubted
        was none.
        """
        self._remember(pause, None)
        _, words = self._by_words.wanted(pause)
        self._wrong.hear(pause, noise=words == 'noise')
        if over:
            self._wrong.ended(pause)
        else:
            self._wrong.not_ended(pause)

    def _judged(self, pause: Pause, over: float | None, words: str) -> Decision:
        """The same, as if it had never been wrong."""
        if words == 'noise' or (self.is_strange and pause.words.expected):
            return self._by_words.decide(pause)
        if words == 'complete' and pause.silence_s >= _WHOLE_S and is_whole(pause):
            return Decision(True, 'question or answer')
        least_s = self._patience * max(
            hold_s(pause.voice_end_s - pause.turn_start_s), self._wrong.least_s(WRONG_S)
        )
        long_enough = pause.silence_s >= max(least_s, self._patience * _REQUEST_S)
        if words == 'complete' and long_enough and asks_for_something(pause):
            return Decision(True, REQUEST)
        if pause.silence_s >= (_LONGEST_WHOLE_S if words == 'complete' else _LONGEST_S):
            return Decision(True, 'silence')
        if over is None:  # not yet, or not at all: the model is late
            return self._by_words.decide(pause)
        goes_on = odds(
            over,
            words,
            pause.silence_s,
            mean_pause_s(pause.earlier_s),
            voice_s=pause.voice_end_s - pause.turn_start_s,
            clear_db=self._listener.clear_db,
            misled=self._misled,
        )
        goes_on += TELLS * max(0, min(pause.gone_on, _TELLS_MOST) - 1)
        why = f'melody {words}' if words in WORDS else 'melody'
        held = pause.silence_s < self._patience * hold_s(pause.voice_end_s - pause.turn_start_s)
        ends = goes_on <= self._threshold and not held
        return Decision(ends, why, 1.0 / (1.0 + math.exp(-goes_on)))

    def _heard(self, pause: Pause) -> float | None:
        """How likely the turn is over by its melody, if that is known."""
        over = self._listener.hear(pause)
        if over is None or not is_heard_again(over, pause):
            return over
        whole = self._listener.hear(pause, WHOLE_S)
        if whole is None:
            return None
        return 1.0 / (1.0 + math.exp(-(log_odds(over) + log_odds(whole)) / 2.0))

    @property
    def is_strange(self) -> bool:
        """Whether the model does not hear the ends of this speaker."""
        missed = sum(end < _STRANGE for end in self._ends)
        return missed > len(self._ends) / 2 + 0.5

    def _remember(self, pause: Pause, over: float | None) -> None:
        """What the model said of a turn that is over for good counts when the next one comes."""
        if pause.turn_start_s != self._turn_start_s:
            if self._last is not None:
                self._ends.append(self._last)
            self._turn_start_s, self._last = pause.turn_start_s, None
            self._misled //= 2
        elif pause.voice_end_s != self._voice_end_s:
            self._misled += self._last is not None and self._last > 0.0
            self._last = None
        self._voice_end_s = pause.voice_end_s
        if over is not None:
            self._last = log_odds(over)

    def reset(self) -> None:
        """A new session."""
        self._listener.reset()
        self._forget()


def is_heard_again(over: float, pause: Pause) -> bool:
    """Whether all of the turn is to be heard, after its last seconds made it likely to be over."""
    more = pause.voice_end_s - pause.turn_start_s > HEARD_S - BEFORE_S
    return more and pause.silence_s < AGAIN_S and 0.0 < log_odds(over) < SURE


def is_whole(pause: Pause) -> bool:
    """Whether the words so far are a question, or a short answer."""
    words, language = pause.words.now, pause.words.language or 'en'
    if words is None:
        return False
    asks = words.turn.rstrip().endswith(('?', '？'))
    long = len(words.turn.split()) >= _LEAST_QUESTION or primary(language) in _UNSPACED
    return (asks and long) or is_answer(words.turn, language)


def asks_for_something(pause: Pause) -> bool:
    """Whether the words so far are a request."""
    words = pause.words.now
    return words is not None and is_request(words.turn, pause.words.language or 'en')


def log_odds(probability: float) -> float:
    """The logarithm of the odds, as far as a model can know."""
    odds = math.log(max(probability, 1e-9) / max(1.0 - probability, 1e-9))
    return max(-_SURE, min(_SURE, odds))


def odds(
    over: float,
    words: str,
    silence_s: float,
    mean_s: float,
    *,
    voice_s: float = 2.0,
    clear_db: float = 60.0,
    misled: int = 0,
) -> float:
    """The logarithm of the odds that the user goes on.

    `over`: the probability that the turn is over by its melody; `words`: what the words tell;
    `mean_s`: how long this speaker pauses; `voice_s`: from the first to the last voice of the turn;
    `clear_db`: between what is loud and what is quiet; `misled`: how often they went on after an
    end by its melody.
    """
    short, noise = _share(voice_s, *_SHORT_S), _share(clear_db, *_NOISE_DB)
    weight = MELODY * (1.0 - (1.0 - _SHORT_LEFT) * short) * (1.0 - (1.0 - _NOISE_LEFT) * noise)
    melody = max(-_COUNTS, min(_COUNTS, log_odds(over)))
    melody /= 1.0 + (misled if melody > 0.0 else 0)
    told = WORDS.get(words, 0.0) * (1.0 - short if words == 'complete' else 1.0)
    silence = PER_S * silence_s * MEAN_PAUSE_S / mean_s
    return BEGIN + SHORT * short + NOISE * noise - weight * melody + told - silence


def hold_s(voice_s: float) -> float:
    """How much silence, at least, ends a turn of such a length, s."""
    return min(_MOST_HOLD_S, HOLD_S * math.log2(max(1.0, voice_s / LONG_S)))


def _share(value: float, all_of: float, none_of: float) -> float:
    """1 up to `all_of`, 0 from `none_of` on."""
    return max(0.0, min(1.0, (none_of - value) / (none_of - all_of)))


def mean_pause_s(earlier_s: Sequence[float]) -> float:
    """How long this speaker pauses, s, from their last pauses and from what is usual."""
    mean = (_KNOWN * MEAN_PAUSE_S + sum(earlier_s)) / (_KNOWN + len(earlier_s))
    return max(_SHORTEST_MEAN_S, min(_LONGEST_MEAN_S, mean))


def make(settings: EndOfTurnSettings) -> EndOfTurn:
    """Combined where its model is installed and can be run; else words and silence alone."""
    if not smart_turn.is_there():
        _tell_that_it_is_missing()
        return WordsAndSilence(settings)
    try:
        return Combined(settings)
    except Exception as error:  # a file that is broken, an onnxruntime that cannot be loaded
        log.warning(
            'the end of a turn is told by words and silence, as the model %s cannot be used: '
            '%s: %s',
            smart_turn.NAME,
            type(error).__name__,
            error,
        )
        return WordsAndSilence(settings)


@lru_cache(maxsize=1)
def _tell_that_it_is_missing() -> None:
    """Once in the life of a process, whatever asks for it."""
    log.warning('%s', smart_turn.why_worse())
