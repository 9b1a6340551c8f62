"""Leads one conversation of a suite after the other with a graph that is up, and records each."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from std_srvs.srv import Trigger

from kame_ros.consumers.consumer import Consumer, Relay
from kame_ros.evaluation.player_script import Said, ScriptPlayer
from kame_ros.evaluation.suite import Cue, Item
from kame_ros.evaluation.voice_meter import VoiceMeter
from kame_ros.nodes.visitor.listener import TopicListener
from kame_ros.nodes.visitor.player import UserPlayer
from kame_ros.nodes.visitor.running_graph import RunningGraph
from kame_ros.record.end_watch import EndWatch
from kame_ros.record.ending import OF_ITS_OWN, Ending, Patience
from kame_ros.record.journal import Journal
from kame_ros.record.record import Record

PATIENCE = Patience(settle_s=2.0, quiet_s=1.5, stuck_s=15.0, babble_s=15.0, limit_s=75.0)
_LIMIT_S = 300.0  # of a conversation in all, on the machine's clock
_RESET_S = 5.0
_BETWEEN_S = 0.6  # for what is under way to arrive before the next one begins
_TRIES = 2  # a conversation in which a node ended is led again so often


class Switch(Relay):
    """Tells the consumers of the conversation that is being led."""

    def __init__(self) -> None:
        self.to: Sequence[Consumer] = ()

    def pass_on(self, name: str, *told: Any) -> None:
        """To those who hear it."""
        for consumer in self.to:
            if name in consumer.hears:
                getattr(consumer, name)(*told)


@dataclass
class Led:
    """A conversation as it was: the record, the journal, what the player said, and the outcome."""

    record: Record
    journal: Journal
    said: list[Said]
    outcome: str
    ended_nodes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def user(self) -> np.ndarray:
        """What the robot heard, int16 at 24 kHz."""
        return self.record.heard.samples(self.record.t0)

    @property
    def robot(self) -> np.ndarray:
        """What left the loudspeaker, on the same time axis."""
        return self.record.answer()


class Interview:
    """Leads conversations; the graph's ear must listen to the player's topic.

    `tick` is called again and again with what is being heard. Raises BringUpError and Stopped.
    """

    def __init__(self, run: RunningGraph, tick: Callable[[str], None] = lambda text: None) -> None:
        self._run = run
        self._tick = tick
        self._faults: list[BaseException] = []
        self._player = UserPlayer(run.node, run.graph, self._faults.append)
        self._switch = Switch()
        self._listener = TopicListener(run.node, run.graph, [self._player, self._switch])
        self._reset = run.node.create_client(Trigger, run.graph.path('reset'))
        self._thinks = 'oracle' in run.graph.names

    def __enter__(self) -> Interview:
        self._player.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._player.stop()

    @property
    def late(self) -> int:
        """Frames of the player that left too late: the machine was too busy."""
        return self._player.late

    def lead(self, item: Item, sounds: Sequence[np.ndarray]) -> Led:
        """One conversation, from a reset to the last word; again where a node ended in it."""
        for attempt in range(_TRIES + 1):
            led = self._once([*zip(item.cues, sounds, strict=True)])
            if not led.ended_nodes or attempt == _TRIES:
                return led
        raise AssertionError('unreachable')

    def _once(self, cues: Sequence[tuple[Cue, np.ndarray]]) -> Led:
        began = time.monotonic()
        record, journal = Record(), Journal()
        ending = Ending(self._thinks, PATIENCE if self._thinks else OF_ITS_OWN)
        watch = EndWatch(ending, record, VoiceMeter())
        self._switch.to = (record, journal, watch)
        while not len(record.heard) and time.monotonic() - began < _LIMIT_S:
            self._look()
        playing = self._player.play(ScriptPlayer(cues))
        ended: list[str] = []
        outcome = ''
        while not outcome:
            # Before they are revived, which starts them anew.
            ended += [p.spec.name for p in self._run.processes.ended() if p.spec.name not in ended]
            self._look()
            if self._faults:
                raise self._faults[0]
            self._tick(record.partial)
            outcome = watch.outcome
            if time.monotonic() - began > _LIMIT_S:
                outcome = f'gave up after {_LIMIT_S:g} s'
        said = list(playing.script.said)
        self._forget()  # with which the books of the last turn are closed, and come
        self._switch.to = ()
        if ended:
            outcome = f'{", ".join(ended)} ended in the conversation'
        return Led(record, journal, said, outcome, ended, time.monotonic() - began)

    def _look(self) -> None:
        self._run.spin(0.05)
        self._run.revive(give_up_after=_TRIES + 1)

    def _forget(self) -> None:
        """A new dialogue: front-end and oracle know nothing of the last one."""
        end = time.monotonic() + _RESET_S
        done = False
        while not done and time.monotonic() < end:
            self._look()
            if not self._reset.service_is_ready():
                continue
            future = self._reset.call_async(Trigger.Request())
            while not future.done() and time.monotonic() < end:
                self._look()
            done = future.done() and bool(future.result() and future.result().success)
        self._run.spin(_BETWEEN_S)
