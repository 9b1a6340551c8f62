"""What came of a turn that was taken back: more words, a remark, or nothing. Pure."""

from __future__ import annotations

from enum import Enum

from kame_ros.turns.words_heard import WordsHeard, is_backchannel


class Rest(Enum):
    """What the user said after a turn that seemed to be over."""

    AWAITED = 'awaited'  # its words are not known yet
    NOTHING = 'nothing'  # a noise, or nobody transcribes
    REMARK = 'remark'  # "uh-huh": the robot goes on
    MORE = 'more'  # what the robot began to say answered half a turn


def rest_of(heard: WordsHeard, ended_at: float, silence_s: float, words_s: float) -> Rest:
    """What was said since `ended_at`, s, when the turn had seemed to be over.

    Words are awaited for `words_s` after the last voice, `silence_s` ago.
    """
    words = heard.since(ended_at)
    # Words that were only guessed go with the noise that they were guessed of.
    if words is not None and heard.noise_until < words.end:
        return Rest.REMARK if is_backchannel(words.text) else Rest.MORE
    late = silence_s >= words_s - 1e-6
    known = late or not heard.expected or heard.noise_until >= ended_at
    return Rest.NOTHING if known else Rest.AWAITED
