import pytest

from kame_ros.record.played_words import PlayedWords
from kame_ros.wire.frame import FRAME_S, Frame
from kame_ros.wire.monologue import MonologueToken


def word(seq, t, text='x'):
    return MonologueToken(seq, t, text)


def played(seq, t):
    return Frame(0, t, source_seq=seq)


def test_words_are_heard_when_their_frame_is_played():
    words = PlayedWords()
    first, second = word(3, 1.0, 'It'), word(3, 1.0, ' is')
    assert words.on_monologue(first) is None
    assert words.on_monologue(second) is None
    assert words.on_played(played(2, 1.2)) == []
    assert words.on_played(played(3, 1.3)) == [first, second]
    assert words.on_played(played(3, 1.4)) == []


def test_words_that_come_after_their_frame_are_heard_when_it_was_played():
    words = PlayedWords()
    assert words.on_played(played(3, 1.3)) == []
    assert words.on_monologue(word(3, 1.0)) == 1.3


def test_what_is_no_frame_of_the_speech_has_no_words():
    words = PlayedWords()
    words.on_monologue(word(-1, 1.0))
    assert words.on_played(played(-1, 1.3)) == []


def test_a_front_end_that_was_started_anew_does_not_say_the_words_of_its_last_life():
    words = PlayedWords()
    words.on_played(played(3, 1.3))
    words.on_monologue(word(5, 1.4, 'never played'))
    words.on_monologue(word(7, 1.6, 'never played'))
    assert words.on_monologue(word(3, 30.0)) is None  # 1.3 was the other frame 3
    again = word(5, 30.2)
    assert words.on_monologue(again) is None
    assert words.on_played(played(5, 30.5)) == [again]
    assert words.on_played(played(7, 30.6)) == []
    assert words.unplayed == 2


@pytest.mark.parametrize('bounded', [True, False])
def test_what_is_kept_is_bounded_but_for_a_recording(bounded):
    words = PlayedWords(bounded)
    for seq in range(2_000):
        words.on_monologue(word(seq, seq * FRAME_S))
        words.on_played(played(5_000 + seq, seq * FRAME_S))
    assert len(words._waiting) == (250 if bounded else 2_000)
    assert len(words._played) == (750 if bounded else 2_000)
    assert words.on_played(played(1_999, 2_000 * FRAME_S)) == [word(1_999, 1_999 * FRAME_S)]
    assert words.unplayed == (2_000 - 250 if bounded else 0)
    words.forget()
    assert not words._waiting
    assert not words._played
