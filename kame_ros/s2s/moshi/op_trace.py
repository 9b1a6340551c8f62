"""What a function asks of a device: its operations, counted or kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

# Operations whose result Python has to wait for: a CUDA graph cannot hold them.
SYNCHRONISING = ('aten::_local_scalar_dense', 'aten::nonzero', 'aten::is_nonzero')
# Operations that only make a tensor, or look at one in another shape: no kernel runs.
FREE = ('aten::_unsafe_view', 'aten::empty_like', 'aten::new_empty', 'aten::empty')


class OpTrace(TorchDispatchMode):
    """Counts the operations that do something, by name; views cost nothing and are left out.

    On a GPU each is one kernel or a few; inside a CUDA graph that is what a small step costs.
    """

    def __init__(self, keep: bool = False) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()
        self.calls: list[tuple[Any, tuple, dict, Any]] = []
        self._keep = keep

    @property
    def total(self) -> int:
        """How many operations there were."""
        return self.counts.total()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        """Runs one operation and takes note of it."""
        kwargs = kwargs or {}
        name = func._schema.name
        if self._keep and name in SYNCHRONISING:
            raise RuntimeError(f'{name} waits for the device: it cannot be in a CUDA graph')
        out = func(*args, **kwargs)
        mutates = func._schema.is_mutable
        is_view = not mutates and any(r.alias_info is not None for r in func._schema.returns)
        if not is_view:
            self.counts[name] += name not in FREE
            if self._keep:
                self.calls.append((func, args, kwargs, None if mutates else out))
        return out


@torch.no_grad()
def count_ops(func: Callable[[], Any]) -> Counter[str]:
    """Calls `func` once and gives its operations by name."""
    with OpTrace() as trace:
        func()
    return trace.counts
