"""What follows from two reports: gains over all dimensions, and what a small dimension costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eval.compare import check_pair, shared_dims
from eval.report import Report
from eval.statistics import (
    LEVEL,
    Clusters,
    Column,
    Difference,
    Interval,
    paired_difference,
    ratio_of_means,
)
from eval.systems import FILTER, is_model, ordered


@dataclass(frozen=True, slots=True)
class Kept:
    """What a dimension keeps of its own model's full-width quality, and how much less it stores."""

    system: str
    storage_factor: float
    base: Interval
    tuned: Interval


@dataclass(frozen=True, slots=True)
class Against:
    """The tuned model at a dimension less another system of the base's report."""

    system: str
    other: str
    difference: Difference


@dataclass(frozen=True, slots=True)
class Conclusions:
    """The notebook's conclusions, with intervals.

    ``average`` is over the dimensions; ``largest`` is the gain at ``largest_at``, its interval
    widened for having been picked out of them (Bonferroni). ``against`` holds the tuned model at
    each dimension against the base at full width and against the base's baselines.
    """

    metric: str
    base: str
    tuned: str
    average: Difference
    largest: Difference
    largest_at: str
    kept: tuple[Kept, ...]
    against: tuple[Against, ...]


def conclude(base: Report, tuned: Report, metric: str) -> tuple[Conclusions, ...]:
    """Conclusions over the dimensions that both have: all passages, then the company's alone.

    The second is there where both were scored with the filter; either only where they share two
    dimensions or more, and where the base scores above 0 at the widest.

    Raises:
        DataError: the reports differ in protocol or evaluation set.
    """
    check_pair(base, tuned)
    shared = shared_dims(base, tuned)
    found = []
    for filtered in (False, True):
        dims = [dim for dim in shared if dim.endswith(FILTER) is filtered]
        if len(dims) > 1 and all(report.metrics[dims[0]].get(metric) for report in (base, tuned)):
            found.append(_conclude(base, tuned, dims, metric))
    return tuple(found)


def _conclude(base: Report, tuned: Report, dims: list[str], metric: str) -> Conclusions:
    """``dims`` are systems of one view, widest first."""
    clusters = Clusters.of(list(base.groups), base.groups)
    full = dims[0]
    others = [full, *_baselines(base, full.endswith(FILTER))]
    before = {name: clusters.column(base.per_query[name][metric]) for name in {*dims, *others}}
    after = {name: clusters.column(tuned.per_query[name][metric]) for name in dims}

    def differ(one: Column, other: Column, level: float = LEVEL) -> Difference:
        less, more = (
            dict(zip(clusters.query_ids, column.tolist(), strict=True)) for column in (one, other)
        )
        return paired_difference(less, more, base.groups, level=level)

    best = max(dims, key=lambda dim: float((after[dim] - before[dim]).mean()))
    return Conclusions(
        metric=metric,
        base=base.model,
        tuned=tuned.model,
        average=differ(
            np.mean([before[dim] for dim in dims], axis=0),
            np.mean([after[dim] for dim in dims], axis=0),
        ),
        largest=differ(before[best], after[best], 1 - (1 - LEVEL) / len(dims)),
        largest_at=best,
        kept=tuple(
            Kept(
                system=dim,
                storage_factor=_width(full) / _width(dim),
                base=ratio_of_means(clusters, before[dim], before[full]),
                tuned=ratio_of_means(clusters, after[dim], after[full]),
            )
            for dim in dims[1:]
        ),
        against=tuple(
            Against(dim, other, differ(before[other], after[dim]))
            for dim in dims
            for other in others
            if other == full or _width(other) in (0, _width(dim))
        ),
    )


def _baselines(report: Report, filtered: bool) -> list[str]:
    """The report's baselines, of one view."""
    found = ordered(name for name in report.metrics if not is_model(name))
    return [name for name in found if name.endswith(FILTER) is filtered]


def _width(system: str) -> int:
    """The coordinates that a system's name says; 0 where it has none."""
    width = system.removesuffix(FILTER).rpartition("@")[2]
    return int(width) if width.isdigit() else 0
