"""What every node of kame_ros is: managed, with checked parameters, and talking of its health."""

from __future__ import annotations

import logging
import os
import threading
import traceback
from collections.abc import Callable, Mapping
from copy import copy
from typing import Any, ClassVar

from rcl_interfaces.msg import SetParametersResult
from rcl_interfaces.srv import SetParameters
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile

import kame_ros.msg as msg
from kame_ros.graph import memory
from kame_ros.nodes.common import convert, qos
from kame_ros.nodes.common.clock import NodeClock
from kame_ros.nodes.common.diagnostics import DiagnosticsPublisher
from kame_ros.nodes.common.lifecycle import TransitionServer
from kame_ros.nodes.common.listen import MessageReader
from kame_ros.nodes.common.parameters import converted, declare, refuse_unknown
from kame_ros.nodes.common.python_log import PythonLog
from kame_ros.nodes.common.trusted_parameters import TrustedParameters
from kame_ros.runtime import heap, progress
from kame_ros.runtime.doors import UnknownName
from kame_ros.runtime.faults import RAISED_BY_OTHERS, Faults
from kame_ros.runtime.owner import OutOfMemory, Owners, OwnerThread
from kame_ros.settings.param import BadParameter, Param
from kame_ros.text.os_errors import in_words
from kame_ros.text.well_formed import printable, printable_lines
from kame_ros.trust.redact import redact
from kame_ros.wire.turn import TurnEvent

