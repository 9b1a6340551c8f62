"""The parameters of the `small` front-end, each with what it does."""

from __future__ import annotations

from dataclasses import dataclass

from kame_ros.s2s.small.step import Choosing
from kame_ros.settings.options import options_of
from kame_ros.settings.param import MODEL, OPTIONS, BadParameter, check_settings, setting
from kame_ros.turns import end_of_turn
from kame_ros.turns.end_of_turn import EndOfTurn, EndOfTurnSettings
from kame_ros.turns.voice_gate import SPEAK

KAME_SMALL = 'kame-small'  # the weights that are part of this package


def _temperature(default: float, of_what: str) -> float:
    degree: float = setting(
        default, f'Sampling of {of_what}; 0 takes the likeliest.', low=0.0, high=2.0
    )
    return degree


@dataclass(frozen=True, kw_only=True)
class SmallConfig:
    """What the `small` front-end is built from. Raises ValueError for what cannot be."""

    weights: str = setting(
        KAME_SMALL, 'A folder, or kame-small for the model of this package.', names=MODEL
    )
    silent_above: float = setting(
        Choosing.threshold,
        'The robot begins to speak when the model finds it less likely than this that it would '
        'still be silent; more: it begins sooner, and sometimes into a pause of the user.',
        low=0.0,
        high=1.0,
    )
    temperature: float = _temperature(0.0, 'what sounds')
    temperature_detail: float = _temperature(0.0, 'the detail of what sounds')
    temperature_pitch: float = _temperature(0.0, 'the melody')
    temperature_energy: float = _temperature(0.0, 'the loudness')
    top_k: int = setting(Choosing.top_k, 'Of how many codes one is drawn.', low=1)
    seed: int = setting(
        -1, 'For the same conversation twice; -1: another one at each start.', low=-1
    )
    hush_s: float = setting(
        0.96, 'How many seconds the robot keeps silent after an interruption.', low=0.0, high=60.0
    )
    patience_s: float = setting(
        1.0,
        'The robot has to begin when it has something to say for so many seconds after the turn '
        'of the user; mostly it began before.',
        low=0.0,
        high=600.0,
    )
    newer_answer_s: float = setting(
        1.0,
        'An answer that was asked for before all words of the turn were known is not begun for so '
        'many seconds after it, or after newer words: one to all of them is likely to come, and '
        'the robot has its lead-in; 0: it is begun at once.',
        low=0.0,
        high=60.0,
    )
    speak: str = setting(
        'after_turn',
        'When it may speak: always (it judges for itself, from what the user sounds like); '
        "after_turn: not while the user's turn lasts, as far as it hears and end_of_turn tells "
        '(needs barge_in); guided: nor where no oracle tells it what to say.',
        choices=SPEAK,
    )
    end_of_turn: str = setting(
        'combined',
        "What tells that the user's turn is over where the model does not hear it, as "
        'tts.end_of_turn.',
    )
    end_of_turn_options: str = setting(
        '', 'What only one strategy knows, as tts.end_of_turn_options.', names=OPTIONS
    )
    quickness: float = setting(
        0.5, 'From 0, patient, to 1, quick: as tts.quickness.', low=0.0, high=1.0
    )
    barge_in: bool = setting(
        True,
        'Whether the robot gives way when the user speaks over it: it ducks, and stops if the '
        'words are more than a back-channel; needs no echo.',
    )
    barge_in_profile: str = setting(
        'moshi', 'How readily it gives way: a profile, here or of another package.'
    )

    def __post_init__(self) -> None:
        check_settings(self)

    def strategy(self) -> EndOfTurn | None:
        """What tells that the user's turn is over; None without the ear that hears the user.

        Raises ValueError where one is needed, and what the strategy raises.
        """
        if not self.barge_in and self.speak != 'always':
            raise BadParameter(
                f'speak={self.speak} needs barge_in, the ear that hears the user: set small.speak '
                'to always, too'
            )
        if not self.barge_in:
            return None
        options = options_of(self.end_of_turn_options, 'an end-of-turn strategy')
        settings = EndOfTurnSettings(quickness=self.quickness, options=options)
        return end_of_turn.make(self.end_of_turn, settings)

    def choosing(self, seed: int) -> Choosing:
        """How tokens are chosen; `seed` counts where none is set."""
        return Choosing(
            threshold=self.silent_above,
            temperatures=(
                self.temperature,
                self.temperature_detail,
                self.temperature_pitch,
                self.temperature_energy,
            ),
            top_k=self.top_k,
            seed=seed if self.seed < 0 else self.seed,
        )
