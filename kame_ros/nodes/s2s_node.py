"""The front-end: hears the user and the oracle, and speaks, a frame for each frame."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from kame_ros.graph import memory
from kame_ros.nodes.common.base import KameNode
from kame_ros.nodes.common.run import run
from kame_ros.nodes.robot import link as robot_link
from kame_ros.nodes.robot.front_ends import (
    PARAMETERS,
    make_front_end,
    model_name,
    warn_of_others,
)
from kame_ros.nodes.robot.link import RobotLink
from kame_ros.runtime.owner import OutOfMemory, OwnerThread
from kame_ros.runtime.step_times import StepTimes
from kame_ros.s2s.front_end import FrontEnd
from kame_ros.s2s.front_ends import FRONT_ENDS, of_others
from kame_ros.settings.param import OPTIONS, Param
from kame_ros.wire.frame import FRAME_S

_POLL_S = 0.2


class S2SNode(KameNode):
    """Answers each frame of `audio/mic` with a frame of `audio/speech` and the monologue."""

    PARAMETERS = (
        Param(
            'front_end',
            'tts',
            'What speaks: a small neural voice on a CPU, kame-small on a CPU, the KAME model on a '
            'GPU, or what another package brings.',
            choices=FRONT_ENDS.names(),
        ),
        Param(
            'front_end_options',
            '',
            "What only another package's front-end knows: 'key=value; key=value'.",
            names=OPTIONS,
        ),
        Param(
            'hold_s',
            0.0,
            'For measuring score against latency: the mouth is held until the user has been silent '
            'for so many seconds; 0: not at all.',
            low=0.0,
            high=30.0,
        ),
        *robot_link.PARAMETERS,
        *PARAMETERS,
    )
    WARN_WHEN_GROWING = robot_link.WARN_WHEN_GROWING

    def __init__(self, **options: Any) -> None:
        self._front_end: FrontEnd | None = None
        self._link: RobotLink | None = None
        self._thread: OwnerThread | None = None
        self._times = StepTimes(FRAME_S)
        super().__init__('s2s', **options)

    @classmethod
    def idle_parameters(cls, given: Mapping[str, Any]) -> list[str]:
        front_end = str(given.get('front_end', 'tts'))
        return of_others((row.name for row in cls.PARAMETERS), front_end)

    def load(self) -> None:
        warn_of_others(self._parameter_overrides, self.param('front_end'))
        if self.param('moshi.slots') != 1:
            raise ValueError('s2s speaks for one robot: moshi.slots is for --config kame-slots')
        self._front_end = make_front_end(self.param, memory.shortfalls(self.memory))
        if hold_s := self.param('hold_s'):
            from kame_ros.s2s.held import HeldFrontEnd
            from kame_ros.turns.vad import SileroVad

            self._front_end = HeldFrontEnd(self._front_end, hold_s, SileroVad())
        self._front_end.warm_up()
        self._link = RobotLink(self)
        self._link.join(self._front_end)

    def start(self) -> None:
        assert self._link is not None
        self._link.open()
        self._thread = self.owner('front-end', self._speak)
        self._thread.start()

    def stop(self) -> None:
        if self._thread and self._link:
            self._link.close()  # what has been heard is still answered
            ended = self._thread.stop()
            self._thread = None
            self._link.forget('the node is not active', ended)

    def unload(self) -> None:
        if self._link:
            self._link.destroy()
            self._link = None
        if self._front_end:
            self._front_end.close()
            self._front_end = None

    def counters(self) -> dict[str, float | str]:
        return {
            'model': model_name(self.param),
            **self._times.counters(),
            **(self._link.counters() if self._link else {}),
        }

    def complaint(self) -> str:
        if not self._times.overloaded:
            return ''
        return (self._front_end.complaint() if self._front_end else '') or (
            f'the front-end is slower than real time (factor '
            f'{self._times.sustained_factor:.2f}): give it a core of its own'
        )

    # The owner of the front-end.

    def _speak(self, stop: threading.Event) -> None:
        assert self._link is not None
        try:
            while True:
                if self._link.mic.pull(_POLL_S):
                    self._one_frame(self._link)
                elif stop.is_set():
                    return
        except OutOfMemory:
            memory.note_shortfall(self.memory)
            self._link.forget('the speech model has no memory left', ended=False)
            raise

    def _one_frame(self, link: RobotLink) -> None:
        assert self._front_end is not None
        heard, oracle = link.take()
        began = time.perf_counter()
        step = self._front_end.step(heard.samples, oracle)
        self._times.add(time.perf_counter() - began)
        if self._times.overloaded:
            self.get_logger().error(self.complaint(), throttle_duration_sec=30.0)
        link.answer(heard, step)


def main(args: Sequence[str] | None = None) -> int:
    """Runs the node."""
    return run(S2SNode, args)


if __name__ == '__main__':
    raise SystemExit(main())
