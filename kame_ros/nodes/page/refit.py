"""Gives the robot another ear and mouth while it runs: a sound card, or who talks on a page."""

from __future__ import annotations

from typing import Any

from lifecycle_msgs.msg import Transition

from kame_ros.graph.page import EAR, MOUTH
from kame_ros.nodes.page.asking import Asking
from kame_ros.realtime.refusal import Refused

CAPTURE, PLAYBACK = 'audio_capture', 'audio_playback'


async def refit(asking: Asking, talk: bool, microphone: str = '', loudspeaker: str = '') -> None:
    """Reconfigures the ear and the mouth; what cannot be had leaves both as they were.

    Raises Refused.
    """
    ear = {'source': 'device', 'device': microphone, 'echo_cancellation': 'auto'}
    mouth = {'sink': 'device', 'device': loudspeaker}
    wanted: dict[str, dict[str, Any]] = {
        CAPTURE: EAR if talk else ear,
        PLAYBACK: MOUTH if talk else mouth,
    }
    before = {node: await asking.get(node, *values) for node, values in wanted.items()}
    done: list[str] = []
    try:
        for node, values in wanted.items():
            done.append(node)
            await _change(asking, node, values)
    except Refused as error:
        for node in done:
            await _put_back(asking, node, before[node])
        raise Refused(f'{error}; ear and mouth are as they were') from error


async def _change(asking: Asking, node: str, values: dict[str, Any]) -> None:
    await asking.change(node, Transition.TRANSITION_DEACTIVATE)
    await asking.change(node, Transition.TRANSITION_CLEANUP)
    await asking.set(node, **values)
    await asking.change(node, Transition.TRANSITION_CONFIGURE)
    await asking.change(node, Transition.TRANSITION_ACTIVATE)


async def _put_back(asking: Asking, node: str, values: dict[str, Any]) -> None:
    """From whatever state it is in; a step that is not the next one is refused by the node."""
    for transition in (Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP):
        await _try(asking, node, transition)
    await asking.set(node, **values)
    for transition in (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE):
        await _try(asking, node, transition)


async def _try(asking: Asking, node: str, transition: int) -> None:
    try:
        await asking.change(node, transition)
    except Refused:
        return
