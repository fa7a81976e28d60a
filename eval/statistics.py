"""Paired statistics: bootstrap intervals, sign-flip tests, Holm, what could have been detected."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from rag_app.errors import DataError

MIN_COMPANIES = 10
"""With fewer, questions are drawn and flipped one by one: five companies can be flipped in 16 ways
that differ, so that no p-value would be under .05, and a bootstrap over them is far too narrow."""
FLIPS = 10_000
EXACT_CLUSTERS = 13
"""Up to here all 2^n flips (8,192) are gone through, and the p-value is exact."""
TIE = 1e-4
"""Scores are kept with four decimals: a smaller difference is none."""
LEVEL, POWER = 0.95, 0.80
CELLS = 4_000_000
"""Random numbers held at once."""

Column = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean of tuned minus base over queries: 95% interval, p-value, and the counts behind it.

    ``clustered_by`` is ``"company"``, or ``"query"`` where there are fewer than ``MIN_COMPANIES``;
    ``clusters`` is how many there are: under about 30, the interval is too narrow. ``detectable``
    is the smallest true difference that this many questions, scattered as they are, would show
    four times out of five; none for a single one. A tie is a query that both score alike.
    """

    mean: float
    low: float
    high: float
    p: float
    wins: int
    ties: int
    losses: int
    detectable: float | None
    queries: int
    clusters: int
    clustered_by: str


@dataclass(frozen=True, slots=True)
class Clusters:
    """Which queries are drawn and flipped together: ``member[i]`` is query i's cluster."""

    query_ids: tuple[str, ...]
    member: NDArray[np.intp]
    count: int
    by: str

    @classmethod
    def of(cls, query_ids: Sequence[str], groups: Mapping[str, str]) -> Clusters:
        """Cluster by company, or by query where there are fewer than ``MIN_COMPANIES``.

        Raises:
            DataError: there is no query, or one has no company.
        """
        if not query_ids:
            raise DataError("There is no question to compare on; give a set with questions.")
        if not set(query_ids) <= groups.keys():
            raise DataError("Some queries name no company; add it to the evaluation set.")
        ordered = tuple(sorted(query_ids))
        companies = [groups[query_id] for query_id in ordered]
        by = "company" if len(set(companies)) >= MIN_COMPANIES else "query"
        names = companies if by == "company" else ordered
        found, member = np.unique(np.array(names), return_inverse=True)
        return cls(ordered, member, len(found), by)

    def column(self, values: Mapping[str, float]) -> Column:
        """The values in the order of ``query_ids``."""
        return np.array([values[query_id] for query_id in self.query_ids], dtype=np.float64)

    def sums(self, column: Column) -> Column:
        """One sum a cluster."""
        summed = np.bincount(self.member, weights=column, minlength=self.count)
        return np.asarray(summed, dtype=np.float64)


def paired_difference(
    base: Mapping[str, float],
    tuned: Mapping[str, float],
    groups: Mapping[str, str],
    *,
    level: float = LEVEL,
    seed: int = 0,
) -> Difference:
    """Tuned minus base on the same queries, clustered by company.

    Questions of one company share its filing and wording, so whole companies are drawn with
    replacement; percentiles of the mean over the drawn queries are the interval of ``level``
    (percentile cluster bootstrap: Cameron, Gelbach and Miller 2008).

    Raises:
        DataError: the two do not score the same queries, there are none, or one has no company.
    """
    if not base or base.keys() != tuned.keys():
        raise DataError("The two runs score different queries; run both on the same questions.")
    clusters = Clusters.of(list(base), groups)
    gains = clusters.column(tuned) - clusters.column(base)
    spread = ratio_of_means(clusters, gains, np.ones_like(gains), level, seed=seed)
    return Difference(
        mean=spread.value,
        low=spread.low,
        high=spread.high,
        p=sign_flip_p(clusters, gains, seed),
        wins=int((gains >= TIE).sum()),
        ties=int((np.abs(gains) < TIE).sum()),
        losses=int((gains <= -TIE).sum()),
        detectable=_detectable(clusters, gains),
        queries=len(gains),
        clusters=clusters.count,
        clustered_by=clusters.by,
    )


def ratio_of_means(
    clusters: Clusters,
    above: Column,
    below: Column,
    level: float = LEVEL,
    samples: int = 2000,
    seed: int = 0,
) -> Interval:
    """Mean of ``above`` over mean of ``below``, both of the same drawn clusters.

    With ones below it is the interval of a mean. The mean below must not be 0; draws in which it
    is are left out.
    """
    top, bottom = clusters.sums(above), clusters.sums(below)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.concatenate(
            [
                top[drawn].sum(axis=1) / bottom[drawn].sum(axis=1)
                for drawn in _draws(clusters.count, samples, seed)
            ]
        )
        kept = ratios[np.isfinite(ratios)]
        low, high = np.percentile(kept, [50 * (1 - level), 50 * (1 + level)])
        return Interval(float(above.sum() / below.sum()), float(low), float(high))


def sign_flip_p(clusters: Clusters, gains: Column, seed: int = 0) -> float:
    """Two-sided p of "either system might have got either score", by flipping signs.

    Per query this is the paired randomisation test of retrieval (Smucker, Allan and Carterette
    2007). All questions of a company are flipped together, since they are not independent: then
    the test needs only that companies are, and is valid with few of them (Canay, Romano and Shaikh
    2017, "Randomization tests under an approximate symmetry assumption"). Past ``EXACT_CLUSTERS``
    it draws ``FLIPS`` of them, the observed one counted in (Phipson and Smyth 2010).
    """
    sums = clusters.sums(gains)
    reached = abs(sums.sum()) - 1e-9  # equal sums in another order differ in the last bit
    if clusters.count <= EXACT_CLUSTERS:
        every = np.array(list(product((1.0, -1.0), repeat=clusters.count)))
        return float((np.abs(every @ sums) >= reached).mean())
    rng = np.random.default_rng(seed)
    beyond, left = 1, FLIPS
    while left:
        rows = min(left, max(1, CELLS // clusters.count))
        signs = rng.integers(0, 2, size=(rows, clusters.count), dtype=np.int8) * 2 - 1
        beyond += int((np.abs(signs @ sums) >= reached).sum())
        left -= rows
    return beyond / (FLIPS + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values adjusted for their number, in the order given (Holm 1979).

    Under .05 of these, the chance that any is there by luck is under .05.
    """
    adjusted = [0.0] * len(p_values)
    least = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = least
    return adjusted


def _detectable(clusters: Clusters, gains: Column) -> float | None:
    """Smallest true difference found with ``POWER`` at .05, two-sided (Bloom 1995).

    2.80 standard errors, these clustered (Cameron and Miller 2015, for a mean).
    """
    if clusters.count < 2:
        return None
    residuals = clusters.sums(gains - gains.mean())
    variance = clusters.count / (clusters.count - 1) * float(residuals @ residuals)
    normal = NormalDist()
    factor = normal.inv_cdf((1 + LEVEL) / 2) + normal.inv_cdf(POWER)
    return factor * math.sqrt(variance) / len(gains)


def _draws(count: int, samples: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Blocks of samples; a sample is as many clusters as there are, drawn with replacement."""
    rng = np.random.default_rng(seed)
    rows = max(1, CELLS // count)
    for start in range(0, samples, rows):
        yield rng.integers(count, size=(min(rows, samples - start), count))
