"""What errors say can be published, logged and shown."""

import pytest

from kame_ros.oracle.llm.clients.base import LlmError
from kame_ros.text.well_formed import printable, printable_lines

ODD = 'bad\x00 \x1b[2J\r\nnext\x9b \u2028\u202e\ud800 über 🤖'


@pytest.mark.parametrize('clean', [printable, printable_lines, lambda text: str(LlmError(text))])
def test_no_control_character_passes(clean):
    told = clean(ODD)
    assert all(c.isprintable() or c == '\n' for c in told)
    assert 'über 🤖' in told
    assert 'next' in told
    told.encode()


def test_a_line_stays_as_long_as_it_was_and_lines_stay_lines():
    assert printable('a\tb\nc') == 'a b c'
    assert printable_lines('a\tb\nc') == 'a b\nc'
