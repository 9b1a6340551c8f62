from __future__ import annotations

import numpy as np
import pytest

from kame_ros.s2s.small.speaker import AUDIBLE, UnitVoice
from kame_ros.s2s.small.units import CARD, CODES, ENERGY, UNITS, Codebooks

pytestmark = pytest.mark.models


@pytest.fixture(scope='module')
def voice() -> UnitVoice:
    return UnitVoice()


def test_a_text_becomes_codes_of_its_sentences(voice):
    first, second = voice.say('The capital of France is Paris. It is large.')
    assert first.phonemes.startswith('ðə kˈæpəTᵊl')
    assert first.codes.shape[1] == CODES
    assert first.codes.dtype == np.int16
    assert first.codes.min() >= 0
    assert first.codes.max() < CARD
    assert 20 < len(first.codes) < 45
    assert len(second.codes) < len(first.codes)


def test_the_sounds_begin_one_after_the_other_within_the_codes(voice):
    (said,) = voice.say('It costs $3.50, or about 4 euros.')
    assert len(said.onsets) == len(said.phonemes)
    assert (np.diff(said.onsets) >= 0).all()
    assert 0 <= said.onsets[0] <= 4
    assert said.onsets[-1] < UNITS * len(said.codes)


@pytest.mark.parametrize('text', ['How far is it to the sea?', 'Yes.', 'Fish', 'Hmm, let me see.'])
def test_there_is_hardly_silence_around_a_sentence(voice, text):
    (said,) = voice.say(text)
    energy = Codebooks.load().decode(said.codes)[ENERGY].reshape(-1, 6).max(axis=1)
    audible = np.flatnonzero(energy > AUDIBLE)
    assert audible[0] == 0
    assert len(energy) - 1 - audible[-1] <= 2


def test_what_cannot_be_read_is_no_sentence(voice):
    assert voice.say('') == voice.say('...') == []
    assert voice.failures == 0


def test_a_faster_voice_is_shorter():
    (slow,), (fast,) = (UnitVoice(speed=s).say('How far is it to the sea?') for s in (0.8, 1.3))
    assert len(fast.codes) < 0.75 * len(slow.codes)
