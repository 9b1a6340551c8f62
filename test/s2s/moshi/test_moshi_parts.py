"""The small parts of the front-end without torch: configuration, gauge, gate, session."""

from __future__ import annotations

import numpy as np
import pytest

from kame_ros.oracle.chunk import Oracle
from kame_ros.s2s.front_end import Event, Happening, Piece
from kame_ros.s2s.moshi.config import MoshiConfig
from kame_ros.s2s.moshi.gauge import REMEMBERED, SUSTAINED, StepGauge
from kame_ros.s2s.moshi.loudness import QUIET_FRAMES, LoudnessGate
from kame_ros.s2s.moshi.monologue import Monologue
from kame_ros.s2s.moshi.oracle_stream import OracleStream
from kame_ros.s2s.moshi.session import SILENT_AFTER, Session

PADDING = 3


@pytest.mark.parametrize(
    ('wrong', 'complaint'),
    [
        ({'mode': 'lifo'}, 'mode must be one of fifo, positional'),
        ({'dtype': 'int8'}, 'dtype must be one of'),
        ({'quantise': 'int2'}, 'quantise must be one of'),
        ({'context': -1}, 'context must be at least 0'),
        ({'temperature': -0.1}, 'temperature must be at least 0'),
        ({'slots': 0}, 'slots must be at least 1'),
        ({'device': 'tpu'}, 'device must be'),
        ({'weights': ''}, 'weights must name'),
        ({'quantise': 'int8', 'lean': False}, 'needs lean'),
    ],
)
def test_a_wrong_parameter_is_refused(wrong, complaint):
    with pytest.raises(ValueError, match=complaint):
        MoshiConfig(**wrong)


def test_building_needs_no_torch_until_it_is_called():
    import subprocess
    import sys

    code = (
        'import sys\n'
        'import kame_ros.s2s.moshi.build, kame_ros.s2s.moshi.session\n'
        "assert not {'torch', 'moshi'} & set(sys.modules)"
    )
    env = {'PYTHONPATH': ':'.join(path for path in sys.path if path)}
    subprocess.run([sys.executable, '-c', code], check=True, env=env)


def test_gauge_percentiles_and_slow_steps():
    gauge = StepGauge('cpu')
    assert (gauge.percentile(50), gauge.real_time_factor(), gauge.complaint()) == (0, 0, '')
    for milliseconds in range(1, 101):
        gauge.add(milliseconds / 1000)
    assert gauge.steps == 100
    assert gauge.slow == 20
    assert gauge.percentile(50) == pytest.approx(0.051)
    assert gauge.percentile(99) == pytest.approx(0.100)
    assert gauge.real_time_factor() == pytest.approx(0.0505 / 0.08)


@pytest.mark.parametrize(('device', 'advice'), [('cpu', 'tts front-end'), ('cuda', 'quantise')])
def test_gauge_complains_about_sustained_slowness_only(device, advice):
    gauge = StepGauge(device)
    for _ in range(SUSTAINED - 1):
        gauge.add(0.1)
    assert gauge.complaint() == ''
    gauge.add(0.1)
    assert 'needs 1.25 s for each second' in gauge.complaint()
    assert advice in gauge.complaint()
    for _ in range(SUSTAINED):
        gauge.add(0.05)
    assert gauge.complaint() == ''
    for _ in range(2 * REMEMBERED):
        gauge.add(0.01)
    assert gauge.percentile(100) == 0.01


def test_a_barge_in_forgets_the_oracle_and_tells_so():
    robot = session()
    speech = Oracle('llm', 1, 'uvwxyz', True)
    run(robot, speech, '...')
    robot.barge_in()
    out = run(robot, speech, 'abc')
    assert [fed for fed, _ in out] == [PADDING] * 3
    assert out[0][1].events == (Event(Happening.BARGE_IN, 'llm', 1),)
    assert 0 < robot.hush < 12  # it is silent for a while


def sound(rms: float) -> np.ndarray:
    return np.full(1920, rms, np.int16)


def test_gate_bridges_a_pause_between_words():
    gate = LoudnessGate()
    frames = [10, 2000, 2000, *[10] * (QUIET_FRAMES - 1), 2000, *[10] * (QUIET_FRAMES + 2)]
    felt = [gate.feel(sound(level)) for level in frames]
    turns = [(at, turn) for at, turn in enumerate(felt) if turn is not None]
    assert turns == [
        (1, Happening.ROBOT_SPEECH_START),
        (len(frames) - 3, Happening.ROBOT_SPEECH_END),
    ]


class FakeTokenizer:
    """Token n is the letter n; as pieces they carry no space."""

    def vocab_size(self) -> int:
        return 200

    def is_control(self, token: int) -> bool:
        return False

    is_byte = is_unknown = is_control

    def id_to_piece(self, token: int) -> str:
        return chr(token)


def session() -> Session:
    stream = OracleStream(lambda text: [ord(c) for c in text if c != ' '], 200, PADDING)
    return Session(stream, Monologue(FakeTokenizer(), {PADDING}), hush_frames=5)


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
        (1, Event(Happening.ORACLE_APPLIED, 'llm', 4)),
        (3 + SILENT_AFTER, Event(Happening.ORACLE_SPOKEN, 'llm', 4)),
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
    assert kinds == [Happening.ORACLE_APPLIED]


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
