"""What the charts show, computed from reports: curves over dimensions, rank moves, companies."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eval.compare import shared_dims
from eval.report import Report
from eval.statistics import Clusters, Interval, ratio_of_means
from eval.systems import FILTER, is_model, label, ordered
from rag_app.errors import DataError

RANKS = ((1, 1), (2, 3), (4, 5), (6, 10))
"""Steps of rank; beyond the last is a step of its own."""
RANK_METRIC = "mrr@10"
SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Curve:
    """A system's mean and its 95% interval by dimension, widest first.

    ``role`` is base, tuned, other or baseline. BM25 has no dimension: its one point is at 0.
    """

    name: str
    role: str
    points: dict[int, Interval]


@dataclass(frozen=True, slots=True)
class Moves:
    """Questions by the step of rank of their first right passage: ``counts[base][tuned]``."""

    system: str
    counts: tuple[tuple[int, ...], ...]

    @property
    def up(self) -> int:
        """Questions whose passage moved to a better step."""
        return sum(count for row, cells in enumerate(self.counts) for count in cells[:row])

    @property
    def down(self) -> int:
        """Questions whose passage moved to a worse step."""
        return sum(count for row, cells in enumerate(self.counts) for count in cells[row + 1 :])


@dataclass(frozen=True, slots=True)
class CompanyGains:
    """Mean gain by company and system, the companies that gained most first.

    ``gains[i][j]`` is of ``companies[i]`` at ``systems[j]``; ``questions`` counts them a company.
    """

    companies: tuple[str, ...]
    systems: tuple[str, ...]
    questions: tuple[int, ...]
    gains: tuple[tuple[float, ...], ...]


def base_within(report: Report) -> Report | None:
    """The base that a tuned model's report holds among its baselines, as a report of its own."""
    found = {name: name.removeprefix("base@") for name in report.metrics if name[:5] == "base@"}
    if not found:
        return None
    return dataclasses.replace(
        report,
        model="base",
        metrics={dim: report.metrics[name] for name, dim in found.items()},
        per_query={dim: report.per_query[name] for name, dim in found.items()},
        runs={},
    )


def curves_of(reports: Sequence[Report], metric: str, filtered: bool = False) -> list[Curve]:
    """One curve a report, and the baselines of the last; several reports: the first is the base.

    ``filtered`` takes the view within the question's company; it may hold no curve.

    Raises:
        DataError: a report has no such metric.
    """
    roles = ["base", *["other"] * (len(reports) - 2), "tuned"] if len(reports) > 1 else ["tuned"]
    curves = []
    for report, role in zip(reports, roles, strict=True):
        systems = [name for name in ordered(report.metrics) if is_model(name)]
        curves.append(_curve(report, report.model, role, systems, metric, filtered))
    kinds: dict[str, list[str]] = defaultdict(list)
    for name in ordered(reports[-1].metrics):
        kind = name.removesuffix(FILTER).rpartition("@")[0] or name.removesuffix(FILTER)
        if not is_model(name) and kind != "base":
            kinds[kind].append(name)
    for kind, systems in kinds.items():
        curves.append(_curve(reports[-1], kind, "baseline", systems, metric, filtered))
    return [curve for curve in curves if curve.points]


def rank_moves(base: Report, tuned: Report, system: str) -> Moves:
    """How far tuning moved the first right passages, read off ``mrr@10``, which is 1 / rank.

    Raises:
        DataError: a report lacks that metric of the system.
    """
    steps = []
    for report in (base, tuned):
        scores = report.per_query.get(system, {}).get(RANK_METRIC)
        if scores is None:
            raise DataError(f"The report of {report.model} has no {RANK_METRIC} of {system}.")
        steps.append({query_id: _step(value) for query_id, value in scores.items()})
    pairs = Counter((steps[0][query_id], step) for query_id, step in steps[1].items())
    size = range(len(RANKS) + 1)
    return Moves(system, tuple(tuple(pairs[row, column] for column in size) for row in size))


def company_gains(base: Report, tuned: Report, metric: str) -> CompanyGains | None:
    """Tuned less base for each company; None where the questions name fewer than two."""
    queries: dict[str, list[str]] = defaultdict(list)
    for query_id, company in base.groups.items():
        queries[company].append(query_id)
    systems = [name for name in shared_dims(base, tuned) if not name.endswith(FILTER)]
    if len(queries) < 2 or not systems:
        return None

    def gain(company: str, system: str) -> float:
        before, after = (report.per_query[system][metric] for report in (base, tuned))
        return float(np.mean([after[id_] - before[id_] for id_ in queries[company]]))

    gains = {company: tuple(gain(company, name) for name in systems) for company in queries}
    companies = sorted(gains, key=lambda company: (-sum(gains[company]), company))
    return CompanyGains(
        companies=tuple(companies),
        systems=tuple(map(label, systems)),
        questions=tuple(len(queries[company]) for company in companies),
        gains=tuple(gains[company] for company in companies),
    )


def step_names() -> list[str]:
    """The steps of rank as a person reads them."""
    names = [f"{low}" if low == high else f"{low}–{high}" for low, high in RANKS]
    return [*names, f"beyond {RANKS[-1][1]}"]


def _curve(
    report: Report, name: str, role: str, systems: Sequence[str], metric: str, filtered: bool
) -> Curve:
    points = {}
    for system in systems:
        if system.endswith(FILTER) is not filtered:
            continue
        if metric not in report.per_query[system]:
            raise DataError(
                f"The report of {report.model} has no {metric}; it has "
                f"{', '.join(report.per_query[system])}."
            )
        width = system.removesuffix(FILTER).rpartition("@")[2]
        points[int(width) if width.isdigit() else 0] = _mean(report, system, metric)
    return Curve(name, role, points)


def _mean(report: Report, system: str, metric: str) -> Interval:
    scores = report.per_query[system][metric]
    clusters = Clusters.of(list(scores), report.groups)
    column = clusters.column(scores)
    return ratio_of_means(clusters, column, np.ones_like(column))


def _step(reciprocal_rank: float) -> int:
    if reciprocal_rank < SAME:
        return len(RANKS)
    rank = round(1 / reciprocal_rank)
    return next((step for step, (_, high) in enumerate(RANKS) if rank <= high), len(RANKS))
