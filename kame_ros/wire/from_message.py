"""Makes the plain types of this room of ROS messages, told apart by their fields alone. No ROS.

So messages of rclpy and those that are read from a file are read alike.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kame_ros.wire.frame import FRAME_SAMPLES, SAMPLE_RATE, Frame
from kame_ros.wire.health import Health
from kame_ros.wire.monologue import MonologueToken
from kame_ros.wire.oracle import ChunkKind, OracleChunk
from kame_ros.wire.transcript import Transcript, Word
from kame_ros.wire.turn import TurnEvent, TurnKind

_MAX_TEXT = 20_000  # characters, or words with their times: half an hour without a pause
_LAST_SEQ = 2**63 - 1  # the last seq that fits in a source_seq


def from_time(time: Any) -> float:
    """A ROS time as seconds on the audio clock."""
    return float(time.sec + time.nanosec * 1e-9)


def frame_from_message(message: Any) -> Frame:
    """A frame of sound from an AudioFrame.

    Raises ValueError for another sample rate, channel count or length than those of a frame, and
    for a seq that no source_seq can hold.
    """
    if message.seq > _LAST_SEQ:
        raise ValueError(f'the seq of an audio frame is below 2^63, not {message.seq}')
    samples = np.asarray(message.data, np.int16)
    if message.sample_rate != SAMPLE_RATE or message.channels != 1 or len(samples) != FRAME_SAMPLES:
        raise ValueError(
            f'an audio frame is {FRAME_SAMPLES} samples, mono, at {SAMPLE_RATE} Hz, not '
            f'{len(samples)} samples, {message.channels} channels, at {message.sample_rate} Hz'
        )
    return Frame(message.seq, from_time(message.header.stamp), samples, message.source_seq)


def transcript_from_message(message: Any) -> Transcript:
    """A transcript from a Transcript.

    Raises ValueError where the message contradicts itself, or is far longer than anybody speaks.
    """
    if len(message.text) > _MAX_TEXT or len(message.words) > _MAX_TEXT:
        raise ValueError(f'a transcript of {len(message.text)} characters is none')
    return Transcript(
        utterance=message.utterance,
        revision=message.revision,
        text=message.text,
        committed=message.committed,
        stable=message.stable,
        final=message.final,
        start=from_time(message.start),
        end=from_time(message.end),
        language=message.language,
        published=from_time(message.header.stamp),
        words=tuple(
            Word(word.text, from_time(word.start), from_time(word.end), word.probability)
            for word in message.words
        ),
    )


def chunk_from_message(message: Any) -> OracleChunk:
    """A piece of an oracle from an OracleChunk.

    Raises ValueError for a kind that does not exist.
    """
    return OracleChunk(
        source=message.source,
        generation=message.generation,
        kind=ChunkKind(message.kind),
        text=message.text,
        priority=message.priority,
        utterance=message.utterance,
        revision=message.revision,
    )


def monologue_from_message(message: Any) -> MonologueToken:
    """The words of a MonologueToken."""
    t = from_time(message.header.stamp)
    return MonologueToken(message.seq, t, message.text, message.source, message.generation)


def turn_from_message(message: Any) -> TurnEvent:
    """The event of a TurnEvent; raises ValueError for a kind that is not known."""
    return TurnEvent(
        TurnKind(message.kind),
        from_time(message.header.stamp),
        message.source,
        message.generation,
        message.utterance,
        message.revision,
        message.text,
    )


def health_from_status(status: Any) -> Health:
    """What a node tells of itself, from a DiagnosticStatus."""
    values = {item.key: item.value for item in status.values}
    level = status.level if isinstance(status.level, int) else int.from_bytes(status.level, 'big')
    return Health(values.pop('state', ''), level, status.message, values)
