from kame_ros.record.sound_turns import from_words, respond, user_turns, worded
from kame_ros.record.voiced import Segment

S = Segment


def test_latency_is_signed_and_never_clipped():
    late, early = respond([S(1, 3)], [S(4, 6)])[0], respond([S(1, 3)], [S(2.5, 6)])[0]
    assert (late.latency, early.latency) == (1.0, -0.5)
    assert (late.overlap_s, early.overlap_s) == (0.0, 0.5)


def test_what_already_sounds_when_the_user_begins_answers_nothing():
    assert respond([S(2, 3)], [S(1, 5)])[0].response is None
    assert respond([S(2, 3)], [S(1, 2.4), S(3.5, 5)])[0].latency == 0.5


def test_a_backchannel_is_no_answer():
    turn = respond([S(0, 5)], [S(2, 2.6), S(5.5, 8)])[0]
    assert turn.latency == 0.5
    # as long, but it goes on when the user has ended: an answer that came early
    assert respond([S(0, 5)], [S(4.6, 5.3)])[0].latency is not None
    # and of more than two words, where they are known
    assert respond([S(0, 5)], [S(2, 2.6)], words=lambda s: 4)[0].latency == -3.0


def test_a_turn_is_answered_before_the_next_one_begins():
    first, second = respond([S(0, 1), S(4, 5)], [S(6, 7)])
    assert first.response is None
    assert second.latency == 1.0


def test_stretches_with_a_short_gap_are_one_answer():
    assert respond([S(0, 1)], [S(2, 3), S(3.4, 4)])[0].response == S(2, 4)
    assert respond([S(0, 1)], [S(2, 3), S(3.6, 4)])[0].response == S(2, 3)


def test_without_labels_a_turn_goes_on_over_a_pause_in_which_nobody_answers():
    assert user_turns([S(0, 1), S(2.5, 3)], []) == [S(0, 3)]
    assert user_turns([S(0, 1), S(2.5, 3)], [S(1.5, 2)]) == [S(0, 1), S(2.5, 3)]
    assert user_turns([S(0, 1), S(3.5, 4)], []) == [S(0, 1), S(3.5, 4)]


def test_a_hum_is_speech_without_a_word():
    hum, answer, rest = Segment(2.0, 2.4), Segment(4.0, 5.0), Segment(5.2, 6.0)
    assert worded([hum, answer, rest], [3.9, 4.5]) == [answer, rest]
    assert worded([hum, answer, rest], []) == [hum, answer, rest]
    assert worded([hum], [3.9]) == []


def test_speech_right_after_a_hum_begins_with_its_word():
    assert from_words([Segment(2.0, 4.0)], [2.4]) == [Segment(2.4, 4.0)]
    for word in (1.8, 2.2):
        assert from_words([Segment(2.0, 4.0)], [word]) == [Segment(2.0, 4.0)]
    both = [Segment(2.0, 2.6), Segment(2.8, 4.0)]  # the second is the rest of a word
    assert from_words(both, [2.0, 3.2]) == both
