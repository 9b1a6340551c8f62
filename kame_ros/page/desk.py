"""What the page asks of whoever brings it into a graph."""

from __future__ import annotations

from typing import Any, Protocol

from kame_ros.realtime.session import Robot
from kame_ros.wire.frame import Frame


class Desk(Protocol):
    """Through which the server reaches the robot. All is called in the server's thread."""

    def about(self) -> dict[str, Any]:
        """What a page is told when it opens."""

    async def order(self, order: dict[str, Any]) -> dict[str, Any]:
        """Does what a page asks for; gives `text`, what was done, and more. Raises Refused."""

    def audience(self, pages: int, talks: bool) -> None:
        """So many pages look, and somebody talks or not: nothing else need be listened to."""

    def talk_problem(self) -> str:
        """Why nobody can talk with the robot through a socket now; empty: they can."""

    def robot(self) -> Robot:
        """The robot, for a session that begins."""

    async def begun(self) -> tuple[str, str, str]:
        """A session begins: the names of model and voice, and the persona."""

    def hear(self, frame: Frame) -> None:
        """80 ms of the sound of the one who talks."""

    def ended(self) -> None:
        """The session is over."""
