"""What gives the user's sound: the protocol of sources, a wav file, and silence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from kame_ros.audio.devices.pace import Clock, Pacer, Sleep
from kame_ros.audio.wav import Sound, read_wav
from kame_ros.wire.frame import FRAME_S, Frame


class Source(Protocol):
    """A microphone or what stands for one; owned by one thread."""

    @property
    def ended(self) -> bool:
        """Whether all that there was to hear was given; only silence follows."""

    def prepare(self) -> None:
        """Gets the device or the file; raises BadAudio or DeviceError where it cannot be had."""

    def open(self) -> None:
        """Starts the stream; prepares it where that was not done."""

    def read(self) -> Frame:
        """The next frame, as soon as its last sample was heard: blocks at real-time rhythm."""

    def close(self) -> None:
        """Stops the stream; can be called again, and before open()."""

    def counters(self) -> dict[str, float]:
        """Running totals for diagnostics, by name."""


class SilenceSource:
    """Silence for ever: the microphone of a robot that has none."""

    def __init__(self, *, clock: Clock, sleep: Sleep) -> None:
        self._pacer = Pacer(clock, sleep)
        self._next = 0

    @property
    def ended(self) -> bool:
        """Never: there is no last silence."""
        return False

    def prepare(self) -> None:
        """Nothing to get."""

    def open(self) -> None:
        """Starts the time."""
        self._next = 0
        self._pacer.start()

    def read(self) -> Frame:
        """A frame of silence at its time."""
        number = self._next
        self._next += 1
        self._pacer.wait(self._next)
        return Frame(number, self._pacer.t0 + number * FRAME_S)

    def close(self) -> None:
        """Nothing to stop."""

    def counters(self) -> dict[str, float]:
        """Frames given, and how many were late because the reader was."""
        return {
            'frames_read': self._next,
            'frames_late': self._pacer.late,
            'max_late_s': self._pacer.max_late_s,
            'clock_jumps': self._pacer.jumps,
        }


class WavSource:
    """A sound file heard at real time, then silence so that the conversation can come to its end.

    Frame k is given when its last sample would have been heard, 80 ms * (k + 1) after open(), and
    never before; where the reader is slow the frames follow at once and none is left out.
    """

    def __init__(self, path: str | Path, *, clock: Clock, sleep: Sleep) -> None:
        self.path = Path(path)
        self._pacer = Pacer(clock, sleep)
        self.sound: Sound | None = None
        self._frames: Iterator[Frame] = iter(())
        self._next = 0
        self._given = 0  # frames of the file

    @property
    def ended(self) -> bool:
        """Whether the last frame of the file was given."""
        sound = self.sound
        return sound is not None and self._given * FRAME_S >= sound.duration

    def prepare(self) -> None:
        """Reads the file, once; raises BadAudio. Lets a file be judged before the time starts."""
        self._load()

    def _load(self) -> Sound:
        if self.sound is None:
            self.sound = read_wav(self.path)
        return self.sound

    def open(self) -> None:
        """Starts the time at the first sample of the file; raises BadAudio."""
        sound = self._load()
        self._next = self._given = 0
        self._frames = sound.frames(self._pacer.start())

    def read(self) -> Frame:
        """The next frame of the file, or of the silence after it, at its time."""
        frame = next(self._frames, None)
        number = self._next
        self._next += 1
        self._pacer.wait(self._next)
        t = self._pacer.t0 + number * FRAME_S  # known now: the clock may have jumped
        if frame is None:
            return Frame(number, t)
        self._given += 1
        return replace(frame, t=t)

    def close(self) -> None:
        """Forgets where it was in the file."""
        self._frames = iter(())

    def counters(self) -> dict[str, float]:
        """Frames given, those of the file among them, and what was mended in the file."""
        sound = self.sound
        return {
            'frames_read': self._next,
            'frames_of_file': self._given,
            'frames_late': self._pacer.late,
            'max_late_s': self._pacer.max_late_s,
            'clock_jumps': self._pacer.jumps,
            'samples_zeroed': sound.zeroed if sound else 0,
            'samples_clipped': sound.clipped if sound else 0,
        }
