"""The same silence after everything."""

import pytest
from pauses import silence_that_ends

from kame_ros.turns.end_of_turn import EndOfTurnSettings
from kame_ros.turns.end_of_turn.silence import Silence


@pytest.mark.parametrize('text', [None, 'Stop.', 'I would like to'])
def test_the_words_do_not_matter(text):
    assert silence_that_ends(Silence(), text) == (0.6, 'silence')
    assert silence_that_ends(Silence(EndOfTurnSettings(complete_s=1.0)), text) == (1.0, 'silence')
