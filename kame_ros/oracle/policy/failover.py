"""Which back-end is asked, and which one after it."""

from __future__ import annotations

from dataclasses import dataclass, field

from kame_ros.oracle.policy.decision import Start


@dataclass
class Retry:
    """A question that is asked again at `at` seconds."""

    ask: Start
    at: float


@dataclass
class Failover:
    """Back-ends 0 to count-1, in the order of preference; one that failed is left for a while.

    `first` is asked before all others: a router's choice for this turn.
    """

    count: int = 1
    first: int = 0
    _left_until: dict[int, float] = field(default_factory=dict)
    _demands: dict[int, float] = field(default_factory=dict)
    _held_s: float = 0.0  # guesses waited so long, up to `_since`
    _since: float = 0.0

    @property
    def order(self) -> list[int]:
        """All back-ends, the preferred one first."""
        rest = [b for b in range(self.count) if b != self.first]
        return [self.first, *rest] if self.first < self.count else rest

    def preferred(self, t: float) -> int:
        """The first one that is not left alone; if all are, the first."""
        up = [b for b in self.order if t >= self._left_until.get(b, float('-inf'))]
        return (up or self.order)[0]

    def after(self, backend: int) -> int | None:
        """The next one to ask when this one has failed, or None."""
        order = self.order
        at = order.index(backend) + 1 if backend in order else len(order)
        return order[at] if at < len(order) else None

    def leave(self, backend: int, until: float) -> None:
        """Leaves it alone until then."""
        self._left_until[backend] = until

    def demand(self, backend: int, t: float, until: float) -> None:
        """The server has demanded (retry-after), at `t`, not to be asked until then."""
        self.held_s(t)
        self._demands[backend] = until

    def answers(self, t: float, backend: int) -> None:
        """The server answers: whatever it demanded or failed at is over."""
        self.held_s(t)
        self._demands.pop(backend, None)
        self._left_until.pop(backend, None)

    def held_s(self, t: float) -> float:
        """So many seconds guesses have waited until `t`, as servers demanded; it only grows."""
        self._held_s += max(0.0, min(t, self.patient_until) - self._since)
        self._since = max(self._since, t)
        return self._held_s

    @property
    def patient_until(self) -> float:
        """When the first one may be asked again; guesses wait for it, a final question does not."""
        return min(self._demands.get(b, float('-inf')) for b in range(self.count))
