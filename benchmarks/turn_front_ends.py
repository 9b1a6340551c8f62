"""Into how many pauses the front-ends break, and how soon they are heard after a turn.

    python benchmarks/turn_front_ends.py --json turn_front_ends.json

The turns of a woman who reads English (see turns.py, whose cache it takes), heard frame by frame by
`tts` and by kame-small, on a virtual clock: words come as the recogniser tells them, and an answer
ORACLE_S after words that are new. What a step gives is heard from the end of the frame that it
heard; a graph adds its buffers.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from result_file import Results
from speech_material import VoiceMissing, frames
from turn_cases import human
from turn_hearing import HeardWords, Said, add_hearing_options
from turn_material import Turn, WordTimes
from turns import is_fitted_on

from kame_ros.s2s.front_end import FrontEnd
from kame_ros.s2s.small.config import SmallConfig
from kame_ros.s2s.small.make import build
from kame_ros.s2s.tts.front_end import TtsFrontEnd
from kame_ros.s2s.tts.voice import HibariVoice
from kame_ros.turns.end_listener import EndListener
from kame_ros.turns.end_of_turn.combined import Combined
from kame_ros.turns.smart_turn import SmartTurn
from kame_ros.turns.vad import SileroVad
from kame_ros.wire.oracle import Oracle

ANSWER = 'That is a good question, and the answer is on the second page.'
ORACLE_S = 0.3  # from words to the answer to them
_NEW_WORDS = 2  # as the policy of the oracle: so many more words ask for a newer answer
_AUDIBLE = 0.01  # of full scale: -40 dBFS
_EARLY_S = 0.05  # a sound so shortly before the end of the turn is one after it
_PATIENT_S = 30.0  # s of the machine's clock: the model of the melody is waited for
_PAUSE_S = (0.5, 1.5)


def tandem() -> FrontEnd:
    """The front-end `tts`, as it is configured by default."""
    front = TtsFrontEnd(HibariVoice(), SileroVad())
    front._user._end_of_turn = _patient()
    return front


def small(speak: str) -> Callable[[], FrontEnd]:
    """kame-small, as it is configured but for `speak`."""
    return lambda: build(SmallConfig(speak=speak, seed=1), SileroVad(), _patient())


def _patient() -> Combined:
    return Combined(None, EndListener(SmartTurn(), wait_s=_PATIENT_S))


FRONT_ENDS = {
    'tandem': tandem,
    'kame-small, after_turn': small('after_turn'),
    'kame-small, always': small('always'),
}


@dataclass
class Score:
    """What a front-end made of some turns; times in s after the last sound of the user."""

    turns: int = 0
    pauses: int = 0
    broken: int = 0  # into which it spoke
    usual: int = 0  # pauses of 0.5 to 1.5 s
    usual_broken: int = 0
    never: int = 0
    sounds: list[float] = field(default_factory=list)  # the first one; where it did not break in
    words: list[float] = field(default_factory=list)  # the first one of the answer

    def add(self, turn: Turn, loud: Sequence[float], words: Sequence[float]) -> None:
        """When it was loud, and when it began the words of the answer."""
        self.turns += 1
        broke = [any(start <= t < end for t in loud) for start, end in turn.pauses]
        self.pauses += len(broke)
        self.broken += sum(broke)
        for (start, end), one in zip(turn.pauses, broke, strict=True):
            if _PAUSE_S[0] <= end - start <= _PAUSE_S[1]:
                self.usual += 1
                self.usual_broken += one
        if any(t < turn.end - _EARLY_S for t in loud):
            return
        self.never += not loud
        self.sounds += [t - turn.end for t in loud[:1]]
        self.words += [t - turn.end for t in words[:1]]

    def told(self) -> dict[str, Any]:
        """The figures."""
        return {
            'turns': self.turns,
            'pauses': self.pauses,
            'broken_into': self.broken,
            'share_broken_into': round(self.broken / max(1, self.pauses), 4),
            'usual_pauses': self.usual,
            'usual_broken_into': self.usual_broken,
            'never_answers': self.never,
            **_quantiles('first_sound', self.sounds),
            **_quantiles('first_word', self.words),
        }


def _quantiles(name: str, seconds: Sequence[float]) -> dict[str, float | None]:
    return {
        f'{name}_{label}_s': round(float(np.quantile(seconds, q)), 3) if seconds else None
        for label, q in (('median', 0.5), ('p90', 0.9), ('p95', 0.95))
    }


def hear(front: FrontEnd, turn: Turn, said: Said) -> tuple[list[float], list[float]]:
    """The ends of the 10 ms in which the front-end was loud, and when it began words of the answer;
    it ends with the first of these after the turn.
    """
    front.reset()
    waiting, answers = list(said), list(_answers(said))
    oracle: Oracle | None = None
    loud: list[float] = []
    words: list[float] = []
    for frame in frames(turn.sound):
        now = frame.end
        while waiting and waiting[0][0] <= now:
            heard = waiting.pop(0)[1]
            begin, end = heard.start - now, heard.end - now
            front.hear_words(heard.utterance, heard.text, begin, end, heard.final)
        while answers and answers[0][0] <= now:
            oracle = answers.pop(0)[1]
        step = front.step(frame.samples, oracle)
        words += [now for piece in step.pieces if piece.generation > 0]
        parts = np.abs(step.speech.astype(float) * step.gain / 32_768).reshape(-1, 240).max(1)
        loud += [now + 0.01 * int(k) for k in np.flatnonzero(parts > _AUDIBLE)]
        if words and words[-1] >= turn.end - _EARLY_S and loud and loud[-1] >= words[-1]:
            break
    return loud, words


def _answers(said: Said) -> list[tuple[float, Oracle]]:
    """Each answer, and when it is there."""
    out: list[tuple[float, Oracle]] = []
    asked = (-1, 0)
    for t, heard in said:
        count = len(heard.text.split())
        if heard.final or heard.utterance != asked[0] or count >= asked[1] + _NEW_WORDS:
            asked = heard.utterance, count
            number = len(out) + 1
            oracle = Oracle(
                'llm', number, ANSWER, True, utterance=heard.utterance, revision=heard.revision
            )
            out.append((t + ORACLE_S, oracle))
    return out


def score(name: str, turns: Sequence[Turn], words: HeardWords) -> dict[str, Any]:
    """The figures of one of FRONT_ENDS."""
    front, found = FRONT_ENDS[name](), Score()
    front.warm_up()
    for turn in turns:
        found.add(turn, *hear(front, turn, words.of(turn)))
    return found.told()


def main() -> None:
    """Measures what the options ask for."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    results = Results(parser, 'turn_front_ends', timed=False)
    add_hearing_options(parser)
    options = parser.parse_args()
    every = human(options.cache, WordTimes(options.cache, options.model))
    turns = [turn for turn in every if turn.group == 'human' and not is_fitted_on(turn)]
    words = HeardWords(options.cache, options.model)
    figures = {}
    for name in FRONT_ENDS:
        figures[name] = score(name, turns, words)
        print(name, figures[name], flush=True)
    results.write(options, figures, figures)


if __name__ == '__main__':
    try:
        main()
    except VoiceMissing as missing:
        raise SystemExit(str(missing)) from missing
