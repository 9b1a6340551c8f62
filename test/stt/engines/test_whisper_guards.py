from dataclasses import replace

import pytest

from kame_ros.stt.engines.whisper_guards import (
    GuardConfig,
    compression_ratio,
    is_noise,
    without_loops,
)
from kame_ros.stt.recogniser import Hypothesis
from kame_ros.wire.transcript import Word

CONFIG = GuardConfig()


def words(text, probability=0.8):
    return tuple(
        Word(f' {w}', i * 0.3, i * 0.3 + 0.3, probability) for i, w in enumerate(text.split())
    )


@pytest.mark.parametrize(
    ('text', 'kept'),
    [
        ('no no no I mean it', 'no no no I mean it'),
        ('Is Is is is IS it', 'Is it'),
        ('go go go go go go', 'go'),
        ('it is a it is a it is a test', 'it is a test'),
        ('it is it is what it is', 'it is it is what it is'),
        ('', ''),
    ],
)
def test_loops(text, kept):
    assert ' '.join(w.text.strip() for w in without_loops(words(text), CONFIG)) == kept


@pytest.mark.parametrize(
    'text',
    [
        'It is 42 42 42 42 42 42 please',
        'dial 12 34 12 34 12 34 12 34',
        '0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0',
        '4242 4242 4242 4242 4242 4242 4242 4242',
        'My card is 4242 for 242 for 242 for 242 for 242',  # one that was misheard
        '٥ ٥ ٥ ٥ ٥ ٥',  # Arabic digits
        'five five five five five five, please',
        'double seven double seven double seven double seven',
        'acht acht acht acht acht',
    ],
)
def test_a_number_that_repeats_is_no_loop(text):
    said = [replace(w, end=w.start + 0.1 * max(3, len(w.text))) for w in words(text)]
    assert ' '.join(w.text.strip() for w in without_loops(said, CONFIG)) == text


def test_a_number_that_nobody_can_have_said_is_a_loop():
    said = [Word(f' {w}', 1.0, 1.02) for w in ('42 ' * 40).split()]
    assert len(without_loops(said, CONFIG)) == 1
    said = [Word(' Call', 0.0, 0.4), Word(' ' + '000' * 40, 0.4, 1.4)]
    assert [w.text for w in without_loops(said, CONFIG)] == [' Call']


def test_a_loop_of_another_kind_is_cut_short():
    text = ' '.join(f'and the {i % 3} of the house' for i in range(40))
    kept = without_loops(words(text), CONFIG)
    assert 0 < len(kept) < 60
    assert compression_ratio(''.join(w.text for w in kept)) <= CONFIG.compression


def test_compression():
    assert compression_ratio('') == 0.0
    assert compression_ratio('what is the tallest mountain in the world') < 1.5
    assert compression_ratio('thank you for watching and ' * 10) > 2.4


@pytest.mark.parametrize(
    ('text', 'log_probability', 'no_speech', 'probability', 'voiced', 'noise'),
    [
        ('What is this?', -0.3, 0.01, 0.9, 1.0, False),
        ('What is this?', -0.3, 0.9, 0.9, 1.0, False),  # sure of its words: the doubt is ignored
        ('you', -1.2, 0.93, 0.3, 1.0, True),
        ('Oh', -4.3, 0.83, 0.2, 1.0, True),
        ('Thank you.', -0.4, 0.3, 0.9, 1.0, True),  # an outro, and the model doubts
        ('Thank you.', -0.2, 0.02, 0.95, 0.6, False),  # politeness
        ('Yes.', -0.3, 0.1, 0.8, 0.2, False),
        ('Huh', -0.8, 0.3, 0.2, 0.2, True),
        ('...', -0.1, 0.0, 0.9, 1.0, True),
        ('', 0.0, 0.0, 0.0, 1.0, True),
    ],
)
def test_noise(text, log_probability, no_speech, probability, voiced, noise):
    hypothesis = Hypothesis(words(text, probability), log_probability, no_speech)
    assert is_noise(hypothesis, voiced, CONFIG) == noise
