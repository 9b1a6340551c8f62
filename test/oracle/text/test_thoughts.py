"""Answers that begin as reasoning does, held back no longer than they must be."""

import pytest

from kame_ros.oracle.text import thoughts
from kame_ros.oracle.text.thoughts import ReasoningGuess


class CountedSearches:
    """Counts the characters that a pattern looks at."""

    def __init__(self, pattern):
        self.pattern, self.looked = pattern, 0

    def search(self, text, start=0):
        self.looked += len(text) - start
        return self.pattern.search(text, start)


def test_long_reasoning_is_looked_at_once(monkeypatch):
    closes = CountedSearches(thoughts._CLOSES)
    monkeypatch.setattr(thoughts, '_CLOSES', closes)
    guess = ReasoningGuess()
    written = 'The user asks for it. ' + 'Hm, so be it. ' * 2_000
    assert not any(guess.push(f'{word} ') for word in written.split())
    assert closes.looked < 20 * len(written)  # and not 4,000 times, as if from its start
    assert guess.push('</think>Yes.').endswith('</think>Yes.')


@pytest.mark.parametrize('size', [1, 3, 1000])
def test_a_closing_mark_is_found_wherever_it_was_cut(size):
    written = 'The user asks for it.</think>Yes.'
    guess = ReasoningGuess()
    said = [guess.push(written[k : k + size]) for k in range(0, len(written), size)]
    assert ''.join(said) == written
    assert said[0] == '' or size == 1000


@pytest.mark.parametrize('written', ['The 你好' + '漢' * 500, 'so so so ' * 200, 'I ' + '5 ' * 200])
def test_what_only_might_begin_so_is_given_out_soon(written):
    guess = ReasoningGuess()
    said = ''.join(guess.push(c) for c in written)
    assert len(said) > len(written) - 100
    assert said + guess.flush() == written


@pytest.mark.parametrize('blank', [' ', '\n', '\t', '\u2003'])
def test_blanks_in_front_are_not_kept(blank):
    guess = ReasoningGuess()
    assert guess.push(blank * 1_000) == blank * 1_000
    assert guess.push('The user asks ') == ''
