"""Where the robot's sound goes to."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from kame_ros.audio.frame import Frame
from kame_ros.audio.pace import Clock, Pacer, Sleep
from kame_ros.audio.wav import WavWriter


class Sink(Protocol):
    """A loudspeaker or what stands for one; owned by one thread.

    The owner's loop is: `t = sink.wait(); sink.write(playout.pull(t))`.
    """

    def open(self) -> None:
        """Starts the stream; raises BadAudio or DeviceError with the reason where it cannot."""

    def wait(self) -> float:
        """Blocks until the next frame is due and returns when its first sample is played."""

    def write(self, frame: Frame) -> None:
        """Plays the frame that was waited for."""

    def close(self) -> None:
        """Stops the stream; can be called again, and before open()."""

    def counters(self) -> dict[str, float]:
        """Running totals for diagnostics, by name."""


class NullSink:
    """Plays into nothing, at the rhythm of a loudspeaker."""

    def __init__(self, *, clock: Clock, sleep: Sleep) -> None:
        self._pacer = Pacer(clock, sleep)
        self._ticks = 0
        self._written = 0

    def open(self) -> None:
        """Starts the time."""
        self._ticks = self._written = 0
        self._pacer.start()

    def wait(self) -> float:
        """Blocks until the next tick and returns its time."""
        t = self._pacer.wait(self._ticks)
        self._ticks += 1
        return t

    def write(self, frame: Frame) -> None:
        """Counts the frame."""
        self._written += 1

    def close(self) -> None:
        """Nothing to stop."""

    def counters(self) -> dict[str, float]:
        """Frames written, and how many were late because the writer was."""
        return {
            'frames_written': self._written,
            'frames_late': self._pacer.late,
            'max_late_s': self._pacer.max_late_s,
        }


class WavSink(NullSink):
    """Writes all that is played, silence too, so that the file's time is the clock's time."""

    def __init__(self, path: str | Path, *, clock: Clock, sleep: Sleep) -> None:
        super().__init__(clock=clock, sleep=sleep)
        self.path = Path(path)
        self._writer: WavWriter | None = None

    def open(self) -> None:
        """Starts the file and the time; raises BadAudio."""
        self._writer = WavWriter(self.path)
        super().open()

    def write(self, frame: Frame) -> None:
        """Appends the frame to the file; raises BadAudio where the disk is full."""
        if self._writer is None:
            raise RuntimeError('the sink is not open')
        self._writer.write(frame.samples)
        super().write(frame)

    def close(self) -> None:
        """Ends the file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
