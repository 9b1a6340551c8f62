"""How the nodes of a graph are brought up, and again when they come back: the policy, without ROS.

`kame up` and the launch file follow it alike. Times are seconds on any clock that does not jump.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

CONFIGURE, ACTIVATE = 'configure', 'activate'
_REACHED = {CONFIGURE: ('inactive', 'active'), ACTIVATE: ('active',)}
_FROM = {CONFIGURE: 'unconfigured', ACTIVATE: 'inactive'}
_MOST_S, _FORGIVEN_S = 30.0, 300.0
_LIVES = 8  # of a node that are over and remembered: one that died long ago tells nothing
_LOST_S = 3.0  # a node that tells of its old state so long after it was asked has not heard it


class Backoff:
    """How long to wait before the next try: not at all, then 1, 2, 4 … up to 30 seconds.

    The first `free` times cost nothing; what happened more than five minutes ago is forgiven.
    """

    def __init__(self, *, free: int = 1) -> None:
        self._free = free
        self._times: list[float] = []

    def failed(self, t: float) -> float:
        """It has failed at `t`; gives when the next try is due."""
        self._times = [then for then in self._times if t - then < _FORGIVEN_S] + [t]
        beyond = len(self._times) - self._free
        return t if beyond <= 0 else t + min(2.0 ** (min(beyond, 30) - 1), _MOST_S)

    @property
    def count(self) -> int:
        """How often it has failed of late."""
        return len(self._times)


@dataclass(frozen=True)
class Ask:
    """A node is to be asked for a transition."""

    name: str
    transition: str


@dataclass
class _Node:
    life: str = ''  # which of its processes told last; empty: none yet
    told: str = ''  # the state that it told last
    told_at: float = 0.0
    goal: str = CONFIGURE  # the next transition; empty: it was brought up, and is left alone
    asked_at: float | None = None
    not_before: float = 0.0
    tries: Backoff = field(default_factory=lambda: Backoff(free=0))
    gone: dict[str, float] = field(default_factory=dict)  # lives that are over, and since when

    def is_gone(self, t: float) -> None:
        """Its life is over."""
        if self.life:
            self.gone[self.life] = t
        if len(self.gone) > _LIVES:
            del self.gone[next(iter(self.gone))]


class BringUp:
    """Says which node to ask for what, from what the nodes tell of themselves.

    All are configured at once, and activated in their order. Once all have been active, a node
    that was started anew is configured and activated by itself; one that refuses is asked again
    with growing pauses, while the others go on. A node that is brought up is left alone: whoever
    deactivates it by hand wants it so.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._nodes = {name: _Node() for name in names}
        self.up = False  # whether all have been active
        self.refused = ''  # the node that refused in the first bring-up
        self.doubled = ''  # the node of which there are two

    def told(self, t: float, name: str, life: str, state: str) -> None:
        """A process of the node tells that it lives, and in which state."""
        node = self._nodes[name]
        if life != node.life:
            if life in node.gone and not self._is_back(t, name, life):
                return
            node.is_gone(t)
            self._nodes[name] = node = _Node(life, tries=node.tries, gone=node.gone)
        node.told, node.told_at = state, t
        while node.goal and state in _REACHED[node.goal]:
            self._reached(node)
        self.up = self.up or all(not node.goal for node in self._nodes.values())

    def _is_back(self, t: float, name: str, life: str) -> bool:
        """Whether one that was followed by another is alone again; notices if there are two."""
        node = self._nodes[name]
        if t - node.gone[life] <= _LOST_S:
            return False  # its last words
        if node.life and t - node.told_at <= _LOST_S:
            self.doubled = name
            return False
        self.doubled = ''
        del node.gone[life]
        return True

    def ended(self, t: float, name: str) -> None:
        """The process of the node has ended: what it was asked is void."""
        node = self._nodes[name]
        node.is_gone(t)
        self._nodes[name] = _Node(tries=node.tries, gone=node.gone)

    def asked(self, t: float, ask: Ask) -> None:
        """The node was asked."""
        self._nodes[ask.name].asked_at = t

    def answered(self, t: float, ask: Ask, success: bool) -> None:
        """The node has answered."""
        node = self._nodes[ask.name]
        if node.goal != ask.transition or node.asked_at is None:
            return
        if success:
            node.told = _REACHED[ask.transition][0]
            self._reached(node)
            self.up = self.up or all(not node.goal for node in self._nodes.values())
            return
        if node.told != _FROM[ask.transition] and t - node.told_at < _LOST_S:
            return  # it is on its way already, for whoever asked before
        node.asked_at = None
        node.not_before = node.tries.failed(t)
        if not self.up and not self.refused:
            self.refused = ask.name

    def due(self, t: float) -> list[Ask]:
        """Whom to ask for what now."""
        asks = []
        ready = True  # whether all nodes before this one are up
        for name, node in self._nodes.items():
            if node.goal and node.life and self._is_due(t, node, ready or self.up):
                asks.append(Ask(name, node.goal))
            ready = ready and not node.goal
        return asks

    def is_up(self, name: str) -> bool:
        """Whether the node was brought up, and has not been started anew since."""
        return not self._nodes[name].goal

    def _is_due(self, t: float, node: _Node, its_turn: bool) -> bool:
        if t < node.not_before or (node.goal == ACTIVATE and not its_turn):
            return False
        if node.asked_at is None:
            return True
        unheard = node.told == _FROM[node.goal] and node.told_at > node.asked_at
        return unheard and t - node.asked_at > _LOST_S

    @staticmethod
    def _reached(node: _Node) -> None:
        node.goal = ACTIVATE if node.goal == CONFIGURE else ''
        node.asked_at, node.not_before = None, 0.0
        if not node.goal:
            node.tries = Backoff(free=0)
