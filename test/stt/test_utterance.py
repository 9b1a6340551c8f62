"""Sound that is given up takes its words with it, and only its words."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_ros.audio.hearing import WINDOW, Window
from kame_ros.stt.agreement import AgreementConfig
from kame_ros.stt.utterance import Utterance
from kame_ros.wire.transcript import Word

START = 2.0  # s of the stream


def utterance(words, seconds):
    """So much sound, of which a decode heard these words: [(text, start, end)], s of the sound."""
    count = math.ceil(seconds * 16_000 / WINDOW)
    sound = np.arange(count * WINDOW, dtype=np.float32).reshape(count, WINDOW)
    windows = [Window(START + i * WINDOW / 16_000, part) for i, part in enumerate(sound)]
    made = Utterance(0, windows, AgreementConfig())
    heard = [Word(f' {text}', start, end, 0.9) for text, start, end in words]
    made.agreement.update(heard, seconds)
    return made


def spoken(made):
    """All words with their times in the stream."""
    kept = [(w.text, w.start + made.begin, w.end + made.begin) for w in made.agreement.words]
    return [(w.text, w.start, w.end) for w in made.past] + kept


@pytest.mark.parametrize(
    ('seconds', 'gone', 'lost'),
    [
        (0.1, '', 0.1),
        (0.5, '', 0.5),  # less than half of the word: it is heard again
        (1.0, 'one', 1.0),
        (1.6, 'one two', 1.8),  # more than half: it is not heard again
        (2.5, 'one two', 2.5),
        (9.0, 'one two three', 6.016),
    ],
)
def test_words_go_with_their_sound(seconds, gone, lost):
    made = utterance([('one', 0.2, 0.9), ('two', 1.2, 1.8), ('three', 3.0, 3.6)], 6.0)
    before = spoken(made)
    assert made.shorten(seconds) == pytest.approx(lost, abs=1e-3)
    assert ' '.join(w.text.strip() for w in made.past) == gone
    assert made.begin == pytest.approx(START + lost, abs=1e-3)
    for (text, *times), (said, *was) in zip(spoken(made), before, strict=True):
        assert (text, times) == (said, pytest.approx(was, abs=1e-3))


_WORDS = st.lists(st.tuples(st.floats(0.0, 0.5), st.floats(0.05, 0.8)), max_size=20)


@given(_WORDS, st.lists(st.floats(0.05, 4.0), min_size=1, max_size=6))
def test_nothing_is_lost_or_moved_however_often_it_is_shortened(pauses, steps):
    t, words = 0.0, []
    for i, (pause, length) in enumerate(pauses):
        words.append((f'w{i}', t + pause, t + pause + length))
        t += pause + length
    made = utterance(words, t + 0.5)
    before, end, first = spoken(made), made.end, made.sound(99.0)
    for seconds in steps:
        inside = [i for i, w in enumerate(made.agreement.words) if w.start + w.end <= 2 * seconds]
        count = len(made.past)
        lost = made.shorten(seconds)
        assert lost >= min(seconds, lost + made.length_s) - 1e-3
        assert len(made.past) - count == len(inside)
        assert made.end == pytest.approx(end, abs=1e-3)
        for (text, *times), (said, *was) in zip(spoken(made), before, strict=True):
            assert (text, times) == (said, pytest.approx(was, abs=2e-3))
        if made.length_s:
            assert made.sound(0.01)[0] == first[-round(made.length_s * 16_000)]
