"""An answer that is caught in a phrase."""

import pytest

from kame_ros.oracle.text.repetition import ends_in_loop
from kame_ros.oracle.text.spoken_stream import SpokenStream


@pytest.mark.parametrize(
    ('text', 'loops'),
    [
        ('no no no', False),
        ('no no no no', True),
        ('well no no no no', True),
        ('a deep shade a deep shade', False),
        ('of a deep shade a deep shade a deep shade', True),
        ('one two three four', False),
        ('', False),
    ],
)
def test_loops(text, loops):
    assert ends_in_loop(text.split()) is loops


def test_a_loop_ends_the_answer():
    stream = SpokenStream(max_words=30)
    said = []
    for _ in range(40):
        said += stream.push('No, ')
        if stream.done:
            break
    said += stream.flush()
    assert len(''.join(said).split()) == 3


def test_an_answer_without_a_loop_is_whole():
    stream = SpokenStream(max_words=30)
    text = 'Very, very good. The sky is blue, the sea is blue, and so am I.'
    assert ''.join(stream.push(text) + stream.flush()) == text
