"""Whether an answer knows nothing of what the user said last, after a pause in their turn. Pure."""

from __future__ import annotations

from kame_ros.turns.taken_back import Rest, rest_of
from kame_ros.turns.words_heard import WordsHeard

_LONGEST_S = 8.0  # s: for a better answer nobody waits longer
_SLACK_S = 0.25  # s: words may be told to end so much before their sound does


def is_half(
    utterance: int, heard: WordsHeard, speech_start: float, silence_s: float, words_s: float
) -> bool:
    """Of an answer to this utterance of the user (below 0: it answers none).

    The user last began to speak at `speech_start`, s, and fell silent `silence_s` ago. Where no
    words of that are known they are awaited for `words_s`.
    """
    words = heard.now
    if utterance < 0 or words is None or words.utterance < utterance or silence_s >= _LONGEST_S:
        return False
    if words.utterance > utterance:
        return rest_of(heard, words.start, silence_s, words_s) is Rest.MORE
    if words.end + _SLACK_S >= speech_start:
        return False
    return rest_of(heard, speech_start, silence_s, words_s) is Rest.AWAITED
