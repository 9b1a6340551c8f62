"""Tells when a conversation that is recorded is over, from what is heard of it."""

from __future__ import annotations

from typing import Protocol

from kame_ros.audio.level import SPEECH_PEAK_DBFS, pcm
from kame_ros.consumers.consumer import Consumer
from kame_ros.record.ending import Ending
from kame_ros.record.record import Record
from kame_ros.wire.frame import Frame
from kame_ros.wire.transcript import Transcript
from kame_ros.wire.turn import TurnEvent

_LOUD = pcm(SPEECH_PEAK_DBFS)


class SpeechSense(Protocol):
    """What tells whether somebody speaks in a frame."""

    def hear(self, frame: Frame) -> bool:
        """The frames come one after the other."""


class Loudness:
    """Takes any sound that is not very soft for speech: also the silence of some neural codecs."""

    def hear(self, frame: Frame) -> bool:
        """See SpeechSense."""
        return frame.peak > _LOUD


class EndWatch(Consumer):
    """Tells an `Ending` what it has to know; the record must be told before it.

    `voice` tells the robot's speech from its silence.
    """

    def __init__(self, ending: Ending, record: Record, voice: SpeechSense | None = None) -> None:
        self._voice = voice or Loudness()
        self._ending = ending
        self._record = record
        self._now = 0.0  # the time of the newest frame, on the audio clock

    @property
    def outcome(self) -> str:
        """See `Ending.done`."""
        return self._ending.done(self._now)

    def on_mic(self, frame: Frame) -> None:
        """Time goes on with what is heard."""
        self._now = max(self._now, frame.end)

    def on_played(self, frame: Frame) -> None:
        """The robot speaks, or is silent."""
        self._ending.on_sound(frame.end, self._voice.hear(frame))

    def on_transcript(self, transcript: Transcript) -> None:
        """The user has said something."""
        if transcript.final and not transcript.text.strip():
            self._ending.on_no_words()
        elif transcript.final:
            answered = self._record.generations.answered(transcript.utterance, transcript.text)
            self._ending.on_final(transcript.utterance, self._now, answered)

    def on_turn(self, event: TurnEvent) -> None:
        """An answer begins, ends, fails."""
        self._ending.on_event(event)
