"""The requests of the LLM on their way to the robot, and the robot's answers on their way back."""

from __future__ import annotations

from dataclasses import dataclass, field

from kame_ros.oracle.actions.book import ActionBook, ActionError, ActionRequest


@dataclass
class ActionDesk:
    """Lets a request through only when the user has really finished saying it.

    A request of a speculative generation waits until the final transcript confirms that
    generation, and is forgotten with the generation or the turn. Of one turn at most
    `max_per_turn` pass. An action that does not answer in `timeout_s` has failed.
    """

    book: ActionBook
    max_per_turn: int = 3
    timeout_s: float = 30.0
    refused: int = 0
    passed: int = 0
    _waiting: dict[int, list[str]] = field(default_factory=dict)  # generation -> requests
    _running: dict[str, tuple[ActionRequest, float]] = field(default_factory=dict)
    _turn: tuple[int, int] = (-1, 0)  # utterance and its requests so far

    def ask(
        self, t: float, text: str, generation: int, utterance: int, confirmed: bool
    ) -> ActionRequest | None:
        """Takes a request as the LLM wrote it; returns it when it may go to the robot now.

        Raises ActionError if it is not allowed.
        """
        try:
            name, arguments = self.book.parse(text)
            if not confirmed:
                waiting = self._waiting.setdefault(generation, [])
                if len(waiting) < self.max_per_turn:
                    waiting.append(text)
                return None
            count = self._turn[1] if self._turn[0] == utterance else 0
            if count >= self.max_per_turn:
                raise ActionError('too many actions in one turn')
        except ActionError:
            self.refused += 1
            raise
        self._turn = (utterance, count + 1)
        self.passed += 1
        request = ActionRequest(
            f'{generation}-{self.passed}', name, arguments, utterance, generation
        )
        self._running[request.id] = (request, t)
        return request

    def check(self, text: str) -> None:
        """Raises ActionError for a request that is not allowed."""
        try:
            self.book.parse(text)
        except ActionError:
            self.refused += 1
            raise

    def confirm(self, generation: int) -> list[str]:
        """The requests of this generation, to be asked again as confirmed ones."""
        return self._waiting.pop(generation, [])

    def forget(self, generation: int) -> None:
        """The generation was dropped: so are its requests."""
        self._waiting.pop(generation, None)

    def forget_unconfirmed(self) -> None:
        """A new turn: what was not confirmed never will be."""
        self._waiting.clear()

    def result(self, id: str) -> ActionRequest | None:
        """The request that this result answers; None if it is unknown, late or answered."""
        found = self._running.pop(id, None)
        return found[0] if found else None

    def take_back(self, utterance: int) -> list[ActionRequest]:
        """Forgets what was asked for since this utterance; returns what the robot must stop."""
        back = [r for r, _ in self._running.values() if r.utterance >= utterance]
        for request in back:
            del self._running[request.id]
        self._turn = (self._turn[0], max(0, self._turn[1] - len(back)))
        return back

    def cancel_all(self) -> list[ActionRequest]:
        """Forgets all; returns the requests that the robot must be told to stop."""
        running = [request for request, _ in self._running.values()]
        self._running.clear()
        self._waiting.clear()
        return running

    def overdue(self, t: float) -> list[ActionRequest]:
        """Takes the requests that got no result in time."""
        late = [r for r, since in self._running.values() if t >= since + self.timeout_s]
        for request in late:
            del self._running[request.id]
        return late

    def next_deadline(self) -> float | None:
        """When a request will be overdue, or None."""
        return min((since + self.timeout_s for _, since in self._running.values()), default=None)
