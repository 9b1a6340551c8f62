"""A model of ends of turns for tests: it says what it is told, at once or when told to."""

from __future__ import annotations

from concurrent.futures import Executor, Future


class FakeEndModel:
    """Says the next of its answers, the last one for ever; keeps what it was asked about."""

    def __init__(self, *answers: float | BaseException) -> None:
        self._answers = list(answers)
        self.asked = []

    def probability(self, sound):
        self.asked.append(sound)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer


class FakeExecutor(Executor):
    """Works in `submit`, or, if it is `held`, in `release`."""

    def __init__(self, held: bool = False) -> None:
        self._held = held
        self._waiting = []

    def submit(self, work, /, *args, **kwargs):
        future: Future = Future()
        self._waiting.append((future, work, args, kwargs))
        if not self._held:
            self.release()
        return future

    def release(self):
        """Does what waits."""
        while self._waiting:
            future, work, args, kwargs = self._waiting.pop(0)
            try:
                future.set_result(work(*args, **kwargs))
            except BaseException as error:
                future.set_exception(error)
