"""What plays the robot's sound: the protocol of sinks, a wav file, and nowhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np

from kame_ros.audio.devices.pace import Clock, Pacer, Sleep
from kame_ros.audio.wav import WavWriter, unrecorded
from kame_ros.wire.frame import FRAME_SAMPLES, Frame

OnPlayed = Callable[[Frame], None]


def ignore(frame: Frame) -> None:
    """For whoever does not ask what was played."""


class Sink(Protocol):
    """A loudspeaker or what stands for one; owned by one thread.

    The owner's loop is: `t = sink.wait(); sink.write(frame := playout.pull(t), frame.samples)`.
    `on_played` is called in the owner's thread with each frame that is heard, and with silence of
    the same `seq` where it is not.
    """

    on_played: OnPlayed

    def prepare(self) -> None:
        """Gets the device or the file; raises BadAudio or DeviceError where it cannot be had."""

    def open(self) -> None:
        """Starts the stream; prepares it where that was not done."""

    def wait(self) -> float:
        """Blocks until the next frame is due and returns when its first sample is played."""

    def write(self, frame: Frame, sound: np.ndarray) -> None:
        """Plays int16[n], the sound of the frame that was waited for, of about its length."""

    def fade(self, gain: float) -> None:
        """Plays at this gain from now on. May be called from any thread."""

    def flush(self) -> None:
        """Forgets what was written and is not heard yet. May be called from any thread."""

    def close(self) -> None:
        """Stops the stream; can be called again, and before open()."""

    def counters(self) -> dict[str, float]:
        """Running totals for diagnostics, by name."""


class NullSink:
    """Plays into nothing, at the rhythm of a loudspeaker."""

    def __init__(self, *, clock: Clock, sleep: Sleep, on_played: OnPlayed = ignore) -> None:
        self.on_played = on_played
        self._pacer = Pacer(clock, sleep)
        self._samples = 0
        self._written = 0
        self._gain = 1.0

    def prepare(self) -> None:
        """Nothing to get."""

    def open(self) -> None:
        """Starts the time."""
        self._samples = self._written = 0
        self._gain = 1.0
        self._pacer.start()

    def wait(self) -> float:
        """Blocks until what was written is over and returns that time."""
        return self._pacer.wait(self._samples / FRAME_SAMPLES)

    def write(self, frame: Frame, sound: np.ndarray) -> None:
        """Counts the frame and the time that it takes."""
        self._written += 1
        self._samples += len(sound)
        if self._gain != 1.0:
            loud = np.round(frame.samples * self._gain).astype(np.int16)
            frame = replace(frame, samples=loud)
        self.on_played(frame)

    def fade(self, gain: float) -> None:
        """Plays at this gain from the next frame on."""
        self._gain = gain

    def flush(self) -> None:
        """Nothing waits: a frame is heard when it is written."""

    def close(self) -> None:
        """Nothing to stop."""

    def counters(self) -> dict[str, float]:
        """Frames written, and how many were late because the writer was."""
        return {
            'frames_written': self._written,
            'frames_late': self._pacer.late,
            'max_late_s': self._pacer.max_late_s,
            'clock_jumps': self._pacer.jumps,
        }


class WavSink(NullSink):
    """Writes all that is played, silence too, so that the file's time is the clock's time."""

    def __init__(
        self, path: str | Path, *, clock: Clock, sleep: Sleep, on_played: OnPlayed = ignore
    ) -> None:
        super().__init__(clock=clock, sleep=sleep, on_played=on_played)
        self._asked = self.path = Path(path)  # path: the file that is written
        self._writer: WavWriter | None = None

    def prepare(self) -> None:
        """Starts a file; raises BadAudio where it cannot be written.

        One that holds a recording is never written over: the next number goes into the name.
        """
        self.close()
        self.path = unrecorded(self._asked)
        self._writer = WavWriter(self.path)

    def open(self) -> None:
        """Starts the time, and the file where that was not done."""
        if self._writer is None:
            self.prepare()
        super().open()

    def write(self, frame: Frame, sound: np.ndarray) -> None:
        """Appends the sound to the file; raises BadAudio where the disk is full."""
        if self._writer is None:
            raise RuntimeError('the sink is not open')
        quieter = self._gain != 1.0
        self._writer.write(np.round(sound * self._gain).astype(np.int16) if quieter else sound)
        super().write(frame, sound)

    def close(self) -> None:
        """Ends the file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
