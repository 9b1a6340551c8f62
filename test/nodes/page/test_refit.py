"""Another ear and mouth while the robot runs, whatever fails on the way."""

import asyncio

import pytest

pytest.importorskip('rclpy')
from lifecycle_msgs.msg import State, Transition

from kame_ros.nodes.page.refit import CAPTURE, PLAYBACK, refit
from kame_ros.realtime.refusal import Refused

NEW, INACTIVE, ACTIVE = (
    State.PRIMARY_STATE_UNCONFIGURED,
    State.PRIMARY_STATE_INACTIVE,
    State.PRIMARY_STATE_ACTIVE,
)
STEPS = {
    Transition.TRANSITION_CONFIGURE: (NEW, INACTIVE),
    Transition.TRANSITION_ACTIVATE: (INACTIVE, ACTIVE),
    Transition.TRANSITION_DEACTIVATE: (ACTIVE, INACTIVE),
    Transition.TRANSITION_CLEANUP: (INACTIVE, NEW),
}
CARD = {
    CAPTURE: {'source': 'device', 'device': 'old', 'echo_cancellation': 'auto'},
    PLAYBACK: {'sink': 'device', 'device': 'old'},
}


class FakeNodes:
    """Two nodes that refuse what a managed node does, and the calls of these numbers."""

    def __init__(self, state=ACTIVE, fails=(), gone=''):
        self.values = {node: dict(values) for node, values in CARD.items()}
        self.states = dict.fromkeys(CARD, state)
        self.calls, self.fails, self.gone = 0, set(fails), gone

    def _call(self, node, changes=True):
        self.calls += changes
        if node == self.gone or (changes and self.calls in self.fails):
            raise Refused(f'{node} does not answer')

    async def state(self, node):
        self._call(node, changes=False)
        return self.states[node]

    async def get(self, node, *names):
        self._call(node, changes=False)
        return {name: self.values[node][name] for name in names if name in self.values[node]}

    async def set(self, node, **values):
        self._call(node)
        if self.states[node] != NEW:
            raise Refused('clean it up first')
        self.values[node].update(values)

    async def change(self, node, transition):
        self._call(node)
        begin, end = STEPS[transition]
        lost = transition == Transition.TRANSITION_CONFIGURE and self.values[node].get('device')
        if self.states[node] != begin or lost == 'missing':
            raise Refused(f'{node} refused')
        self.states[node] = end


def asked(nodes, talk=True, *names):
    """What it says; empty: it was done."""
    try:
        asyncio.run(refit(nodes, talk, *names))
    except Refused as error:
        return str(error)
    return ''


@pytest.mark.parametrize('state', [ACTIVE, INACTIVE, NEW])
def test_a_browser_takes_over_whatever_state_the_sound_card_left(state):
    nodes = FakeNodes(state)
    assert asked(nodes) == ''
    assert set(nodes.states.values()) == {ACTIVE}
    assert (nodes.values[CAPTURE]['source'], nodes.values[PLAYBACK]['sink']) == ('topic', 'null')


@pytest.mark.parametrize('state', [ACTIVE, INACTIVE, NEW])
@pytest.mark.parametrize('fails', range(1, 11))
def test_what_fails_once_leaves_all_as_it_was(state, fails):
    nodes = FakeNodes(state, [fails])
    told = asked(nodes)
    if told:
        before = FakeNodes(state)
        assert told.endswith('; ear and mouth are as they were')
        same = ('source', 'device', 'echo_cancellation', 'sink')
        for node in CARD:
            assert {k: v for k, v in nodes.values[node].items() if k in same} == CARD[node]
        assert nodes.states == before.states
    assert bool(told) == (
        fails <= nodes.calls and fails <= {ACTIVE: 10, INACTIVE: 8, NEW: 6}[state]
    )


@pytest.mark.parametrize('fails', range(1, 11))
@pytest.mark.parametrize('again', range(1, 12))
def test_what_cannot_be_put_back_is_told_and_the_other_is(fails, again):
    nodes = FakeNodes(ACTIVE, [fails, fails + again])
    told = asked(nodes)
    kept = {node: {name: nodes.values[node][name] for name in CARD[node]} for node in CARD}
    wrong = [node for node in CARD if nodes.states[node] != ACTIVE or kept[node] != CARD[node]]
    for node in CARD:
        assert (f'{node} is not as it was: ' in told) == (node in wrong)
    assert ('as they were' in told) == (not wrong)


def test_a_card_that_is_missing_costs_nothing():
    nodes = FakeNodes()
    assert 'as they were' in asked(nodes, False, 'other', 'missing')
    assert nodes.values == FakeNodes().values
    assert nodes.states == FakeNodes().states


def test_a_node_that_is_gone_changes_nothing():
    nodes = FakeNodes(gone=PLAYBACK)
    assert asked(nodes) == f'{PLAYBACK} does not answer'
    assert nodes.calls == 0
