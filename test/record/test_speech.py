import numpy as np
import pytest

from kame_ros.record.speech import common, merged, seconds, speech_segments
from kame_ros.record.voiced import Segment

S = Segment


def test_stretches_are_merged_over_gaps():
    assert merged([S(0, 1), S(1.5, 2), S(3, 4)], 0.5) == [S(0, 2), S(3, 4)]


def test_where_both_speak():
    both = common([S(0, 2), S(3, 5)], [S(1, 4)])
    assert both == [S(1, 2), S(3, 4)]
    assert seconds(both) == 2


@pytest.mark.models
def test_noise_of_a_codec_is_no_speech_and_a_voice_is():
    from kame_ros.evaluation.voices import say

    rng = np.random.default_rng(0)
    noise = rng.integers(-130, 130, 48_000).astype(np.int16)
    assert speech_segments(noise) == []
    voice = (say('The sky is blue today.').sound * 32_767).astype(np.int16)
    found = merged(speech_segments(np.concatenate([noise, voice, noise])), 0.5)
    assert len(found) == 1
    assert abs(found[0].start - 2.0) < 0.15
    assert abs(found[0].end - 2.0 - len(voice) / 24_000) < 0.2


def test_hardly_any_sound_is_no_speech():
    assert speech_segments(np.zeros(10, np.int16)) == []
