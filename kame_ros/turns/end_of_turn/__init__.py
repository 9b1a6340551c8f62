"""End-of-turn strategies: has the user said all they wanted to say? The door for new ones.

A new strategy is one file, with a class (or function) that takes `EndOfTurnSettings` and gives an
`EndOfTurn`, and one line: in `DOOR`, or in the pyproject.toml of another package:

    [project.entry-points.'kame_ros.end_of_turn']
    mine = 'my_package.my_end_of_turn:MyEndOfTurn'

`--set s2s.tts.end_of_turn=mine` takes it then; what only this one can be told comes by
`s2s.tts.end_of_turn_options`, and is read while it is made. It may raise anything, SystemExit too:
that is counted, and told once, and the rule of words and silence decides instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from kame_ros.runtime.doors import Door
from kame_ros.settings.options import refuse_unread
from kame_ros.turns.recent_sound import RecentSound
from kame_ros.turns.words_heard import WordsHeard

_LONGEST_S = 600.0


@dataclass(frozen=True)
class EndOfTurnSettings:
    """What a strategy is told: parameters of the s2s node. Each takes what it understands.

    Seconds of silence that end a turn: after a complete sentence, or where nobody transcribes
    (`complete_s`); while the words are still awaited (`unknown_s`, at most); after a sentence that
    hangs in the air (`incomplete_s`). `quickness` is from 0, patient, to 1, quick. `options` are
    for one strategy alone.
    """

    complete_s: float = 0.6
    unknown_s: float = 1.2
    incomplete_s: float = 1.8
    quickness: float = 0.5
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Pause:
    """The user is silent, and their turn may be over. Seconds on the clock of the frames heard.

    The turn began at `turn_start_s`, its last voice was at `voice_end_s`; sound is judged up to
    `now_s`. `words`: what was recognised so far, if anybody transcribes. `sound`: the last 8 s
    that came from the microphone, up to 32 ms newer than `now_s`. `earlier_s`: how long the user
    paused before they went on, the last pauses inside the turns of this session; `gone_on`: how
    many of them (of 0.3 s and more) are of this turn.
    """

    turn_start_s: float
    voice_end_s: float
    now_s: float
    words: WordsHeard
    sound: RecentSound
    earlier_s: Sequence[float] = ()
    gone_on: int = 0

    @property
    def silence_s(self) -> float:
        """How long no voice was heard."""
        return self.now_s - self.voice_end_s


@dataclass(frozen=True)
class Decision:
    """Whether the turn is over, and why: a word or two, under which it is counted.

    `goes_on`: how likely the user goes on, if the strategy has an idea; 0 to 1.
    """

    over: bool
    why: str
    goes_on: float = 0.0


@runtime_checkable
class EndOfTurn(Protocol):
    """Decides at the end of each frame (80 ms) of a pause whether the turn is over.

    If it never says so, the turn is over after `longest_pause_s` of the front-end.

    Called by the thread that speaks: what takes more than a few milliseconds is done in a thread
    of its own, and its answer is given in a later frame.
    """

    min_silence_s: float
    """s: no turn ends after less silence, `decide` is asked from there on; from 0 to 600 s.

    Ours that hear the melody have 0.1. After `longest_pause_s` a turn is over in any case.
    """

    def decide(self, pause: Pause) -> Decision:
        """Asked once a frame until the turn is over or the user speaks on."""

    def reset(self) -> None:
        """A new session: nothing of the last one is remembered."""


@runtime_checkable
class Learns(Protocol):
    """An `EndOfTurn` that learns from whether the user went on after an end, whoever found it."""

    def told(self, pause: Pause, over: bool) -> None:
        """Whether the turn is over now, as was decided in the end by another one that asks it."""


DOOR = Door(
    'end-of-turn strategy',
    'kame_ros.end_of_turn',
    {
        'combined': 'kame_ros.turns.end_of_turn.combined:make',
        'words': 'kame_ros.turns.end_of_turn.words:WordsAndSilence',
        'silence': 'kame_ros.turns.end_of_turn.silence:Silence',
        'acoustic': 'kame_ros.turns.end_of_turn.acoustic:Acoustic',
    },
    EndOfTurn,
    'has not min_silence_s, decide and reset',
)


def make(name: str, settings: EndOfTurnSettings) -> EndOfTurn:
    """The strategy called so. Raises ValueError for a name that is none or for options that it has
    not, ImportError for what another package brings and is none, and what the strategy raises.
    """
    strategy: EndOfTurn = DOOR.make(name, settings)
    refuse_unread(settings.options, DOOR.label(name))
    least: object = strategy.min_silence_s
    if not isinstance(least, (int, float)) or not 0.0 <= least <= _LONGEST_S:
        raise ImportError(
            f'{DOOR.label(name)} is none: its min_silence_s is between 0 and {_LONGEST_S:g} s, '
            f'not {least!r}'
        )
    return strategy
