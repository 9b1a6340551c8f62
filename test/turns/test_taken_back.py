"""What came after a turn that was taken back."""

import pytest

from kame_ros.turns.taken_back import Rest, rest_of
from kame_ros.turns.words_heard import WordsHeard


def heard(*utterances):
    words = WordsHeard()
    words.expected = True
    for number, (text, start) in enumerate(utterances):
        words.hear(number, text, start, start + 0.5)
    return words


FIRST = ('What is the capital', 0.4)


@pytest.mark.parametrize(
    ('words', 'rest'),
    [
        (heard(FIRST), Rest.AWAITED),
        (heard(FIRST, ('of Italy?', 2.4)), Rest.MORE),
        (heard(FIRST, ('Uh-huh.', 2.4)), Rest.REMARK),
        (heard(), Rest.AWAITED),
        (WordsHeard(), Rest.NOTHING),  # nobody transcribes
    ],
)
def test_the_words_tell(words, rest):
    assert rest_of(words, 2.0, 0.3, 1.2) is rest


def test_words_are_not_awaited_for_ever():
    assert rest_of(heard(FIRST), 2.0, 1.2, 1.2) is Rest.NOTHING


@pytest.mark.parametrize(('noise_until', 'rest'), [(1.9, Rest.AWAITED), (2.8, Rest.NOTHING)])
def test_a_noise_is_nothing(noise_until, rest):
    words = heard(FIRST)
    words.noise_until = noise_until
    assert rest_of(words, 2.0, 0.3, 1.2) is rest


@pytest.mark.parametrize(('noise_until', 'rest'), [(2.5, Rest.MORE), (3.0, Rest.NOTHING)])
def test_words_that_were_guessed_of_a_noise_are_none(noise_until, rest):
    words = heard(FIRST, ('you', 2.4))
    words.noise_until = noise_until
    assert rest_of(words, 2.0, 0.3, 1.2) is rest
