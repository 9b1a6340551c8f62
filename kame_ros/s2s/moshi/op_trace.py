"""What a function asks of a device: its operations counted, or recorded and played again.

A CUDA graph replays kernels and runs no Python. `ReplayedCall` does that on a CPU: it finds code
that would be wrong in a graph, such as a token read in Python, which an ordinary run cannot show.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

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


class ReplayedCall:
    """Stands in for moshi's `CUDAGraphed` on a CPU: the second call is recorded, others replayed.

    A replay runs the recorded operations on the very memory they were recorded with.
    """

    def __init__(
        self, func: Callable[..., Any], warmup_steps: int = 1, disable: bool = False
    ) -> None:
        self.func, self.disable = func, disable
        self._warm_up = warmup_steps
        self._trace: OpTrace | None = None
        self._out: Any = None
        self.replays = 0

    def __call__(self, *args: Any) -> Any:
        """Calls, records or replays; tensors among `args` are copied to where they were."""
        if self._trace is not None:
            self._replay(args)
            return self._out
        if self._warm_up > 0:
            self._warm_up -= 1
            return self.func(*args)
        self._args = tuple(a.clone() if isinstance(a, Tensor) else a for a in args)
        with OpTrace(keep=True) as self._trace:
            self._out = self.func(*self._args)
        return self._out

    def _replay(self, args: tuple) -> None:
        assert self._trace is not None
        self.replays += 1
        for new, old in zip(args, self._args, strict=True):
            if isinstance(old, Tensor):
                old.copy_(new)
            elif new is not old and new != old:
                raise ValueError(f'a captured argument changed from {old} to {new}')
        for func, inputs, kwargs, out in self._trace.calls:
            again = func(*inputs, **kwargs)
            if out is None:
                continue
            for old, new in zip(tree_leaves(out), tree_leaves(again), strict=True):
                if isinstance(old, Tensor) and old.numel():
                    old.copy_(new)


@torch.no_grad()
def count_ops(func: Callable[[], Any]) -> Counter[str]:
    """Calls `func` once and gives its operations by name."""
    with OpTrace() as trace:
        func()
    return trace.counts
