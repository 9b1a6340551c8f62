"""Words that silence the robot."""

import pytest

from kame_ros.oracle.text.stop_words import StopWords


@pytest.mark.parametrize(
    ('text', 'phrase'),
    [
        ('Stop!', 'stop'),
        ('stop stop STOP', 'stop'),
        ('Kim, please stop it now.', 'stop it'),
        ('Be quiet!', 'be quiet'),
        ('Where does the bus stop?', ''),
        ('stop the music', ''),
        ('', ''),
        ('please', ''),
        ('Kim', ''),
    ],
)
def test_a_stop_word_stands_alone(text, phrase):
    assert StopWords(names=('Kim',)).heard(text) == phrase
