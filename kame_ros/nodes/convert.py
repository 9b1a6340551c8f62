"""Between the types of the domain and the messages on the wire."""

from __future__ import annotations

import array

import numpy as np
from builtin_interfaces.msg import Time
from std_msgs.msg import Header

import kame_ros.msg as msg
from kame_ros.audio.frame import FRAME_SAMPLES, SAMPLE_RATE, Frame
from kame_ros.oracle.chunk import ChunkKind, OracleChunk
from kame_ros.stt.transcript import Transcript, Word

_LAST_S = 2**31 - 1  # the last second that a ROS time can tell
_MAX_TEXT = 20_000  # characters, or words with their times: half an hour without a pause
_LAST_SEQ = 2**63 - 1  # the last seq that fits in a source_seq


def to_time(seconds: float) -> Time:
    """Seconds on the audio clock as a ROS time; what no ROS time can tell becomes the nearest."""
    if not 0.0 <= seconds <= _LAST_S:  # nan is neither
        return Time(sec=_LAST_S) if seconds > 0.0 else Time()
    nanoseconds = round(seconds * 1e9)
    return Time(sec=nanoseconds // 1_000_000_000, nanosec=nanoseconds % 1_000_000_000)


def from_time(time: Time) -> float:
    """A ROS time as seconds on the audio clock."""
    return time.sec + time.nanosec * 1e-9


def header(seconds: float, frame_id: str = '') -> Header:
    """A header stamped with a time on the audio clock."""
    return Header(stamp=to_time(seconds), frame_id=frame_id)


def frame_to_message(frame: Frame, frame_id: str = '') -> msg.AudioFrame:
    """A frame of sound as a message."""
    return msg.AudioFrame(
        header=header(frame.t, frame_id),
        seq=frame.seq,
        source_seq=frame.source_seq,
        sample_rate=SAMPLE_RATE,
        channels=1,
        # array.array passes as it is; assigning a numpy array is two hundred times slower.
        data=array.array('h', frame.samples.tobytes()),
    )


def frame_from_message(message: msg.AudioFrame) -> Frame:
    """A frame of sound from a message.

    Raises ValueError for another sample rate, channel count or length than those of a frame, and
    for a seq that no source_seq can hold.
    """
    if message.seq > _LAST_SEQ:
        raise ValueError(f'the seq of an audio frame is below 2^63, not {message.seq}')
    samples = np.frombuffer(message.data, np.int16)
    if message.sample_rate != SAMPLE_RATE or message.channels != 1 or len(samples) != FRAME_SAMPLES:
        raise ValueError(
            f'an audio frame is {FRAME_SAMPLES} samples, mono, at {SAMPLE_RATE} Hz, not '
            f'{len(samples)} samples, {message.channels} channels, at {message.sample_rate} Hz'
        )
    return Frame(message.seq, from_time(message.header.stamp), samples, message.source_seq)


def transcript_to_message(transcript: Transcript, now: float) -> msg.Transcript:
    """A transcript as a message that was published at `now`."""
    return msg.Transcript(
        header=header(now),
        utterance=transcript.utterance,
        revision=transcript.revision,
        text=transcript.text,
        committed=transcript.committed,
        final=transcript.final,
        language=transcript.language,
        start=to_time(transcript.start),
        end=to_time(transcript.end),
        words=[
            msg.Word(
                text=word.text,
                start=to_time(word.start),
                end=to_time(word.end),
                probability=float(word.probability),
            )
            for word in transcript.words
        ],
    )


def transcript_from_message(message: msg.Transcript) -> Transcript:
    """A transcript from a message.

    Raises ValueError where the message contradicts itself, or is far longer than anybody speaks.
    """
    if len(message.text) > _MAX_TEXT or len(message.words) > _MAX_TEXT:
        raise ValueError(f'a transcript of {len(message.text)} characters is none')
    return Transcript(
        utterance=message.utterance,
        revision=message.revision,
        text=message.text,
        committed=message.committed,
        final=message.final,
        start=from_time(message.start),
        end=from_time(message.end),
        language=message.language,
        words=tuple(
            Word(word.text, from_time(word.start), from_time(word.end), word.probability)
            for word in message.words
        ),
    )


def chunk_to_message(chunk: OracleChunk, now: float) -> msg.OracleChunk:
    """A piece of an oracle as a message that was published at `now`."""
    return msg.OracleChunk(
        header=header(now),
        source=chunk.source,
        priority=chunk.priority,
        generation=chunk.generation,
        kind=int(chunk.kind),
        text=chunk.text,
        utterance=chunk.utterance,
        revision=chunk.revision,
    )


def chunk_from_message(message: msg.OracleChunk) -> OracleChunk:
    """A piece of an oracle from a message.

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
