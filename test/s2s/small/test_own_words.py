"""The words of what kame-small says of its own accord."""

import pytest
from spelled_pieces import SpelledPieces

from kame_ros.s2s.small.own_words import OwnWords
from kame_ros.s2s.small.phrases import OWN_PHRASES
from kame_ros.s2s.small.pieces import Pieces
from kame_ros.s2s.small.pronounce import Pronouncer, hibari_phonemes


def of(pieces, *phrases):
    return OwnWords((words, pieces(words)) for words in map(str.split, phrases))


def spoken(pieces, own, text):
    """What it makes of the pieces of a text, one after another."""
    return [own.say(piece) for some in pieces(text.split()) for piece in some]


def test_a_word_is_told_with_its_first_piece():
    pieces = SpelledPieces()
    own = of(pieces, 'Let me see.', 'Let me think.')
    assert spoken(pieces, own, 'let me think.') == ['Let', '', 'me', 'think.', '', '']
    assert spoken(pieces, own, 'let me see.') == ['Let', '', 'me', 'see.', '']


def test_what_may_come_next_is_a_beginning_or_goes_on():
    pieces = SpelledPieces()
    own = of(pieces, 'let me', 'letus', 'or')
    (le, t), (me,) = pieces(['let', 'me'])
    _, tu, _ = pieces(['letus'])[0]
    (other,) = pieces(['or'])[0]
    assert set(own.next_ones) == {le, other}
    own.say(le)
    assert set(own.next_ones) == {le, other, t, tu}
    own.say(t)
    assert set(own.next_ones) == {le, other, me}
    own.forget()
    assert set(own.next_ones) == {le, other}


@pytest.mark.models
def test_every_phrase_is_told_word_by_word():
    pytest.importorskip('hibari')
    pieces = Pronouncer(hibari_phonemes(), Pieces.load().encode).pieces
    own = of(pieces, *OWN_PHRASES)
    for phrase in OWN_PHRASES:
        told = [word for word in spoken(pieces, own, phrase) if word]
        assert ' '.join(told).lower() == phrase.lower()  # "Sorry," and "sorry," sound alike


def test_a_phrase_that_breaks_off_gives_way_to_another():
    pieces = SpelledPieces()
    own = of(pieces, 'Let me see.', 'or rather,')
    assert spoken(pieces, own, 'let or') == ['Let', '', 'or']
    assert own.goes_on(pieces(['rather,'])[0][0])
    assert not own.goes_on(pieces(['me'])[0][0])


def test_what_is_no_phrase_is_unknown():
    pieces = SpelledPieces()
    own = of(pieces, 'Let me see.')
    assert spoken(pieces, own, 'cheese') == [None, None, None]
    own.say(pieces(['let'])[0][0])
    own.forget()
    assert not own.goes_on(pieces(['let'])[0][1])


def test_a_word_without_pieces_is_passed_over():
    own = OwnWords([(('Hm', 'well'), ((), (3,))), (('...',), ((),))])
    assert own.say(3) == 'well'
    assert own.say(4) is None


def test_what_begins_several_words_and_no_single_one_is_a_long_beginning():
    own = OwnWords(
        [
            (('Let', 'me', 'see.'), ((7, 8), (9,), (10,))),
            (('So,',), ((3,),)),
            (('Right.',), ((4,),)),
            (('Right', 'away.'), ((4,), (5,))),
        ]
    )
    assert own.long_ones == (7,)
