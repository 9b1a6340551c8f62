"""Makes ROS messages of the plain types of kame_ros/wire, and the other way round."""

from __future__ import annotations

import array

from builtin_interfaces.msg import Time
from std_msgs.msg import Header

import kame_ros.msg as msg
from kame_ros.text.well_formed import printable
from kame_ros.wire.frame import SAMPLE_RATE, Frame
from kame_ros.wire.from_message import chunk_from_message as chunk_from_message
from kame_ros.wire.from_message import frame_from_message as frame_from_message
from kame_ros.wire.from_message import from_time as from_time
from kame_ros.wire.from_message import health_from_status as health_from_status
from kame_ros.wire.from_message import monologue_from_message as monologue_from_message
from kame_ros.wire.from_message import transcript_from_message as transcript_from_message
from kame_ros.wire.from_message import turn_from_message as turn_from_message
from kame_ros.wire.oracle import OracleChunk
from kame_ros.wire.transcript import Transcript
from kame_ros.wire.turn import TurnEvent

_LAST_S = 2**31 - 1  # the last second that a ROS time can tell


def to_time(seconds: float) -> Time:
    """Seconds on the audio clock as a ROS time; what no ROS time can tell becomes the nearest."""
    if not 0.0 <= seconds <= _LAST_S:  # nan is neither
        return Time(sec=_LAST_S) if seconds > 0.0 else Time()
    nanoseconds = round(seconds * 1e9)
    return Time(sec=nanoseconds // 1_000_000_000, nanosec=nanoseconds % 1_000_000_000)


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


def transcript_to_message(transcript: Transcript, now: float) -> msg.Transcript:
    """A transcript as a message that was published at `now`."""
    return msg.Transcript(
        header=header(now),
        utterance=transcript.utterance,
        revision=transcript.revision,
        text=transcript.text,
        committed=transcript.committed,
        stable=transcript.stable,
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


def turn_to_message(event: TurnEvent, source: str) -> msg.TurnEvent:
    """Something that happened as a message; `source` tells of what names none."""
    return msg.TurnEvent(
        header=header(event.t),
        kind=int(event.kind),
        source=event.source or source,
        generation=event.generation,
        utterance=event.utterance,
        revision=event.revision,
        text=printable(event.text),
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
