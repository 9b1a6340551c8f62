"""Sound in the messages of other packages."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from kame_ros.nodes.common import convert, foreign_audio


class FakeInfo:
    format, channels, rate, chunk = 8, 1, 16_000, 0


class FakeAudioStamped:
    """The fields of mgonzs13's audio_common_msgs/AudioStamped."""

    def __init__(self) -> None:
        self.header = SimpleNamespace(stamp=convert.to_time(3.0))
        data = SimpleNamespace(int16_data=[], float32_data=[], int32_data=[], uint8_data=[])
        self.audio = SimpleNamespace(audio_data=data, info=FakeInfo())


def test_samples_of_any_width_are_read():
    for form, field, values in (
        (8, 'int16_data', [0, 16_384, -16_384]),
        (1, 'float32_data', [0.0, 0.5, -0.5]),
        (2, 'int32_data', [0, 2**30, -(2**30)]),
        (32, 'uint8_data', [128, 192, 64]),
    ):
        message = FakeAudioStamped()
        message.audio.info.format = form
        setattr(message.audio.audio_data, field, values)
        sound = foreign_audio.read(message, 8_000, 1)
        assert sound.samples.tolist() == [0, 16_384, -16_384]
        assert (sound.rate, sound.t) == (16_000, 3.0)
    message.audio.info.format = 99
    with pytest.raises(ValueError, match='format 99'):
        foreign_audio.read(message, 8_000, 1)


def test_samples_with_their_format_are_written():
    message = foreign_audio.write(FakeAudioStamped, np.array([1, -2], np.int16), 24_000, 3.0)
    assert message.audio.audio_data.int16_data == [1, -2]
    assert (message.audio.info.rate, message.audio.info.chunk) == (24_000, 2)


@pytest.mark.parametrize('data', [b'123', b'1'])
def test_half_a_sample_is_refused(data):
    with pytest.raises(ValueError, match='whole samples'):
        foreign_audio.read(SimpleNamespace(data=data), 16_000, 1)
    with pytest.raises(ValueError, match='no sound'):
        foreign_audio.read(SimpleNamespace(text='hello'), 16_000, 1)
