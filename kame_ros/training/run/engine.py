"""How a step is computed: here in one process; several are in `accelerated.py`."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from itertools import chain
from typing import Any, Protocol

import torch
from torch import Tensor, nn


class Engine(Protocol):
    """What a `Trainer` needs of the process, or of the processes, that it runs in."""

    device: torch.device
    home: str  # where a model is loaded to
    rank: int
    world: int

    def prepare(
        self, model: nn.Module, optimiser: torch.optim.Optimizer
    ) -> tuple[nn.Module, torch.optim.Optimizer]:
        """The same two, as they are to be called from here on."""

    def part(self, model: nn.Module, last: bool) -> AbstractContextManager[Any]:
        """Around a part of a step: gradients are exchanged only in the `last` one."""

    def backward(self, loss: Tensor) -> None:
        """Adds the gradients of this process's share of the loss."""

    def clip(self, model: nn.Module, most: float) -> float:
        """Clips the gradients; gives their norm over all processes."""

    def total(self, value: Tensor) -> Tensor:
        """The sum of `value` over all processes."""

    def state(self, model: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Any] | None:
        """`model` and `optimiser`, whole, in the process that writes; None in the others."""

    def weights(self, model: nn.Module) -> dict[str, Tensor] | None:
        """The part of that state that is the model."""

    def load(
        self, model: nn.Module, optimiser: torch.optim.Optimizer, state: dict[str, Any]
    ) -> None:
        """Takes up a state. Raises KeyError, RuntimeError or ValueError if it does not fit."""

    def close(self) -> None:
        """At the end of a run that went well: all processes part together."""


class OneProcess:
    """The engine without any other process."""

    rank, world = 0, 1

    def __init__(self, device: str = 'cpu') -> None:
        self.device, self.home = torch.device(device), device

    def prepare(
        self, model: nn.Module, optimiser: torch.optim.Optimizer
    ) -> tuple[nn.Module, torch.optim.Optimizer]:
        """Both as they are."""
        return model, optimiser

    def part(self, model: nn.Module, last: bool) -> AbstractContextManager[Any]:
        """Nothing is exchanged."""
        return nullcontext()

    def backward(self, loss: Tensor) -> None:
        """Adds the gradients."""
        loss.backward()

    def clip(self, model: nn.Module, most: float) -> float:
        """Clips the gradients; gives their norm."""
        return float(torch.nn.utils.clip_grad_norm_(model.parameters(), most))

    def total(self, value: Tensor) -> Tensor:
        """`value` itself."""
        return value

    def state(self, model: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Any] | None:
        """What is trained, and the optimiser's state by number."""
        return {'model': self.weights(model), 'optimiser': optimiser.state_dict()}

    def weights(self, model: nn.Module) -> dict[str, Tensor] | None:
        """What is trained."""
        return trained(model)

    def load(
        self, model: nn.Module, optimiser: torch.optim.Optimizer, state: dict[str, Any]
    ) -> None:
        """Takes up a state, of one process or of several."""
        load_trained(model, state['model'])
        optimiser.load_state_dict(by_number(state['optimiser'], model, optimiser))

    def close(self) -> None:
        """Nobody else is there."""


def trained(model: nn.Module) -> dict[str, Tensor]:
    """The weights that are trained, by name: those of a frozen base are not kept again."""
    frozen = {name for name, weight in model.named_parameters() if not weight.requires_grad}
    return {key: value for key, value in model.state_dict().items() if key not in frozen}


def load_trained(model: nn.Module, state: dict[str, Tensor]) -> None:
    """Puts the weights back. Raises KeyError or RuntimeError for those of another model."""
    missing = trained(model).keys() ^ state.keys()
    if missing:
        raise KeyError(f'{min(missing)} is only in one of both')
    model.load_state_dict(state, strict=False)


def by_number(
    state: dict[str, Any], model: nn.Module, optimiser: torch.optim.Optimizer
) -> dict[str, Any]:
    """An optimiser's state with numbers for parameters, where FSDP keeps names."""
    groups = state['param_groups']
    if not any(isinstance(name, str) for group in groups for name in group['params']):
        return state
    own = _names(model, optimiser)
    numbers = {name: number for number, name in enumerate(chain.from_iterable(own))}
    return {
        'state': {numbers[name]: value for name, value in state['state'].items()},
        'param_groups': [
            {**group, 'params': [numbers[name] for name in names]}
            for group, names in zip(groups, own, strict=True)
        ],
    }


def by_name(
    state: dict[str, Any], model: nn.Module, optimiser: torch.optim.Optimizer
) -> dict[str, Any]:
    """The other way round: names for numbers."""
    groups = state['param_groups']
    if any(isinstance(name, str) for group in groups for name in group['params']):
        return state
    own = _names(model, optimiser)
    order = list(chain.from_iterable(own))
    return {
        'state': {order[number]: value for number, value in state['state'].items()},
        'param_groups': [
            {**group, 'params': names} for group, names in zip(groups, own, strict=True)
        ],
    }


def _names(model: nn.Module, optimiser: torch.optim.Optimizer) -> list[list[str]]:
    names = {id(weight): name for name, weight in model.named_parameters()}
    return [[names[id(w)] for w in group['params']] for group in optimiser.param_groups]
