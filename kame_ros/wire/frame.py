"""The unit of time in kame_ros: a frame of 80 ms."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

SAMPLE_RATE = 24_000  # Hz, the rate of the Mimi codec
FRAME_SAMPLES = 1_920  # samples in a frame: 80 ms, one step of Moshi (12.5 Hz)
FRAME_S = FRAME_SAMPLES / SAMPLE_RATE  # 0.08 s


def silence() -> np.ndarray:
    """One frame of silence, int16[1920]."""
    return np.zeros(FRAME_SAMPLES, np.int16)


@dataclass(frozen=True)
class Frame:
    """80 ms of mono sound.

    `samples` is int16[1920] at 24 kHz; `t` is the time of the first sample on the audio clock, in
    seconds; `seq` grows by one with every frame of a stream, so that a gap can be seen;
    `source_seq` is the `seq` of the frame this one was made from (the microphone's for speech,
    the speech's for what was played), and -1 where there is none.
    """

    seq: int
    t: float
    samples: np.ndarray = field(default_factory=silence)
    source_seq: int = -1

    def __post_init__(self) -> None:
        if self.samples.dtype != np.int16 or self.samples.shape != (FRAME_SAMPLES,):
            raise ValueError(
                f'a frame is int16[{FRAME_SAMPLES}], not '
                f'{self.samples.dtype}{list(self.samples.shape)}'
            )

    @property
    def peak(self) -> int:
        """The loudest sample, 0 to 32768."""
        return int(np.abs(self.samples.astype(np.int32)).max())

    @property
    def end(self) -> float:
        """The time of the sample after the last one, in seconds."""
        return self.t + FRAME_S
