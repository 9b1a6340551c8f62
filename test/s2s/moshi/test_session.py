"""What one session of a shared model remembers."""

from __future__ import annotations

import numpy as np
import pytest

from kame_ros.s2s.front_end import Event, Piece
from kame_ros.s2s.moshi.oracle.monologue import Monologue
from kame_ros.s2s.moshi.oracle.oracle_stream import OracleStream
from kame_ros.s2s.moshi.session import SILENT_AFTER, UNSPOKEN_AFTER, Session
from kame_ros.wire.oracle import Oracle
from kame_ros.wire.turn import TurnKind

PADDING = 3


def test_a_barge_in_forgets_the_oracle_and_tells_so():
    robot = session()
    speech = Oracle('llm', 1, 'uvwxyz', True)
    run(robot, speech, '...')
    robot.barge_in()
    out = run(robot, speech, 'abc')
    assert [fed for fed, _ in out] == [PADDING] * 3
    assert out[0][1].events == (Event(TurnKind.BARGE_IN, 'llm', 1),)
    assert 0 < robot.hush < 12  # it is silent for a while


def sound(rms: float) -> np.ndarray:
    return np.full(1920, rms, np.int16)


class FakeTokenizer:
    """Token n is the letter n; as pieces they carry no space."""

    def vocab_size(self) -> int:
        return 200

    def is_control(self, token: int) -> bool:
        return False

    is_byte = is_unknown = is_control

    def id_to_piece(self, token: int) -> str:
        return chr(token)


def session(retries: int = 0) -> Session:
    stream = OracleStream(lambda text: [ord(c) for c in text if c != ' '], 200, PADDING)
    return Session(stream, Monologue(FakeTokenizer(), {PADDING}), hush_frames=5, retries=retries)


def run(session: Session, oracle: Oracle | None, text: str) -> list:
    """One frame for each letter of `text`, where a dot is padding; gives (fed, step)."""
    out = []
    for letter in text:
        fed = session.next_token(oracle)
        out.append((fed, session.say(sound(0), PADDING if letter == '.' else ord(letter))))
    return out


def test_pieces_and_events_name_their_oracle():
    robot = session()
    out = run(robot, None, 'a') + run(robot, Oracle('llm', 4, 'xy', True), '.bc' + '.' * 20)
    assert [piece for _, step in out for piece in step.pieces] == [
        Piece('a'),
        Piece('b', 'llm', 4),
        Piece('c', 'llm', 4),
    ]
    events = [(at, event) for at, (_, step) in enumerate(out) for event in step.events]
    assert events == [
        (1, Event(TurnKind.ORACLE_APPLIED, 'llm', 4)),
        (3 + SILENT_AFTER, Event(TurnKind.ORACLE_SPOKEN, 'llm', 4)),
    ]


@pytest.mark.parametrize(
    ('oracle', 'text'),
    [
        (Oracle('llm', 1, 'xy', True), '.' * 40),  # nothing was said
        (Oracle('llm', 1, 'xy ', False), 'ab' + '.' * 40),  # the oracle may go on
    ],
)
def test_what_is_not_over_is_not_called_spoken(oracle, text):
    kinds = [event.kind for _, step in run(session(), oracle, text) for event in step.events]
    assert kinds == [TurnKind.ORACLE_APPLIED]


def test_interrupt_forgets_the_oracle_and_hushes():
    robot = session()
    speech = Oracle('llm', 1, 'uvwxyz', True)
    assert [fed for fed, _ in run(robot, speech, '...')] == [200, ord('u'), ord('v')]
    robot.interrupt()
    assert robot.hush == 5
    assert [fed for fed, _ in run(robot, speech, '...')] == [PADDING] * 3
    after = run(robot, Oracle('llm', 2, 'k', True), 'ab')
    assert [fed for fed, _ in after] == [200, ord('k')]
    assert robot.counters()['oracle_cleared'] == 4


