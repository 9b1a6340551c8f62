"""An answer that knows nothing of what came after a pause."""

import pytest

from kame_ros.turns.half_answer import is_half
from kame_ros.turns.words_heard import WordsHeard

FIRST = (0, 'I would like to know', 0.5, 2.0)


def heard(*utterances, noise_until=-1.0):
    words = WordsHeard()
    for utterance in utterances:
        words.hear(*utterance)
    words.noise_until = noise_until
    return words


@pytest.mark.parametrize(
    ('utterance', 'words', 'speech_start', 'half'),
    [
        (0, heard(FIRST), 0.5, False),
        (0, heard(FIRST), 3.0, True),  # what is said since 3 s is not known yet
        (0, heard(FIRST, noise_until=3.5), 3.0, False),
        (0, heard(FIRST, (1, 'what it costs.', 3.0, 4.0)), 3.0, True),
        (0, heard(FIRST, (1, 'Uh-huh.', 3.0, 3.4)), 3.0, False),
        (0, heard(FIRST, (1, 'You.', 3.0, 3.4), noise_until=3.9), 3.0, False),
        (1, heard(FIRST, (1, 'what it costs.', 3.0, 4.0)), 3.0, False),
        (1, heard(FIRST), 3.0, False),
        (-1, heard(FIRST), 3.0, False),  # it is no answer
        (0, heard(), 3.0, False),  # nobody transcribes
    ],
)
def test_words_tell(utterance, words, speech_start, half):
    assert is_half(utterance, words, speech_start, 0.3, 1.2) is half


def test_words_are_not_awaited_for_ever():
    assert not is_half(0, heard(FIRST), 3.0, 1.2, 1.2)


@pytest.mark.parametrize(('silence_s', 'half'), [(7.9, True), (8.0, False)])
def test_nor_is_a_better_answer(silence_s, half):
    both = heard(FIRST, (1, 'what it costs.', 3.0, 4.0))
    assert is_half(0, both, 3.0, silence_s, 1.2) is half
