"""Gives the robot another ear and mouth while it runs: a sound card, or who talks on a page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lifecycle_msgs.msg import State, Transition

from kame_ros.graph.page import EAR, MOUTH
from kame_ros.nodes.page.asking import Asking
from kame_ros.realtime.refusal import Refused

CAPTURE, PLAYBACK = 'audio_capture', 'audio_playback'


@dataclass(frozen=True)
class _Fit:
    """How a node is, or is to be: the state of its life, and some of its parameters."""

    state: int
    values: dict[str, Any]


async def refit(asking: Asking, talk: bool, microphone: str = '', loudspeaker: str = '') -> None:
    """Reconfigures the ear and the mouth; what cannot be had leaves both as they were.

    They need not be active: a sound card that is not there may be why. Raises Refused, which says
    what could not be put back.
    """
    ear = {'source': 'device', 'device': microphone, 'echo_cancellation': 'auto'}
    mouth = {'sink': 'device', 'device': loudspeaker}
    wanted: dict[str, dict[str, Any]] = {
        CAPTURE: EAR if talk else ear,
        PLAYBACK: MOUTH if talk else mouth,
    }
    before = {node: await _fit(asking, node, values) for node, values in wanted.items()}
    done: list[str] = []
    try:
        for node, values in wanted.items():
            done.append(node)
            await _change(asking, node, _Fit(State.PRIMARY_STATE_ACTIVE, values))
    except Refused as error:
        lost = [await _put_back(asking, node, before[node]) for node in done]
        told = '; '.join(filter(None, lost)) or 'ear and mouth are as they were'
        raise Refused(f'{error}; {told}') from error


async def _fit(asking: Asking, node: str, names: Iterable[str]) -> _Fit:
    return _Fit(await asking.state(node), await asking.get(node, *names))


async def _change(asking: Asking, node: str, to: _Fit) -> None:
    """From whatever state it is in."""
    state = await asking.state(node)
    if state == State.PRIMARY_STATE_ACTIVE:
        await asking.change(node, Transition.TRANSITION_DEACTIVATE)
        state = await asking.state(node)  # one that cannot be stopped is unconfigured then
    if state == State.PRIMARY_STATE_INACTIVE:
        await asking.change(node, Transition.TRANSITION_CLEANUP)
    await asking.set(node, **to.values)
    if to.state in (State.PRIMARY_STATE_INACTIVE, State.PRIMARY_STATE_ACTIVE):
        await asking.change(node, Transition.TRANSITION_CONFIGURE)
    if to.state == State.PRIMARY_STATE_ACTIVE:
        await asking.change(node, Transition.TRANSITION_ACTIVATE)


async def _put_back(asking: Asking, node: str, before: _Fit) -> str:
    """What could not be put back, in words; empty: all was."""
    try:
        if await _fit(asking, node, before.values) != before:
            await _change(asking, node, before)
    except Refused as error:
        return f'{node} is not as it was: {error}'
    return ''
