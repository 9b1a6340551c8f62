"""Intervals and tests: by bootstrap over questions, by binomials, by flipping signs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kame_ros.evaluation.words import INSTALL, NotInstalled

LEVEL = 0.95
_RESAMPLES = 2_000
_FLIPS = 9_999
_SEED = 0


@dataclass(frozen=True)
class Interval:
    """A figure and where it may lie, at 95 %, of `n` values."""

    value: float
    low: float
    high: float
    n: int

    def text(self, digits: int = 2, sign: bool = False) -> str:
        """As in a table."""
        mark = '+' if sign else ''
        return (
            f'{self.value:{mark}.{digits}f} '
            f'({self.low:{mark}.{digits}f} to {self.high:{mark}.{digits}f})'
        )


def wilson(hits: int, n: int) -> Interval:
    """A share and its interval after Wilson. Raises NotInstalled."""
    if not n:
        return Interval(math.nan, math.nan, math.nan, 0)
    found = _stats().binomtest(hits, n).proportion_ci(LEVEL, 'wilson')
    return Interval(hits / n, float(found.low), float(found.high), n)


def bootstrap(values: Sequence[float], of: Callable[[np.ndarray], float] | None = None) -> Interval:
    """The mean (or what else of them) of values that are each of another question.

    BCa over questions; where all are alike, the interval is the point. Raises NotInstalled.
    """
    data = np.asarray(values, np.float64)
    statistic = of or (lambda x: float(np.mean(x)))
    if not len(data):
        return Interval(math.nan, math.nan, math.nan, 0)
    value = statistic(data)
    if len(data) < 2 or np.ptp(data) == 0:
        return Interval(value, value, value, len(data))
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # of degenerate data: seen in the nan below
        found = _stats().bootstrap(
            (data,),
            lambda x: statistic(x),
            vectorized=False,
            n_resamples=_RESAMPLES,
            confidence_level=LEVEL,
            method='BCa',
            rng=np.random.default_rng(_SEED),
        )
    low, high = (float(edge) for edge in found.confidence_interval)
    if math.isnan(low) or math.isnan(high):
        low = high = value
    return Interval(value, low, high, len(data))


def stratified(groups: Mapping[str, Sequence[float]]) -> Interval:
    """The mean of the means of groups, resampled within each: questions of categories."""
    full = {name: np.asarray(v, np.float64) for name, v in groups.items() if len(v)}
    if not full:
        return Interval(math.nan, math.nan, math.nan, 0)
    value = float(np.mean([data.mean() for data in full.values()]))
    rng = np.random.default_rng(_SEED)
    means = np.mean(
        [rng.choice(d, (_RESAMPLES, len(d))).mean(axis=1) for d in full.values()], axis=0
    )
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(value, float(low), float(high), sum(map(len, full.values())))


@dataclass(frozen=True)
class Comparison:
    """A minus B on the same questions: the mean difference, its interval, and how likely chance
    makes one as large.
    """

    difference: Interval
    p: float
    better: int  # questions on which A is better
    worse: int

    @property
    def told(self) -> str:
        """In words."""
        if math.isnan(self.p):
            return 'nothing to compare'
        sure = 'a difference' if self.p < 0.05 else 'may be chance'
        return f'{self.difference.text(3, True)}, p = {self.p:.3f}: {sure}'


def paired(a: Mapping[str, float], b: Mapping[str, float]) -> Comparison:
    """Compares two values for each question that both have.

    By flipping signs; of yes and no, which have no other differences than -1, 0 and 1, by the exact
    test of McNemar. Raises NotInstalled.
    """
    names = sorted(set(a) & set(b))
    deltas = np.asarray([a[name] - b[name] for name in names], np.float64)
    interval = bootstrap(list(deltas))
    better, worse = int((deltas > 0).sum()), int((deltas < 0).sum())
    if not len(deltas):
        return Comparison(interval, math.nan, 0, 0)
    if better + worse == 0:
        return Comparison(interval, 1.0, 0, 0)
    if set(np.unique(deltas)) <= {-1.0, 0.0, 1.0}:
        p = float(_stats().binomtest(better, better + worse).pvalue)
        return Comparison(interval, p, better, worse)
    rng = np.random.default_rng(_SEED)
    signs = rng.choice((-1.0, 1.0), (_FLIPS, len(deltas)))
    means = np.abs((signs * deltas).mean(axis=1))
    p = float((1 + (means >= abs(deltas.mean()) - 1e-12).sum()) / (1 + _FLIPS))
    return Comparison(interval, p, better, worse)


def holm(values: Sequence[float]) -> list[float]:
    """Values of p of several comparisons, corrected after Holm."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    out, largest = [0.0] * len(values), 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, values[place] * (len(values) - rank)))
        out[place] = largest
    return out


def quantiles(values: Sequence[float], *parts: float) -> list[float]:
    """Of values; nan where there are none."""
    if not len(values):
        return [math.nan] * len(parts)
    return [float(x) for x in np.quantile(np.asarray(values, np.float64), parts)]


def _stats():  # type: ignore[no-untyped-def]  # the module, which takes a second to import
    try:
        from scipy import stats
    except ImportError as error:
        raise NotInstalled(INSTALL) from error
    return stats
