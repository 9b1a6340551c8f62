"""What is read in one frame, however much has come; no time passes."""

from __future__ import annotations

from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_ros.s2s.mux.intake import A_FRAME, MAX_WAITING, Intake
from kame_ros.s2s.mux.mux import OracleMux
from kame_ros.text import reader
from kame_ros.wire.oracle import ChunkKind, OracleChunk


def text(of: str, source: str = 'a') -> OracleChunk:
    return OracleChunk(source, 0, ChunkKind.TEXT, of)


def frames(intake: Intake) -> list[list[OracleChunk]]:
    """Frame by frame, until nothing waits."""
    taken = []
    while len(intake):
        taken.append(intake.take())
        assert taken[-1], 'a frame in which nothing is read never ends'
    return taken


def _turns(names: list[str]) -> list[str]:
    return [name for name, _ in groupby(names)]


@given(
    st.lists(st.tuples(st.sampled_from('ab'), st.text(max_size=300)), max_size=20),
    st.integers(11, 200),
)
def test_all_is_read_in_its_order_and_no_frame_reads_more_than_its_share(chunks, share):
    intake = Intake(500, a_frame=share)
    for source, words in chunks:
        assert intake.put(text(words, source))
    taken = frames(intake)
    assert all(sum(len(chunk.text) for chunk in frame) <= share for frame in taken)
    assert all(len(frame) <= share // 4 + 1 for frame in taken)
    for source in 'ab':
        read = ''.join(c.text for frame in taken for c in frame if c.source == source)
        assert read == ''.join(words for name, words in chunks if name == source)
    order = [c.source for frame in taken for c in frame]
    assert _turns(order) == _turns([name for name, _ in chunks])
    assert intake.dropped == 0
    assert intake._waiting == 0


def test_what_is_said_does_not_depend_on_the_share():
    words = 'It is **-5 °C**, <b>Mr.</b> Smith; `x` costs $3.50. ' * 40
    said = set()
    for share in (11, 37, 1_000, 16_000):
        intake, mux = Intake(500, a_frame=share), OracleMux()
        for chunk in (
            OracleChunk('a', 0, ChunkKind.BEGIN), text(words), OracleChunk('a', 0, ChunkKind.END),
        ):  # fmt: skip
            assert intake.put(chunk)
        for frame in frames(intake):
            for chunk in frame:
                mux.on_chunk(chunk)
        now = mux.current()
        assert now is not None
        assert now.ended
        said.add(now.text)
    assert len(said) == 1


def test_a_giant_text_takes_many_frames_and_not_for_ever():
    intake = Intake(500)
    assert intake.put(text('x' * 10_000_000))
    assert intake.put(text('a word', 'b'))
    assert intake.cut_chars == 10_000_000 - reader.MOST
    assert len(frames(intake)) <= 2 + (reader.MOST + 20) // (A_FRAME - 20)


def test_the_flood_is_refused_and_what_waits_is_soon_read():
    intake = Intake(500)
    put = [intake.put(text('x' * 3_000)) for _ in range(500)]
    assert put.count(True) == MAX_WAITING // 3_010
    assert intake.counters('oracle')['oracle_dropped'] == put.count(False)
    assert len(frames(intake)) <= 1 + MAX_WAITING // (A_FRAME - 20)
    assert intake.put(text('there is room again'))


def test_small_chunks_have_a_bound_of_their_own():
    intake = Intake(500)
    assert [intake.put(OracleChunk('a', k, ChunkKind.CLEAR)) for k in range(501)][-1] is False
    assert max(map(len, frames(intake))) < A_FRAME // 3
    assert intake.deepest == 500


def test_what_is_no_text_is_not_read():
    intake = Intake(5)
    assert intake.put(OracleChunk('a', 0, ChunkKind.END, 'x' * 1_000_000))
    assert [chunk.text for chunk in intake.take()] == ['']
    assert intake.cut_chars == 0


def test_what_is_forgotten_is_told():
    intake = Intake(5)
    intake.put(text('x' * 2_000))
    intake.put(text('y'))
    intake.take()
    assert intake.forget() == 2
    assert intake.take() == []
    assert intake._waiting == 0


@pytest.mark.parametrize('wrong', [{'bound': 0}, {'a_frame': 10}, {'max_waiting': 9}])
def test_an_intake_that_takes_nothing_is_refused(wrong):
    with pytest.raises(ValueError, match='room'):
        Intake(**{'bound': 1, **wrong})
