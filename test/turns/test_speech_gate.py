import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_ros.turns.speech_gate import WINDOW_S as W
from kame_ros.turns.speech_gate import Edge, GateConfig, SpeechGate

CONFIG = GateConfig(min_speech_s=3 * W, min_silence_s=4 * W, max_dip_s=2 * W)


def run(probabilities, config=CONFIG):
    """The events as (edge, window of t, window in which it was decided)."""
    gate = SpeechGate(config)
    events = []
    for i, p in enumerate(probabilities):
        if event := gate.push(p, i * W):
            events.append((event.edge, round(event.t / W), round(event.decided / W)))
    return events


@pytest.mark.parametrize(
    ('name', 'probabilities', 'events'),
    [
        ('silence', [0.0] * 50, []),
        ('a click', [0.0, 0.9, 0.9, 0.0, 0.0, 0.0, 0.9, 0.9, 0.0], []),
        ('speech', [0, 0.9, 0.9, 0.9, 0, 0, 0, 0, 0], [(Edge.START, 1, 4), (Edge.END, 4, 8)]),
        ('a dip before the start', [0.9, 0.9, 0.1, 0.1, 0.9, 0.9], [(Edge.START, 0, 5)]),
        ('too long a dip', [0.9, 0.9, 0.1, 0.1, 0.1, 0.9, 0.9], []),
        ('a pause is no end', [0.9] * 3 + [0] * 3 + [0.9] * 3, [(Edge.START, 0, 3)]),
        ('weak voice goes on', [0.9] * 3 + [0.4] * 9, [(Edge.START, 0, 3)]),
        ('weak voice does not begin', [0.4] * 20, []),
        (
            'weak voice does not resume',
            [0.9] * 3 + [0.0] + [0.4] * 5,
            [(Edge.START, 0, 3), (Edge.END, 3, 7)],
        ),
        ('not a number', [float('nan')] * 9, []),
    ],
)
def test_gate(name, probabilities, events):
    assert run(probabilities) == events


@given(st.lists(st.floats(0, 1), max_size=300))
def test_edges_alternate_and_times_grow(probabilities):
    events = run(probabilities)
    assert [e[0] for e in events] == [Edge.START, Edge.END] * (len(events) // 2) + [Edge.START] * (
        len(events) % 2
    )
    times = [e[1] for e in events]
    assert times == sorted(times)
    for edge, t, decided in events:
        assert decided - t >= (3 if edge is Edge.START else 4)


def test_pause_is_counted_only_in_speech():
    gate = SpeechGate(CONFIG)
    assert gate.pause(5.0) == 0.0
    for i in range(3):
        gate.push(0.9, i * W)
    assert gate.pause(5 * W) == pytest.approx(2 * W)
    assert gate.voiced_s == pytest.approx(3 * W)


@pytest.mark.parametrize(
    'bad', [{'leave_ratio': 1.1}, {'speech_threshold': 0.0}, {'min_speech_s': -1.0}]
)
def test_impossible_configs(bad):
    with pytest.raises(ValueError, match=r'leave|threshold|negative'):
        GateConfig(**bad)
