"""An answer that was asked for with words that have changed since."""

import pytest

from kame_ros.turns.changed_words import NewerAnswer, is_outdated, is_partial
from kame_ros.turns.words_heard import WordsHeard
from kame_ros.wire.oracle import Oracle

LEGS = 'How many legs does a spider have?'


def answer(asked, utterance=0):
    return Oracle('llm', 1, 'A spider has', utterance=utterance, revision=2, asked=asked)


def words(text, utterance=0):
    heard = WordsHeard()
    heard.hear(utterance, text, 0.5, 2.0)
    return heard.now


@pytest.mark.parametrize(
    ('asked', 'heard', 'outdated'),
    [
        ('How many a leg is possessed?', LEGS, True),
        ('How many electors are', LEGS, True),
        ('How many electors', LEGS, False),  # the last word may have been cut
        ('How many legs does', LEGS, False),
        ('how many LEGS, does, a spider', LEGS, False),
        ('Um, how many legs', 'How many, uh, legs?', False),
        ('How many legs has it got?', 'How many legs?', True),
        ('Um', LEGS, False),
        ('', LEGS, False),  # nobody knows
        (1_001 * 'far away ', 1_001 * 'far away ', False),
        ('near ' + 1_001 * 'far away ', 1_001 * 'far away ', False),  # only the end is kept
    ],
)
def test_what_was_not_said_makes_an_answer_outdated(asked, heard, outdated):
    assert is_outdated(answer(asked), words(heard)) is outdated


@pytest.mark.parametrize(
    ('asked', 'partial'),
    [
        ('How many legs', True),
        ('How many electors', True),
        ('how many LEGS does, um, a spider have', False),
        ('', False),  # nobody knows
    ],
)
def test_what_answers_not_all_of_the_words_is_partial(asked, partial):
    assert is_partial(answer(asked), words(LEGS)) is partial
    assert not is_partial(answer(asked, utterance=1), words(LEGS))
    assert not is_partial(answer(asked), words(1_001 * 'far away '))


def test_while_words_are_still_to_come_each_answer_is_awaited():
    newer, whole = NewerAnswer(1.0, is_partial), answer(LEGS)
    assert not newer.is_awaited(whole, words(LEGS), 3.0)
    assert newer.is_awaited(whole, words(LEGS), 3.0, all_told=False)
    assert not newer.is_awaited(answer(''), words(LEGS), 3.0, all_told=False)


def test_of_another_utterance_nothing_is_told():
    assert not is_outdated(answer('How much is it', utterance=1), words('Tell me'))
    assert not is_outdated(answer('How much is it', utterance=-1), words('Tell me'))
    assert not is_outdated(answer('How much is it'), None)


def test_it_is_awaited_for_a_while():
    newer, old, now = NewerAnswer(1.0), answer('How much is it'), words(LEGS)
    times = (3.0, 3.96, 4.0, 9.0)
    assert [newer.is_awaited(old, now, t) for t in times] == [True, True, False, False]
    assert not newer.is_awaited(answer('How many legs'), now, 3.1)


def test_the_answer_to_newer_words_is_awaited_anew():
    newer, old = NewerAnswer(1.0), answer('How much is it')
    assert newer.is_awaited(old, words('How many legs'), 3.0)
    last = words('How many legs has it?')
    assert [newer.is_awaited(old, last, t) for t in (3.9, 4.8, 4.9)] == [True, True, False]


def test_who_does_not_wait_begins_at_once():
    assert not NewerAnswer(0.0).is_awaited(answer('How much is it'), words('Tell me'), 3.0)
