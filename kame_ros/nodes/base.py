"""What every node of kame_ros is: managed, with checked parameters, and talking of its health."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from typing import Any, ClassVar

from rcl_interfaces.msg import SetParametersResult
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile

import kame_ros.msg as msg
from kame_ros.nodes import convert, qos
from kame_ros.nodes.clock import NodeClock
from kame_ros.nodes.diagnostics import DiagnosticsPublisher
from kame_ros.nodes.parameters import BadParameter, Param, declare

_EPOCH = 1_767_225_600  # s: the beginning of 2026, so that numbers stay short
NICENESS = Param(
    'niceness',
    0,
    'How far this process steps back for others (nice): models that may be late give way to sound.',
    low=0,
    high=19,
)


class KameNode(LifecycleNode):
    """A managed node.

    A subclass declares its PARAMETERS and says what to do at the four transitions in `load`,
    `start`, `stop` and `unload`. An exception in `load` or `start` refuses the transition and is
    logged, and shown on /diagnostics; an exception in an owner thread ends the process, so that
    whoever started it can start it anew.
    """

    PARAMETERS: ClassVar[tuple[Param, ...]] = ()
    # Counters that should stay as they are: growth is a warning on /diagnostics.
    WARN_WHEN_GROWING: ClassVar[tuple[str, ...]] = ()

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(name, **options)
        self._table = (*self.PARAMETERS, NICENESS)
        self.active = False
        self.fault = ''
        self.clock = NodeClock(self.get_clock())
        self._entities: list[tuple[Callable[[Any], Any], Any]] = []
        try:
            declare(self, self._table)
        except BadParameter:
            self.destroy_node()
            raise
        self.add_on_set_parameters_callback(self._on_set_parameters)
        if self.param('niceness'):
            os.nice(self.param('niceness'))
        self.diagnostics = DiagnosticsPublisher(self)

    # What a subclass fills in.

    def load(self) -> None:
        """Gets what the node needs (models, devices) and makes its topics."""

    def start(self) -> None:
        """Starts the owner threads."""

    def stop(self) -> None:
        """Stops the owner threads."""

    def unload(self) -> None:
        """Lets go of what `load` got."""

    def on_parameters(self, values: dict[str, Any]) -> None:
        """`live` parameters are about to change, all together; each value has been checked.

        What this raises (ValueError, OSError, ImportError) refuses all of them.
        """

    def counters(self) -> dict[str, float | str]:
        """Running totals and states for /diagnostics, by name."""
        return {}

    def complaint(self) -> str:
        """What is wrong now and what to do about it, for /diagnostics; empty: nothing."""
        return ''

    # What a subclass uses.

    def param(self, name: str) -> Any:
        """The value of a parameter, in the type of its row in the table."""
        value = self.get_parameter(name).value
        return next(row for row in self._table if row.name == name).checked(value)

    def offer(self, kind: type, topic: str, profile: QoSProfile) -> Any:
        """A publisher that lives until the node is cleaned up."""
        publisher = self.create_publisher(kind, topic, profile)
        self._entities.append((self.destroy_publisher, publisher))
        return publisher

    def listen(
        self, kind: type, topic: str, profile: QoSProfile, callback: Callable[[Any], None]
    ) -> None:
        """A subscription that is heard while the node is active."""

        def when_active(message: Any) -> None:
            if self.active:
                callback(message)

        subscription = self.create_subscription(kind, topic, when_active, profile)
        self._entities.append((self.destroy_subscription, subscription))

    def serve(self, kind: type, name: str, callback: Callable[[Any, Any], Any]) -> None:
        """A service that lives until the node is cleaned up."""
        service = self.create_service(kind, name, callback)
        self._entities.append((self.destroy_service, service))

    def fresh_number(self) -> int:
        """Where this life of the node begins to count utterances or generations.

        It is above all that an earlier life has counted, so that those who listen do not take the
        first ones after a restart for old news. Less than one a second is counted.
        """
        now = int(self.clock.now())
        return now - _EPOCH if now > _EPOCH else now  # simulated time begins at 0

    def offer_events(self) -> None:
        """Makes the publisher that `tell` uses."""
        self._events = self.offer(msg.TurnEvent, 'turn', qos.TEXT)

    def tell(
        self,
        kind: int,
        t: float,
        *,
        source: str = '',
        generation: int = -1,
        utterance: int = -1,
        revision: int = -1,
        text: str = '',
    ) -> None:
        """Publishes a TurnEvent that happened at `t` seconds on the audio clock."""
        self._events.publish(
            msg.TurnEvent(
                header=convert.header(t),
                kind=kind,
                source=source or self.get_name(),
                generation=generation,
                utterance=utterance,
                revision=revision,
                text=text,
            )
        )

    def fail(self, error: Exception) -> None:
        """An owner thread has failed: says so and ends the process.

        The state of a model that has raised is unknown; a fresh process is not.
        """
        self.fault = f'{type(error).__name__}: {error}'
        trace = ''.join(traceback.format_exception(error))
        self.get_logger().fatal(f'{self.get_name()} has failed, and ends: {self.fault}\n{trace}')
        self.diagnostics.publish()
        self.context.try_shutdown()

    # Transitions.

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Loads."""
        self.diagnostics.state = 'configuring'
        self.diagnostics.publish()
        return self._transition('configure', self.load, 'inactive', 'unconfigured', self._forget)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Starts."""
        self.active = True  # before start(), so that no first message is missed
        done = self._transition('activate', self.start, 'active', 'inactive', self.stop)
        self.active = done == TransitionCallbackReturn.SUCCESS
        return done

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stops."""
        self.active = False
        return self._transition('deactivate', self.stop, 'inactive', 'inactive')

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unloads."""
        return self._transition('clean up', self._forget, 'unconfigured', 'unconfigured')

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stops and unloads from any state."""
        self.end()
        return TransitionCallbackReturn.SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Goes back to where the node can be configured again."""
        self.end()
        return TransitionCallbackReturn.SUCCESS

    def end(self) -> None:
        """Stops and unloads, whatever state the node is in; what fails is only logged."""
        if self.active:
            self.active = False
            self._quietly(self.stop)
        self._quietly(self._forget)

    def _transition(
        self,
        verb: str,
        step: Callable[[], None],
        reached: str,
        otherwise: str,
        undo: Callable[[], None] | None = None,
    ) -> TransitionCallbackReturn:
        # rclpy swallows what a transition raises, so it is caught and told here.
        try:
            step()
        except Exception as error:
            self.fault = f'cannot {verb}: {error}'
            expected = isinstance(error, ValueError | OSError | ImportError)
            detail = '' if expected else '\n' + traceback.format_exc()
            self.get_logger().error(self.fault + detail)
            if undo:
                self._quietly(undo)
            self.diagnostics.state = otherwise
            self.diagnostics.publish()
            return TransitionCallbackReturn.FAILURE
        self.fault = ''
        self.get_logger().info(reached)
        self.diagnostics.state = reached
        self.diagnostics.publish()
        return TransitionCallbackReturn.SUCCESS

    def _forget(self) -> None:
        self.unload()
        while self._entities:
            destroy, entity = self._entities.pop()
            destroy(entity)

    def _quietly(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception as error:
            self.get_logger().error(f'while ending: {error}')

    def _on_set_parameters(self, parameters: list[Parameter]) -> SetParametersResult:
        rows = {row.name: row for row in self._table}
        ours = [p for p in parameters if p.name in rows]  # others are such as use_sim_time
        try:
            values = {p.name: rows[p.name].checked(p.value) for p in ours}
            live = {name: value for name, value in values.items() if rows[name].live}
            fixed = sorted(values.keys() - live.keys())
            if fixed and self.diagnostics.state != 'unconfigured':
                raise BadParameter(
                    f'{fixed[0]} is read when the node is configured: clean it up first'
                )
            if live:
                self.on_parameters(live)  # only now: a set of parameters is all or nothing
        except (ValueError, OSError, ImportError) as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)
