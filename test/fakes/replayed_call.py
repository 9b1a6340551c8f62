"""A CUDA graph on a CPU: it replays what was recorded, and runs no Python.

It finds code that would be wrong in a graph, such as a token read in Python, which an ordinary run
cannot show.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.utils._pytree import tree_leaves

from kame_ros.s2s.moshi.op_trace import OpTrace


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
