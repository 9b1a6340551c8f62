import array

import numpy as np
import pytest

from kame_ros import msg
from kame_ros.nodes.common import convert
from kame_ros.wire.frame import FRAME_SAMPLES, Frame
from kame_ros.wire.oracle import ChunkKind, OracleChunk
from kame_ros.wire.transcript import Transcript, Word

T = 1_795_000_000.123456


def test_a_frame_survives_the_wire():
    samples = np.arange(FRAME_SAMPLES, dtype=np.int16) - 900
    frame = Frame(7, T, samples, source_seq=5)
    message = convert.frame_to_message(frame, 'microphone')
    again = convert.frame_from_message(message)
    assert (again.seq, again.source_seq) == (7, 5)
    assert again.t == pytest.approx(T, abs=1e-6)
    assert np.array_equal(again.samples, samples)
    assert (message.sample_rate, message.channels) == (24_000, 1)
    assert message.header.frame_id == 'microphone'


@pytest.mark.parametrize(
    'change',
    [{'sample_rate': 16_000}, {'channels': 2}, {'data': array.array('h', [1, 2, 3])}],
)
def test_a_frame_of_another_shape_is_refused(change):
    message = convert.frame_to_message(Frame(0, T))
    for name, value in change.items():
        setattr(message, name, value)
    with pytest.raises(ValueError, match='an audio frame is 1920 samples, mono, at 24000 Hz'):
        convert.frame_from_message(message)


def test_a_transcript_survives_the_wire():
    words = (Word('Hello', T, T + 0.5, 0.75),)
    transcript = Transcript(3, 2, 'Hello wörld', 5, False, T, T + 1, 'en', words, stable=7)
    again = convert.transcript_from_message(convert.transcript_to_message(transcript, T + 2))
    assert (again.text, again.committed, again.final) == ('Hello wörld', 5, False)
    assert (again.stable, again.stable_text) == (7, 'Hello w')
    assert again.words[0].text == 'Hello'
    assert again.end == pytest.approx(T + 1, abs=1e-6)


@pytest.mark.parametrize('count', ['committed', 'stable'])
def test_a_transcript_that_contradicts_itself_is_refused(count):
    message = msg.Transcript(text='Hi', **{count: 9})
    with pytest.raises(ValueError, match='outside the text'):
        convert.transcript_from_message(message)


@pytest.mark.parametrize('kind', ChunkKind)
def test_a_chunk_survives_the_wire(kind):
    chunk = OracleChunk('llm', 9, kind, ' text', 2, 4, 5)
    assert convert.chunk_from_message(convert.chunk_to_message(chunk, T)) == chunk
    assert getattr(msg.OracleChunk, kind.name) == kind


def test_a_chunk_of_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match='99'):
        convert.chunk_from_message(msg.OracleChunk(kind=99))


def test_times_before_the_epoch_become_zero():
    assert convert.from_time(convert.to_time(-1.0)) == 0.0
