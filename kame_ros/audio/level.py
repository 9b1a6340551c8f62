"""How loud sound is, and every level from which on it counts, by its name and what it is for.

Levels are dBFS: 0 is full scale (32768, or 1.0), 20 dB less is a tenth of it. `RMS` levels are
compared with the root mean square of a frame or window, `PEAK` levels with its largest sample.
Thresholds that are relative (to the loudest part of a recording) stand where they are used.
"""

from __future__ import annotations

import math

import numpy as np

FULL_SCALE = 32_768.0
SILENCE_DBFS = -90.0  # what is told of digital silence, and of all below

USER_RMS_DBFS = -60.0  # microphone: below is no user, but noise, or what is left of an echo
ECHO_RMS_DBFS = -50.0  # loudspeaker: from here on an echo is expected, and can be measured
RECORDED_SPEECH_RMS_DBFS = -50.0  # a recording: below nothing counts as speech, however soft it is
CODEC_SPEECH_RMS_DBFS = -45.0  # a neural codec: its silence is far below, its speech above
# Any speech to be played: below are dither and noise. A peak, so that a soft onset is no silence.
SPEECH_PEAK_DBFS = -54.1
# A clean voice (a synthesiser's): below is the pause around a word.
VOICE_PEAK_DBFS = -48.0
# What is around a voice in a room: below it is what a file or a synthesiser is silent with.
ROOM_RMS_DBFS = -75.0
CLICK_PEAK_DBFS = -66.0  # sound that is cut off below this makes no click


def amplitude(dbfs: float) -> float:
    """A level as a part of full scale, 0 to 1."""
    return float(10.0 ** (dbfs / 20.0))


def pcm(dbfs: float) -> float:
    """A level in units of int16, 0 to 32768."""
    return amplitude(dbfs) * FULL_SCALE


def rms_dbfs(samples: np.ndarray) -> float:
    """The level of int16 or float samples, dBFS of the root mean square, -90 at least."""
    sound = samples.astype(np.float64)
    if samples.dtype == np.int16:
        sound /= FULL_SCALE
    power = float(np.mean(sound * sound)) if len(sound) else 0.0
    return max(SILENCE_DBFS, 10.0 * math.log10(power)) if power > 0.0 else SILENCE_DBFS
