"""Asks services of other nodes from an event loop in another thread."""

from __future__ import annotations

import asyncio
from typing import Any

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import Parameter as ParameterMessage
from rcl_interfaces.srv import GetParameters, SetParametersAtomically
from rclpy.parameter import Parameter, parameter_value_to_python

from kame_ros.nodes.common.base import KameNode
from kame_ros.realtime.refusal import Refused

_PATIENCE_S = 5.0
_LOADING_S = 60.0  # a device or a model may take its time


class Asking:
    """The services of other nodes, by their name in the namespace. Raises Refused, in words.

    Clients are made when the node is configured, and asked in the loop's thread.
    """

    def __init__(self, node: KameNode) -> None:
        self._node = node
        self._clients: dict[str, Any] = {}

    def know(self, kind: type, name: str) -> None:
        """Makes the client of a service; lives until the node is cleaned up."""
        client = self._node.create_client(kind, name)
        self._node._entities.append((self._node.destroy_client, client))
        self._clients[name] = client

    def know_node(self, name: str) -> None:
        """Makes the clients of a node's parameters and of its life."""
        self.know(SetParametersAtomically, f'{name}/set_parameters_atomically')
        self.know(GetParameters, f'{name}/get_parameters')
        self.know(ChangeState, f'{name}/change_state')
        self.know(GetState, f'{name}/get_state')

    async def call(self, name: str, request: Any, patience: float = _PATIENCE_S) -> Any:
        """The answer of a service."""
        client = self._clients[name]
        if not client.service_is_ready():
            raise Refused(f'nobody offers {name} in this robot')
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Any] = loop.create_future()

        def answer(future: Any) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(_settle, answered, future)

        asked = client.call_async(request)
        asked.add_done_callback(answer)
        try:
            return await asyncio.wait_for(answered, patience)
        except asyncio.TimeoutError as error:  # not the built-in one before 3.11
            client.remove_pending_request(asked)
            raise Refused(f'{name} does not answer') from error

    async def set(self, node: str, **values: Any) -> None:
        """Sets parameters of a node, all or none."""
        parameters = [
            Parameter(name, value=value).to_parameter_msg() for name, value in values.items()
        ]
        request = SetParametersAtomically.Request(parameters=list[ParameterMessage](parameters))
        answer = await self.call(f'{node}/set_parameters_atomically', request)
        if not answer.result.successful:
            raise Refused(answer.result.reason)

    async def get(self, node: str, *names: str) -> dict[str, Any]:
        """Parameters of a node, as far as it has them."""
        request = GetParameters.Request(names=names)
        answer = await self.call(f'{node}/get_parameters', request)
        values = [parameter_value_to_python(value) for value in answer.values]
        return {name: v for name, v in zip(names, values, strict=False) if v is not None}

    async def state(self, node: str) -> int:
        """Where a node is in its life: a number of lifecycle_msgs/State."""
        answer = await self.call(f'{node}/get_state', GetState.Request())
        return int(answer.current_state.id)

    async def change(self, node: str, transition: int) -> None:
        """Brings a node from one state of its life to the next."""
        request = ChangeState.Request(transition=Transition(id=transition))
        answer = await self.call(f'{node}/change_state', request, _LOADING_S)
        if not answer.success:
            raise Refused(f'{node} refused: see what it says of itself below')


def _settle(answered: asyncio.Future[Any], future: Any) -> None:
    if answered.done():
        return
    if future.exception() is not None:
        answered.set_exception(Refused(str(future.exception())))
    else:
        answered.set_result(future.result())
