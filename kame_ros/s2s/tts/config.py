"""The parameters of the `tts` front-end, each with what it does."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kame_ros.settings.options import options_of
from kame_ros.settings.param import MODEL, OPTIONS, BadParameter, check_settings, setting
from kame_ros.settings.values import shown
from kame_ros.text.speakable import why_not
from kame_ros.turns import profiles
from kame_ros.turns.barge_in import BargeInProfile
from kame_ros.turns.end_of_turn import EndOfTurnSettings
from kame_ros.turns.profiles.tts import TTS
from kame_ros.turns.turn_tracker import LONGEST_PAUSE_S

_OF_PROFILE = {  # our names for what a profile has
    'barge_in_s': 'hold_s',
    'interrupt_s': 'stop_s',
    'words_s': 'words_s',
    'duck_gain': 'duck_gain',
}
_LONGEST_S = 600.0


def _seconds(default: float, description: str, low: float = 0.0) -> float:
    seconds: float = setting(default, description, low=low, high=_LONGEST_S)
    return seconds


@dataclass(frozen=True)
class VoiceConfig:
    """Which voice speaks. Raises ValueError for what cannot be."""

    voice: str = setting(
        'hibari', 'A packaged voice by name, or the path of its model file.', names=MODEL
    )
    speed: float = setting(1.0, 'How fast the voice speaks; 1: as it was made.', low=0.5, high=2.0)

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class TtsConfig:
    """How the `tts` front-end takes turns and speaks. Raises ValueError for what cannot be.

    Texts of a priority above 0 wait only until the user is silent, whatever `wait_for_turn_end`
    is. A remark is told from an interruption by its words, where they are transcribed: then
    `interrupt_s` is 1.5 s at least. What is not synthesised yet (`lookahead_s`) can still be
    changed at no cost.
    """

    end_of_turn: str = setting(
        'combined',
        "What tells that the user's turn is over: a strategy, here or of another package. "
        "'combined' weighs melody, words and silence ('words' where the model smart-turn is not "
        "installed); 'words', 'silence' and 'acoustic' know one of them.",
    )
    quickness: float = setting(
        0.5,
        "How soon the strategies that hear the melody believe that the user's turn is over; "
        '0: patient, 1: quick.',
        low=0.0,
        high=1.0,
    )
    end_of_turn_options: str = setting(
        '', "What only one strategy knows: 'key=value; key=value'.", names=OPTIONS
    )
    end_of_turn_s: float = _seconds(
        0.6, "The user's turn is over after so many seconds of silence.", 0.1
    )
    unknown_s: float = _seconds(1.2, 'The same while their words are not transcribed yet.')
    incomplete_s: float = _seconds(
        1.8, 'The same when their words hang in the air, as after "I would like to".'
    )
    longest_pause_s: float = _seconds(
        LONGEST_PAUSE_S,
        'The same whatever a strategy says: one that never tells the end of a turn would leave the '
        'robot mute. Not less than the three before.',
        0.1,
    )
    take_back_s: float = _seconds(
        1.0,
        'When the user goes on so shortly after the end of their turn, it was none: the robot '
        'stops after its word, and what they said and say is one turn; 0: never.',
    )
    wait_for_turn_end: bool = setting(
        True, "Whether the robot waits for the end of the user's turn to speak."
    )
    barge_in: bool = setting(True, 'Whether the robot gives way when the user speaks over it.')
    barge_in_profile: str = setting(
        'tts',
        'How readily it gives way: a profile, here or of another package; what of the next four is '
        'changed counts instead.',
    )
    barge_in_s: float = _seconds(
        TTS.hold_s, 'It is silent when the user has spoken over it for so many seconds.'
    )
    interrupt_s: float = _seconds(
        TTS.stop_s,
        'It drops what is unsaid when they have done so for so many seconds (at least 1.5 where '
        'they are transcribed), or when their words are more than a back-channel; else it goes on.',
    )
    words_s: float = _seconds(
        TTS.words_s, 'How many seconds it waits for the words of a short remark before it goes on.'
    )
    duck_gain: float = setting(
        TTS.duck_gain,
        'How loud it speaks as soon as the user speaks over it; 1: as before.',
        low=0.01,
        high=1.0,
    )
    rewind_s: float = _seconds(0.3, 'When it goes on, it repeats the words of so many seconds.')
    newer_answer_s: float = _seconds(
        1.0,
        'An answer to words that were only misheard, as newer ones tell, is not begun for so many '
        'seconds: the answer to the newer ones is likely to come; 0: it is begun at once.',
    )
    min_turn_s: float = _seconds(
        0.2, 'What is shorter than so many seconds is a cough, and needs no answer.'
    )
    filler: str = setting(
        '', 'Said at the end of a turn when there is no answer yet; empty: nothing.'
    )
    hum: str = setting(
        '',
        'Said softly in a long turn of the user, where a clause ends and they seem to go on, such '
        'as "Mhm."; it is no answer. Empty: nothing. Needs the words and end_of_turn=combined.',
    )
    hum_every_s: float = _seconds(8.0, 'So long must a turn last for that, and between two.')
    apology: str = setting(
        'I cannot think right now.',
        'Said when no answer came within patience_s; empty: nothing.',
    )
    patience_s: float = _seconds(8.0, 'How many seconds after a turn the apology is said.')
    correction: str = setting(
        'Actually,', 'Said before a text that contradicts what was said already.'
    )
    clause_words: int = setting(
        8, 'A clause without punctuation is spoken once it has so many words.', low=1, high=40
    )
    stall_s: float = _seconds(
        1.0, 'A clause that stops growing for so many seconds is spoken as it is.'
    )
    lookahead_s: float = _seconds(
        0.32,
        'The next clause is made when less than so many seconds of sound are left; at least one '
        'frame.',
        0.08,
    )
    comma_pause_s: float = _seconds(0.12, 'The pause after a comma.')
    sentence_pause_s: float = _seconds(0.32, 'The pause after a sentence.')
    fade_s: float = _seconds(0.02, 'How fast the voice fades when it is interrupted.')

    def __post_init__(self) -> None:
        check_settings(self)
        for name in ('filler', 'hum', 'apology', 'correction'):
            text: str = getattr(self, name)
            if text.strip() and (why := why_not(text)):
                raise BadParameter(f'{name} is {shown(text)}: {why}')

    def end_of_turn_settings(self) -> EndOfTurnSettings:
        """What the strategy is told. Raises ValueError for options that are none."""
        options = options_of(self.end_of_turn_options, 'an end-of-turn strategy')
        return EndOfTurnSettings(
            self.end_of_turn_s, self.unknown_s, self.incomplete_s, self.quickness, options
        )

    @property
    def longest_silence_s(self) -> float:
        """Of the user, in s: what is told by words and silence is not cut short."""
        return max(self.longest_pause_s, self.end_of_turn_s, self.unknown_s, self.incomplete_s)

    def profile(self) -> BargeInProfile:
        """How it gives way: the profile, with our numbers where they were changed.

        Raises ValueError or ImportError for a profile that is none.
        """
        changed = {
            theirs: getattr(self, ours)
            for ours, theirs in _OF_PROFILE.items()
            if getattr(self, ours) != getattr(TTS, theirs)
        }
        return replace(profiles.load(self.barge_in_profile), **changed)
