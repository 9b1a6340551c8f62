import itertools

from hypothesis import given
from hypothesis import strategies as st

from kame_ros.oracle.words import WordRechunker, normalise, word_count


def rechunk(pieces):
    words = WordRechunker()
    return [w for piece in pieces for w in words.push(piece)] + words.flush()


def test_pieces_of_words_come_out_as_words():
    assert rechunk(['un', 'believ', 'able', ' sto', 'ry', '.']) == ['unbelievable', ' story.']


def test_a_word_is_given_when_the_next_one_begins():
    words = WordRechunker()
    assert words.push('Par') == []
    assert words.push('is ') == ['Paris']
    assert words.push('is') == []
    assert words.flush() == [' is']


@given(st.text(alphabet='ab \n\té.', max_size=60), st.lists(st.integers(0, 60), max_size=8))
def test_any_chunking_gives_the_same_words(text, cuts):
    at = [0, *sorted(min(c, len(text)) for c in cuts), len(text)]
    pieces = [text[a:b] for a, b in itertools.pairwise(at)]
    assert rechunk(pieces) == rechunk([text])
    assert ''.join(rechunk(pieces)) == ' '.join(text.split())


def test_scripts_without_spaces_need_not_wait_for_one():
    words = WordRechunker()
    assert words.push('東京は') == ['東京は']


def test_texts_are_compared_by_their_words():
    assert normalise("What's  the CAPITAL,\n of France?") == 'whats the capital of france'
    assert word_count("I don't know.") == 3
