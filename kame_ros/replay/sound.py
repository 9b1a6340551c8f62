"""The sound of a recording as frames: in a sound file, the user is the left channel."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from kame_ros.audio.wav import MAX_S, BadAudio, Sound, refuse_unreadable, to_int16
from kame_ros.wire.frame import SAMPLE_RATE, Frame

T0 = 1_000.0  # where time begins in a file that does not tell


def read_channels(path: Path) -> tuple[list[Frame], list[Frame]]:
    """The frames of the user, left, and those of the robot, right; mono has no robot.

    Raises BadAudio for what is no sound file, is empty, or longer than ten minutes.
    """
    import soundfile
    import soxr

    refuse_unreadable(path)
    try:
        with soundfile.SoundFile(os.fsencode(path)) as file:
            if not 0 < file.frames <= MAX_S * file.samplerate:
                raise BadAudio(f'{path} is not between 0 and {MAX_S / 60:g} minutes long.')
            sound, rate = file.read(dtype='float32', always_2d=True), file.samplerate
    except soundfile.LibsndfileError as error:
        reason = str(error.error_string).rstrip('. ')
        raise BadAudio(f'{path} is not a sound file that can be read ({reason}).') from error
    except (soundfile.SoundFileError, OSError) as error:
        raise BadAudio(f'{path} cannot be read as a sound file: {error}') from error
    if sound.shape[1] > 2:
        raise BadAudio(f'{path} has {sound.shape[1]} channels: the user left, the robot right.')
    sides = []
    for side in np.nan_to_num(sound, posinf=0.0, neginf=0.0).T:
        side = soxr.resample(side, rate, SAMPLE_RATE) if rate != SAMPLE_RATE else side
        sides.append(list(Sound(to_int16(side)[0]).frames(T0)))
    return sides[0], sides[1] if len(sides) > 1 else []