@pytest.mark.parametrize('stays', [True, False])
def test_whose_speech_a_reset_cuts_off_is_told_that_it_ended_if_they_stay(stays):
    robot = session()
    robot.say(sound(9_000), PADDING)
    assert robot.speaking
    robot.reset(stays)
    robot.reset(stays)
    told = [[e.kind for e in robot.say(sound(0), PADDING).events] for _ in range(9)]
    assert told == [[TurnKind.ROBOT_SPEECH_END] if stays else []] + 8 * [[]]
    robot.reset(stays)
    assert robot.say(sound(0), PADDING).events == ()


def test_reset_leaves_nothing():
    robot = session()
    run(robot, Oracle('llm', 1, 'uvwxyz', True), 'abc')
    robot.interrupt()
    robot.reset()
    assert robot.fresh
    assert robot.hush == 0
    out = run(robot, None, 'd')
    assert out[0][0] == PADDING
    assert out[0][1].pieces == (Piece('d'),)


def test_an_oracle_that_was_taken_without_a_word_is_fed_once_more():
    robot = session(retries=1)
    answer = Oracle('llm', 1, 'abcd', True)
    first = run(robot, answer, '.' * (5 + UNSPOKEN_AFTER - 1))
    assert [fed for fed, _ in first[:6]] == [200, *map(ord, 'abcd'), PADDING]
    assert robot.counters()['oracle_retried'] == 1
    second = run(robot, answer, '.....')
    assert [fed for fed, _ in second] == [200, *map(ord, 'abcd')]
    spoken = run(robot, answer, 'abcd' + '.' * SILENT_AFTER)
    events = [event.kind for _, step in spoken for event in step.events]
    assert events == [TurnKind.ORACLE_SPOKEN]
    counters = robot.counters()
    assert (counters['oracle_unspoken'], counters['oracle_recall']) == (0, 1.0)
    assert counters['oracle_fed'] == 8


def test_a_second_silence_is_counted_and_the_rest_is_left_to_others():
    robot = session(retries=1)
    answer = Oracle('llm', 1, 'abcd', True)
    out = run(robot, answer, '.' * 200)
    kinds = [event.kind for _, step in out for event in step.events]
    assert kinds == [TurnKind.ORACLE_APPLIED]  # it was not spoken
    counters = robot.counters()
    assert (counters['oracle_retried'], counters['oracle_unspoken']) == (1, 1)
    assert counters['oracle_recall'] == 0.0
    robot.next_token(None)
    out = run(robot, Oracle('llm', 2, 'xy', True), 'xy' + '.' * 20)
    assert out[-1][1].events == ()
    assert robot.counters()['oracle_retried'] == 1
    assert robot.counters()['oracle_recall'] == pytest.approx(2 / 6, abs=0.001)


def test_other_words_than_the_oracle_are_not_the_oracle():
    robot = session(retries=1)
    answer = Oracle('llm', 1, 'abcd', True)
    out = run(robot, answer, '.....wxyz' + '.' * SILENT_AFTER)
    assert [e.kind for _, step in out for e in step.events] == [TurnKind.ORACLE_APPLIED]
    assert robot.counters()['oracle_retried'] == 1
    out = run(robot, answer, '.....abxx' + '.' * SILENT_AFTER)
    assert [e.kind for _, step in out for e in step.events] == [TurnKind.ORACLE_SPOKEN]
    assert robot.counters()['oracle_recall'] == 0.5
    assert robot.counters()['oracle_unspoken'] == 0


def test_nothing_is_fed_again_to_a_robot_that_was_interrupted_or_has_a_newer_text():
    robot = session(retries=1)
    run(robot, Oracle('llm', 1, 'abcd', True), '.' * 10)
    robot.interrupt()
    run(robot, Oracle('llm', 1, 'abcd', True), '.' * 60)
    assert robot.counters()['oracle_retried'] == 0
    run(robot, Oracle('llm', 2, 'ef', True), '.' * 20)
    out = run(robot, Oracle('llm', 3, 'gh', True), '.' * (3 + UNSPOKEN_AFTER - 1))
    assert robot.counters()['oracle_retried'] == 1
    assert [fed for fed, _ in out if fed != PADDING] == [200, *map(ord, 'gh')]
    robot.reset()
    assert robot.next_token(None) == PADDING
