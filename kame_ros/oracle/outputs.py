"""Where the oracle's results go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kame_ros.oracle.account import TurnAccount
from kame_ros.oracle.actions.book import ActionRequest
from kame_ros.wire.oracle import OracleChunk
from kame_ros.wire.turn import TurnEvent


def ignore(_: object) -> None:
    """Where results go that nobody wants."""


@dataclass(frozen=True)
class Outputs:
    """Called in the oracle's thread; they must return soon.

    `on_action_cancelled` tells the robot to stop what it was asked for; `on_turn` gets the books
    of a turn when the next one begins.
    """

    on_chunk: Callable[[OracleChunk], None]
    on_event: Callable[[TurnEvent], None]
    on_action: Callable[[ActionRequest], None] = ignore
    on_action_cancelled: Callable[[ActionRequest], None] = ignore
    on_turn: Callable[[TurnAccount], None] = ignore
