"""Chooses the next token by the scores of a model: the likeliest, or one drawn by chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SHUNNED = 0.01  # by so much less likely is a piece that is rather not to begin


def softmax(logits: np.ndarray) -> np.ndarray:
    """Logits float32[n] as probabilities."""
    weights = np.exp(logits - logits.max())
    return np.asarray(weights / weights.sum())


def drawn(logits: np.ndarray, temperature: float, top_k: int, chance: float) -> int:
    """One of the `top_k` likeliest, by `chance` from 0 to 1; at temperature 0 the likeliest."""
    if temperature <= 0 or top_k == 1:
        return int(logits.argmax())
    kept = (
        np.argpartition(logits, -top_k)[-top_k:] if top_k < len(logits) else np.arange(len(logits))
    )
    kept = kept[np.argsort(-logits[kept], kind='stable')]  # the likeliest first, on every machine
    return int(kept[_at(softmax(logits[kept] / temperature), chance)])


def begun(
    logits: np.ndarray,
    threshold: float,
    near: float,
    due: int,
    chance: float,
    shunned: Sequence[int] = (),
    allowed: Sequence[int] | None = None,
) -> int:
    """The piece that begins now, of logits float32[pieces]; 0 where that is likely enough.

    Below `threshold` it is the likeliest piece if that is the one that is `due` (0: none is). Else
    one is drawn of those at least `near` times as likely as the likeliest: answers open, and are
    put right, in several ways. Those that are `shunned` count for little. Where only some are
    `allowed`, how likely the others are counts as silence.
    """
    likely = softmax(logits)
    if allowed is not None:
        kept = np.zeros_like(likely)
        kept[list(allowed)] = likely[list(allowed)]
        kept[0] = 0.0
        kept[0] = max(0.0, 1.0 - float(kept.sum()))
        likely = kept
    if likely[0] >= threshold:
        return 0
    likely[0] = 0.0
    if shunned:
        likely[[piece for piece in shunned if piece != due]] *= SHUNNED
    best = int(likely.argmax())
    if not likely[best] > 0.0:
        return 0  # none is allowed
    if best == due:
        return best
    likely[likely < near * likely[best]] = 0.0
    return _at(likely / likely.sum(), chance)


def _at(likely: np.ndarray, chance: float) -> int:
    """The index at which the sum of probabilities reaches `chance`."""
    index = int(np.searchsorted(np.cumsum(likely), chance, side='right'))
    return min(index, int(np.flatnonzero(likely)[-1]))  # rounding: the sum may stay below 1
