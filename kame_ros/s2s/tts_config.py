"""The parameters of the `tts` front-end."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class TtsConfig:
    """How the `tts` front-end takes turns and speaks. Times in seconds.

    `end_of_turn_s`: the user's turn is over after so much silence; where his words are transcribed,
    after `incomplete_s` if they hang in the air, and after `unknown_s` if they are not here yet.
    `wait_for_turn_end`: the robot does not begin to speak while the user's turn lasts (texts of a
    priority above 0 wait only until the user is silent). `barge_in`: the robot gives way to a user
    who speaks over it: at once it speaks with `duck_gain`, after `barge_in_s` of his voice it is
    silent, and after `interrupt_s` (1.5 s where his words are transcribed: remarks are told by
    them), or as soon as his words are more than "uh-huh", it drops what it had to say. If he says
    no more it goes on, after `words_s` at the latest, from the word before `rewind_s`.
    `min_turn_s`: what is shorter is a cough, which is owed no answer.
    `filler`: said at the end of a turn when no oracle is there yet (empty: nothing). `apology`:
    said when no oracle came `patience_s` after the end of a turn (empty: nothing). `correction`:
    said before a text that contradicts what was already said. `clause_words`: a clause without
    punctuation is spoken once it has so many words. `stall_s`: when a text stops growing for so
    long, its incomplete clause is spoken. `lookahead_s`: the next clause is synthesised when less
    sound than this is left; what is not synthesised can still be changed at no cost.
    """

    end_of_turn_s: float = 0.6
    unknown_s: float = 1.2
    incomplete_s: float = 1.8
    wait_for_turn_end: bool = True
    barge_in: bool = True
    barge_in_s: float = 0.2
    interrupt_s: float = 0.7
    words_s: float = 1.2
    duck_gain: float = 0.25
    rewind_s: float = 0.3
    min_turn_s: float = 0.2
    filler: str = ''
    apology: str = 'I cannot think right now.'
    patience_s: float = 8.0
    correction: str = 'Actually,'
    clause_words: int = 8
    stall_s: float = 1.0
    lookahead_s: float = 0.32
    comma_pause_s: float = 0.12
    sentence_pause_s: float = 0.32
    fade_s: float = 0.02

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name.endswith('_s') and not (math.isfinite(value) and 0.0 <= value <= 600.0):
                raise ValueError(f'{field.name} is between 0 and 600 s, not {value}')
        if self.end_of_turn_s < 0.1:
            raise ValueError(f'end_of_turn_s is at least 0.1 s, not {self.end_of_turn_s}')
        if self.lookahead_s < 0.08:
            raise ValueError(f'lookahead_s is at least one frame, 0.08 s, not {self.lookahead_s}')
        if not 0.0 < self.duck_gain <= 1.0:
            raise ValueError(f'duck_gain is above 0 and at most 1, not {self.duck_gain}')
        if not 1 <= self.clause_words <= 40:
            raise ValueError(f'clause_words is between 1 and 40, not {self.clause_words}')
