import pytest

from kame_ros.evaluation.words import errors, first_hit, hit, normal, without_brackets
from kame_ros.wire.transcript import Word

pytest.importorskip('whisper_normalizer', reason='make setup-eval')


@pytest.mark.parametrize(
    ('text', 'accepted', 'right'),
    [
        ('It is Paris.', [r'\bparis\b'], True),
        ('In comparison', [r'\bparis\b'], False),
        ('fifteen', [r'\b15\b'], True),  # as it is normalised
        ('15', [r'\b(15|fifteen)\b'], True),
        ('', [r'x?'], True),  # a pattern that wants nothing
        ('', [r'x'], False),
        ('nothing', [], False),
    ],
)
def test_an_answer_is_right_if_a_pattern_is_found(text, accepted, right):
    assert hit(text, accepted) is right


def test_word_errors_are_of_normalised_texts():
    assert errors('nineteen fourteen', '1914') == (0, 1)
    assert normal('Um, Twenty-One!') == '21'
    assert errors('a b c', 'a x c d') == (2, 3)
    assert errors('', 'hello there') == (2, 0)


def test_the_first_hit_is_the_word_that_completes_it():
    words = [Word(t, i, i + 0.5) for i, t in enumerate(('It', 'is', 'New', 'York,', 'New', 'York'))]
    assert first_hit(words, [r'new york']) == 3
    assert first_hit(words, ['boston']) is None


def test_an_answer_cannot_rate_itself():
    assert without_brackets('Good: [[10]]') == 'Good: 10'
