"""The front-end of many robots: one KAME model on one GPU, a slot for each robot that is there."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kame_ros.graph import memory
from kame_ros.nodes.common.base import KameNode
from kame_ros.nodes.common.run import run
from kame_ros.nodes.robot import link as robot_link
from kame_ros.nodes.robot.front_ends import MOSHI_PARAMETERS, make_slots, moshi_config
from kame_ros.nodes.robot.link import RobotLink
from kame_ros.runtime.owner import OutOfMemory, OwnerThread
from kame_ros.runtime.step_times import StepTimes
from kame_ros.s2s import too_slow
from kame_ros.s2s.moshi.config import MoshiConfig
from kame_ros.settings.param import Param
from kame_ros.turns import profiles
from kame_ros.turns.profiles.moshi import MOSHI
from kame_ros.wire.frame import FRAME_S

if TYPE_CHECKING:
    from kame_ros.s2s.moshi.seat import Seat
    from kame_ros.s2s.moshi.slots import MoshiSlots

_POLL_S = 0.2
_COMPLAIN_S = 2.0  # for so long diagnostics tell of a robot that found no slot
_NAMESPACE = re.compile(r'/?[A-Za-z_]\w*(/[A-Za-z_]\w*)*', re.ASCII)


class S2SSlotsNode(KameNode):
    """Answers `audio/mic` of each robot on its `audio/speech`, as `s2s` does for one.

    A robot takes a slot with its first frame and gives it back when it has sent none for
    `leave_after_s`. There may be more robots than slots, if they are not all there at once.
    """

    PARAMETERS = (
        Param('robots', ['/robot'], 'The namespaces of the robots that may come.'),
        Param(
            'leave_after_s',
            5.0,
            'A robot that has sent no sound for so many seconds loses its slot and its dialogue.',
            low=0.5,
            high=3600.0,
        ),
        *robot_link.PARAMETERS,
        *MOSHI_PARAMETERS,
    )
    WARN_WHEN_GROWING = (*robot_link.WARN_WHEN_GROWING, 'frames_unanswered', 'bad_messages')

    def __init__(self, **options: Any) -> None:
        self._slots: MoshiSlots | None = None
        self._links: list[RobotLink] = []
        self._seats: dict[RobotLink, Seat] = {}
        self._vads: dict[RobotLink, Any] = {}
        self._profile = MOSHI
        self._config = MoshiConfig()
        self._times = StepTimes(FRAME_S)
        self._sound_came = threading.Event()
        self._thread: OwnerThread | None = None
        self._turned_away = ('', -1e9)  # the robot that found no slot last, and when, in s
        super().__init__('s2s_slots', **options)

    def load(self) -> None:
        robots = self._robots()
        self._profile = profiles.load(self.param('moshi.barge_in_profile'))
        self._config = moshi_config(self.param)
        self._config.strategy(self.param('moshi.barge_in'))  # before the long load
        self._slots = make_slots(self.param, memory.shortfalls(self.memory))
        self._slots.warm_up()
        self._times = StepTimes(FRAME_S)
        self._links = []
        for robot in robots:
            link = RobotLink(self, robot, visits=True, on_sound=self._sound_came.set)
            self._links.append(link)
        if self.param('moshi.barge_in'):
            from kame_ros.turns.vad import SileroVad

            self._vads = {link: SileroVad() for link in self._links}

    def start(self) -> None:
        for link in self._links:
            link.open()
        self._thread = self.owner('slots', self._serve)
        self._thread.start()

    def stop(self) -> None:
        if not self._thread:
            return
        for link in self._links:
            link.close()  # what has been heard is still answered
        self._sound_came.set()
        self._thread.stop()
        self._thread = None
        for link in list(self._seats):
            self._dismiss(link, 'the node is not active')

    def unload(self) -> None:
        for link in self._links:
            link.destroy()
        self._links, self._vads = [], {}
        if self._slots:
            self._slots.stop()
            self._slots = None

    def counters(self) -> dict[str, float | str]:
        """Of the model, the sums of all robots, and each robot's under its namespace."""
        each = {link.prefix.strip('/'): link.counters() for link in list(self._links)}
        slots = self._slots
        return {
            'model': f'moshi:{self.param("moshi.weights")}',
            'slots': slots.slots if slots else 0,
            'slots_taken': len(self._seats),
            'robots_held': slots.held if slots else 0,
            **self._times.counters(),
            'gpu_memory_mb': _gpu_memory_mb(slots),
            **{
                name: sum(totals.get(name, 0) for totals in each.values())
                for name in ('frames_in', 'frames_out', *self.WARN_WHEN_GROWING)
            },
            **{
                f'{robot}.{name}': n for robot, totals in each.items() for name, n in totals.items()
            },
        }

    def complaint(self) -> str:
        robot, when = self._turned_away
        if time.monotonic() - when < _COMPLAIN_S:
            return (
                f'{robot} finds no free slot: raise moshi.slots (there are '
                f'{self.param("moshi.slots")}), or stop the sound of another robot'
            )
        return self._slowness()

    def _slowness(self) -> str:
        return too_slow.complaint(self._times, self._slots.device.type) if self._slots else ''

    def _robots(self) -> list[str]:
        """The namespaces; raises ValueError for one that is none, is there twice, or for none."""
        robots = [str(robot).rstrip('/') for robot in self.param('robots')]
        wrong = [robot for robot in robots if not _NAMESPACE.fullmatch(robot)]
        if wrong or not robots:
            raise ValueError(
                f'robots is a list of namespaces such as [/r1, /r2], not {self.param("robots")}'
            )
        own = self.get_namespace().rstrip('/')
        full = [robot if robot.startswith('/') else f'{own}/{robot}' for robot in robots]
        twice = sorted({robot for robot in full if full.count(robot) > 1})
        if twice:
            raise ValueError(f'robots names {", ".join(twice)} more than once')
        return full

    # The owner of the model.

    def _serve(self, stop: threading.Event) -> None:
        try:
            self._serve_until(stop)
        except OutOfMemory:
            memory.note_shortfall(self.memory)
            for link in self._seats:
                link.forget('the speech model has no memory left', ended=False)
            raise

    def _serve_until(self, stop: threading.Event) -> None:
        while True:
            self._seat_robots()
            waiting = {link: link.mic.waiting_since for link in self._seats}
            wait = seconds_to_tick(time.monotonic(), list(waiting.values()))
            if stop.is_set():
                if wait is None:
                    return
                wait = 0.0
            if wait == 0.0:
                self._tick([link for link, since in waiting.items() if since is not None])
            else:
                self._sound_came.wait(_POLL_S if wait is None else wait)
                self._sound_came.clear()  # before the queues are looked at again

    def _seat_robots(self) -> None:
        """Frees the slots of robots that are silent; then gives slots to those that come."""
        now = time.monotonic()
        for link in list(self._seats):
            silent = now - link.last_heard > self.param('leave_after_s')
            if silent and link.mic.waiting_since is None:
                self._dismiss(link, 'no sound comes from the robot')
        for link in self._links:
            if link not in self._seats and link.mic.waiting_since is not None:
                self._welcome(link)

    def _welcome(self, link: RobotLink) -> None:
        from kame_ros.s2s.moshi.seat import Seat

        assert self._slots is not None
        if len(self._seats) >= self._slots.slots:
            self._turned_away = (link.prefix, time.monotonic())
            link.leave('there is no free slot')
            self.get_logger().error(self.complaint(), throttle_duration_sec=30.0)
            return
        vad = self._vads.get(link)
        strategy = self._config.strategy(vad is not None)
        seat = Seat(self._slots, vad, self._profile, strategy, self._config.speak)
        self._seats = {**self._seats, link: seat}
        link.join(seat)
        self.get_logger().info(f'{link.prefix} takes slot {seat.slot}')

    def _dismiss(self, link: RobotLink, why: str) -> None:
        seat = self._seats[link]
        self._seats = {other: theirs for other, theirs in self._seats.items() if other != link}
        link.leave(why)
        seat.leave()
        self.get_logger().info(f'{link.prefix} leaves slot {seat.slot}: {why}')

    def _tick(self, links: list[RobotLink]) -> None:
        """One step for all robots that have a frame; the others stand still."""
        assert self._slots is not None
        heard, oracles = {}, {}
        began = time.perf_counter()
        for link in links:
            heard[link], oracles[link] = link.take()
            oracles[link] = self._seats[link].listen(heard[link].samples, oracles[link])
        steps = self._slots.step(
            {self._seats[link].slot: heard[link].samples for link in links},
            {self._seats[link].slot: oracles[link] for link in links},
        )
        self._times.add(time.perf_counter() - began)
        if complaint := self._slowness():
            self.get_logger().error(complaint, throttle_duration_sec=30.0)
        for link in links:
            link.answer(heard[link], self._seats[link].speak(steps[self._seats[link].slot]))


def seconds_to_tick(now: float, waiting_since: Sequence[float | None]) -> float | None:
    """How long to wait for more robots, in seconds; 0: step now; None: nobody has a frame.

    `waiting_since` has, for each robot, when its oldest frame came, or None where none waits. The
    step is made as soon as everybody has a frame, so that one step serves all; but nobody waits
    longer than one frame for the others.
    """
    waiting = [since for since in waiting_since if since is not None]
    if not waiting:
        return None
    if len(waiting) == len(waiting_since):
        return 0.0
    return max(0.0, min(waiting) + FRAME_S - now)


def _gpu_memory_mb(slots: MoshiSlots | None) -> float:
    if slots is None or slots.device.type != 'cuda':
        return 0.0
    import torch

    return torch.cuda.max_memory_allocated(slots.device) / 1e6


def main(args: Sequence[str] | None = None) -> int:
    """Runs the node."""
    return run(S2SSlotsNode, args)


if __name__ == '__main__':
    raise SystemExit(main())
