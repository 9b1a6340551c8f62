"""Sound in the messages of other packages, told apart by their fields.

Two packages are named audio_common_msgs: that of ros-drivers (AudioData, AudioDataStamped: bytes,
S16LE) and that of mgonzs13 (AudioStamped: samples of several widths, with rate and channels).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from kame_ros.nodes.common import convert

_FLOAT32, _INT32, _INT16, _INT8, _UINT8 = 1, 2, 8, 16, 32  # PortAudio's formats (portaudio.h)
_WIDTHS = {
    _FLOAT32: ('float32_data', 1.0),
    _INT32: ('int32_data', 2.0**31),
    _INT16: ('int16_data', 2.0**15),
    _INT8: ('int8_data', 2.0**7),
    _UINT8: ('uint8_data', 2.0**7),
}


@dataclass(frozen=True)
class ForeignSound:
    """int16[n], interleaved; `t` is None where the message bears no stamp."""

    samples: np.ndarray
    rate: int
    channels: int
    t: float | None


def read(message: Any, rate: int, channels: int) -> ForeignSound:
    """The sound of a message; `rate` and `channels` are those of messages that do not tell.

    Raises ValueError for a message of another kind, or of an odd length.
    """
    stamped = getattr(message, 'header', None)
    t = convert.from_time(stamped.stamp) if stamped is not None else None
    body = getattr(message, 'audio', message)
    if hasattr(body, 'audio_data') and hasattr(body, 'info'):
        return _read_samples(body, t)
    if not hasattr(body, 'data'):
        raise ValueError(f'{type(message).__name__} is no sound that the bridge knows')
    data = bytes(body.data)
    if len(data) % (2 * channels):
        raise ValueError(f'{len(data)} bytes are not whole samples of {channels} channels')
    return ForeignSound(np.frombuffer(data, '<i2').astype(np.int16), rate, channels, t)


def _read_samples(body: Any, t: float | None) -> ForeignSound:
    info = body.info
    if info.format not in _WIDTHS:
        raise ValueError(f'sound of the format {info.format} is not known')
    field, scale = _WIDTHS[info.format]
    sound = np.asarray(getattr(body.audio_data, field), np.float64)
    if info.format == _UINT8:
        sound = sound - 128.0
    sound = np.nan_to_num(sound * (32_768.0 / scale), posinf=0.0, neginf=0.0)
    pcm = np.clip(np.round(sound), -32_768, 32_767).astype(np.int16)
    rate, channels = int(info.rate), int(info.channels)
    if rate < 1 or channels < 1 or len(pcm) % channels:
        raise ValueError(f'{len(pcm)} samples of {channels} channels at {rate} Hz are no sound')
    return ForeignSound(pcm, rate, channels, t)


def write(kind: type, samples: np.ndarray, rate: int, t: float) -> Any:
    """int16[n], mono, as a message of a kind of either package. ValueError for another kind."""
    message = kind()
    if hasattr(message, 'header'):
        message.header = convert.header(t, 'loudspeaker')
    body = getattr(message, 'audio', message)
    if hasattr(body, 'audio_data') and hasattr(body, 'info'):
        body.audio_data.int16_data = samples.tolist()
        body.info.format, body.info.channels = _INT16, 1
        body.info.rate, body.info.chunk = rate, len(samples)
    elif hasattr(body, 'data'):
        body.data = list(samples.astype('<i2').tobytes())
    else:
        raise ValueError(f'{kind.__name__} is no sound that the bridge knows')
    return message