_LOAD_PATIENCE_S = 2.0  # for a transition to end when the process is told to
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
    logged, and shown on /diagnostics; one in `stop` leaves the node unconfigured. An exception in
    an owner thread ends the process, so that whoever started it can start it anew. One in a
    callback ends nothing: it is counted.
    """

    PARAMETERS: ClassVar[tuple[Param, ...]] = ()
    # Counters that should stay as they are: growth is a warning on /diagnostics.
    WARN_WHEN_GROWING: ClassVar[tuple[str, ...]] = ()

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(name, **options)
        self._table = (*self.PARAMETERS, NICENESS)
        self.active = False
        self.fault = ''
        self.bad_setting = False  # and as wrong the next time
        self._owners = Owners()
        self.clock = NodeClock(self.get_clock(), self._owners.check)
        self.memory = memory.Memory(self.get_fully_qualified_name())
        self.faults = Faults(self._log_fault, _unbearable)  # of callbacks
        self.reader = MessageReader(self._log_fault, self.survive)
        self.python_log = PythonLog(self._log_python)
        self._niceness = 0  # as far as this process has stepped back itself
        self._entities: list[tuple[Callable[[Any], Any], Any]] = []
        try:
            given = {name: told.value for name, told in self._parameter_overrides.items()}
            declare(self, self._table, self.idle_parameters(given))
            values = {row.name: self.param(row.name) for row in self._table if row.names}
            self.trusted = TrustedParameters(self._table, values)
        except ValueError:
            self.destroy_node()
            raise
        self.add_on_set_parameters_callback(self._on_set_parameters)
        self._guard_services()
        self.transitions = TransitionServer(self)
        self.diagnostics = DiagnosticsPublisher(self)

    # What a subclass fills in.

    @classmethod
    def idle_parameters(cls, given: Mapping[str, Any]) -> list[str]:
        """Which rows of PARAMETERS do nothing beside the values that were `given`."""
        return []

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

    def hardware(self) -> str:
        """What diagnostics call the hardware that the node works on, beside the machine's name."""
        return ''

    # What a subclass uses.

    def param(self, name: str) -> Any:
        """The value of a parameter, in the type of its row in the table."""
        value = self.get_parameter(name).value
        return next(row for row in self._table if row.name == name).checked(value)

    def offer(self, kind: type, topic: str, profile: QoSProfile) -> Any:
        """A publisher that lives until the node is cleaned up."""
        publisher = self.create_publisher(
            kind, topic, copy(profile), qos_overriding_options=qos.OVERRIDABLE
        )
        self._entities.append((self.destroy_publisher, publisher))
        return publisher

    def listen(
        self,
        kind: type,
        topic: str,
        profile: QoSProfile,
        convert: Callable[[Any], Any],
        callback: Callable[[Any], Any],
    ) -> None:
        """A subscription that is heard while the node is active.

        `callback` gets what `convert` makes of a message; what `convert` raises is a message that
        cannot be used, and is counted as one of this topic.
        """
        read = self.reader.reading(kind, topic, convert, callback)

        def when_active(message: Any) -> None:
            if self.active:
                read(message)

        subscription = self.create_subscription(
            kind, topic, when_active, copy(profile), qos_overriding_options=qos.OVERRIDABLE
        )
        self._entities.append((self.destroy_subscription, subscription))

    def serve(self, kind: type, name: str, callback: Callable[[Any, Any], Any]) -> None:
        """A service that lives until the node is cleaned up."""
        service = self.create_service(kind, name, self._guarded(callback, name))
        self._entities.append((self.destroy_service, service))

    def owner(self, name: str, body: Callable[[threading.Event], None]) -> OwnerThread:
        """The thread that owns the node's model, not started; what it raises ends the process."""
        return self._owners.add(OwnerThread(name, body, self.fail))

    def survive(self, error: BaseException, where: str) -> None:
        """A callback has failed: it is counted, and each kind logged once. The node goes on."""
        self.faults.book(where, error)

    def totals(self) -> dict[str, float | str]:
        """All counters and states for /diagnostics, by name."""
        return {
            **self.reader.counters(),
            **self.counters(),
            'callbacks_failed': self.faults.count,
            'transitions_refused': self.transitions.refused,
            **({'bad_setting': 1.0} if self.bad_setting else {}),
            **self._warnings(),
        }

    def _warnings(self) -> dict[str, str]:
        told = '\n'.join(self.python_log.warnings)
        return {'warnings': told} if told else {}

    def _log_python(self, level: int, text: str) -> None:
        logger = self.get_logger()
        if level >= logging.ERROR:
            logger.error(text)
        elif level >= logging.WARNING:
            logger.warning(text)
        else:
            logger.info(text)

    def _log_fault(self, text: str) -> None:
        self.get_logger().error(text)

    def fresh_number(self) -> int:
        """Where this life of the node begins to count utterances or generations.

        It is above all that an earlier life has counted, so that those who listen do not take the
        first ones after a restart for old news.
        """
        return memory.fresh_number(self.memory, self.clock.now())

    def offer_events(self) -> None:
        """Makes the publisher that `tell` uses."""
        self._events = self.offer(msg.TurnEvent, 'turn', qos.TEXT)

    def tell(self, event: TurnEvent) -> None:
        """Publishes something that happened; where it names no source, to this node."""
        self._events.publish(convert.turn_to_message(event, self.get_name()))

    def fail(self, error: BaseException) -> None:
        """An owner thread has failed: says so and ends the process.

        The state of a model that has raised is unknown; a fresh process is not.
        """
        self.fault = printable(redact(f'{type(error).__name__}: {error}'))
        if isinstance(error, OutOfMemory):
            self.fault = printable(str(error))
            self.get_logger().fatal(f'{self.get_name()} ends: {self.fault}')
        else:
            trace = printable_lines(''.join(traceback.format_exception(error)))
            self.get_logger().fatal(
                f'{self.get_name()} has failed, and ends: {self.fault}\n{trace}'
            )
        self.diagnostics.publish()
        self.context.try_shutdown()

    # Transitions.

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Loads."""
        progress.tell('')
        self.diagnostics.state = 'configuring'
        self.diagnostics.publish()
        return self._transition('configure', self._load, 'inactive', 'unconfigured', self._forget)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Starts."""
        if lingering := self._owners.lingering:
            return self._busy('activate', 'inactive', lingering)
        self._reached('activating')
        self.active = True  # before start(), so that no first message is missed
        done = self._transition('activate', self.start, 'active', 'inactive', self.stop)
        self.active = done == TransitionCallbackReturn.SUCCESS
        return done

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stops. A node that cannot is in an unknown state: it goes back to unconfigured."""
        self.active = False
        done = self._transition('deactivate', self.stop, 'inactive', 'unconfigured')
        return done if done == TransitionCallbackReturn.SUCCESS else TransitionCallbackReturn.ERROR

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unloads."""
        if lingering := self._owners.lingering:
            return self._busy('clean up', 'inactive', lingering)
        return self._transition('clean up', self._forget, 'unconfigured', 'inactive')

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stops and unloads from any state."""
        self._wind_down()
        self._reached('finalized')
        return TransitionCallbackReturn.SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Goes back to where the node can be configured again."""
        self._quietly(self.stop)
        self._wind_down()
        self._reached('unconfigured')
        return TransitionCallbackReturn.SUCCESS

    def end(self) -> bool:
        """The process ends: stops and unloads, whatever state the node is in.

        What fails is only logged. False if the node is still busy: what it works with must not be
        taken from it.
        """
        return self.transitions.close(_LOAD_PATIENCE_S) and self._wind_down()

    def _wind_down(self) -> bool:
        if self.active:
            self.active = False
            self._quietly(self.stop)
        if lingering := self._owners.lingering:
            self.get_logger().error(f'{lingering} did not end in time')
            return False
        self._quietly(self._forget)
        return True

    def _load(self) -> None:
        if lingering := self._owners.lingering:
            raise BadParameter(f'{lingering} has not ended yet: try again later')
        for row in self._table:  # a link may lead elsewhere by now
            self.trusted.check(row.name, self.param(row.name))
        self._step_back()
        self.load()
        heap.give_back()

    def _step_back(self) -> None:
        more = self.param('niceness') - self._niceness
        try:
            if more:
                os.nice(more)
                self._niceness += more
        except OSError as error:
            self.get_logger().warning(f'niceness stays {self._niceness}: {error.strerror}')

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
        except RAISED_BY_OTHERS as error:
            self.fault = printable(redact(f'cannot {verb}: {in_words(error)}'))
            self.bad_setting = isinstance(error, BadParameter | UnknownName)
            if isinstance(error, ModuleNotFoundError):
                self.fault += '; kame doctor tells how to get it'
            expected = isinstance(error, ValueError | OSError | ImportError | OutOfMemory)
            detail = '' if expected else '\n' + printable_lines(traceback.format_exc())
            self.get_logger().error(self.fault + detail)
            if undo:
                self._quietly(undo)
            self._reached(otherwise)
            return TransitionCallbackReturn.FAILURE
        self.fault, self.bad_setting = '', False
        self.get_logger().info(reached)
        self._reached(reached)
        return TransitionCallbackReturn.SUCCESS

    def _busy(self, verb: str, stays: str, lingering: str) -> TransitionCallbackReturn:
        """A thread of the last activation still owns the model: nobody else may touch it."""
        self.get_logger().error(f'cannot {verb}: {lingering} has not ended yet: try again later')
        self._reached(stays)
        return TransitionCallbackReturn.FAILURE

    def _reached(self, state: str) -> None:
        self.diagnostics.state = state
        self.diagnostics.publish()

    @property
    def lingering(self) -> str:
        """What is wrong with the threads that own the model; empty: nothing."""
        names = '' if self.active else self._owners.lingering
        return f'{names} has not ended yet: the node cannot be activated' if names else ''

    def _forget(self) -> None:
        self.unload()
        while self._entities:
            destroy, entity = self._entities.pop()
            destroy(entity)

    def _quietly(self, step: Callable[[], None]) -> None:
        try:
            step()
        except RAISED_BY_OTHERS as error:
            self.get_logger().error(printable(f'while ending: {error}'))

    # Parameters.

    def set_parameters(self, parameter_list: list[Parameter]) -> list[SetParametersResult]:
        """As rclpy does it, after each value was read in its own type."""
        results: list[SetParametersResult] = super().set_parameters(
            converted(parameter_list, self._table)
        )
        return results

    def set_parameters_atomically(self, parameter_list: list[Parameter]) -> SetParametersResult:
        """As rclpy does it, after each value was read in its own type."""
        return super().set_parameters_atomically(converted(parameter_list, self._table))

    def _guard_services(self) -> None:
        """An error in a service of rclpy itself is an answer, not the end of the node."""
        for service in self.services:
            name = service.srv_name
            if name.endswith('/set_parameters'):
                service.callback = self._set_each
            elif not name.endswith('/change_state'):
                service.callback = self._guarded(service.callback, name)

    def _guarded(self, answer: Callable[[Any, Any], Any], name: str) -> Callable[[Any, Any], Any]:
        def guarded(request: Any, response: Any) -> Any:
            try:
                return answer(request, response)
            except RAISED_BY_OTHERS as error:
                self.survive(error, name)
                reason = printable(f'{type(error).__name__}: {error}')
                if isinstance(getattr(response, 'result', None), SetParametersResult):
                    response.result = SetParametersResult(successful=False, reason=reason)
                elif hasattr(response, 'success'):
                    response.success = False
                    if hasattr(response, 'message'):
                        response.message = reason
                return response

        return guarded

    def _set_each(
        self, request: SetParameters.Request, response: SetParameters.Response
    ) -> SetParameters.Response:
        for given in request.parameters:
            try:
                refuse_unknown({given.name}, self._table)
                result = self.set_parameters_atomically([Parameter.from_parameter_msg(given)])
            except RAISED_BY_OTHERS as error:  # an unknown type, a name that is none
                result = SetParametersResult(successful=False, reason=printable(str(error)))
            response.results.append(result)
        return response

    def _on_set_parameters(self, parameters: list[Parameter]) -> SetParametersResult:
        rows = {row.name: row for row in self._table}
        ours = [p for p in parameters if p.name in rows]  # others are such as use_sim_time
        try:
            values = {p.name: rows[p.name].checked(p.value) for p in ours}
            for name, value in values.items():
                self.trusted.check(name, value)
            live = {name: value for name, value in values.items() if rows[name].live}
            fixed = sorted(values.keys() - live.keys())
            if fixed and self.diagnostics.state != 'unconfigured':
                raise BadParameter(
                    f'{fixed[0]} is read when the node is configured: clean it up first'
                )
            if live:
                self.on_parameters(live)  # only now: a set of parameters is all or nothing
        except (ValueError, OSError, ImportError) as error:
            return SetParametersResult(successful=False, reason=printable(str(error)))
        return SetParametersResult(successful=True)


def _unbearable(where: str, error: BaseException) -> str:
    trace = ''.join(traceback.format_exception(error))
    return f'what came on {where} cannot be used ({type(error).__name__}: {error})\n{trace}'
