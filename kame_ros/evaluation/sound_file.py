"""Writes wav files so that a full disk is an OSError, as for any other file."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np


def write_wav(path: Path, sound: np.ndarray, rate: int) -> None:
    """16 bits; made in memory first, as libsndfile does not tell why it could not write."""
    import soundfile

    made = io.BytesIO()
    soundfile.write(made, sound, rate, format='WAV', subtype='PCM_16')
    path.write_bytes(made.getbuffer())
