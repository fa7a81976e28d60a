"""Two reports paired query by query, at every dimension that both have."""

from __future__ import annotations

from dataclasses import dataclass

from eval.report import Report
from eval.statistics import Difference, holm, paired_difference
from eval.systems import is_model, ordered
from rag_app.errors import DataError


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """Base beside tuned for one system and metric.

    ``p_holm`` is the p-value adjusted for the number of systems that are compared by this metric.
    """

    system: str
    metric: str
    base: float
    tuned: float
    difference: Difference
    p_holm: float

    @property
    def relative_percent(self) -> float:
        """The difference in percent of base; infinite or 0 where base is 0."""
        if self.base == 0:
            return float("inf") if self.tuned > 0 else 0.0
        return 100 * (self.tuned - self.base) / self.base


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two reports on the same questions, paired at the dimensions that both have."""

    base: str
    tuned: str
    protocol: str
    rows: tuple[ComparisonRow, ...]
    only_base: tuple[str, ...]
    only_tuned: tuple[str, ...]


def check_pair(base: Report, tuned: Report) -> None:
    """Hold two reports to be of the same questions.

    Raises:
        DataError: they differ in protocol or evaluation set.
    """
    for what, one, other in (
        ("protocols", base.protocol, tuned.protocol),
        ("evaluation sets", base.evalset_sha256[:12], tuned.evalset_sha256[:12]),
    ):
        if one != other:
            raise DataError(
                f"The reports are of two {what} ({one} and {other}) and cannot be paired; "
                "run both models on the same data with the same protocol."
            )


def compare(base: Report, tuned: Report) -> Comparison:
    """Pair two reports by query id at every dimension that both have, widest first.

    Raises:
        DataError: they differ in protocol or evaluation set, or share no dimension or metric.
    """
    check_pair(base, tuned)
    shared = shared_dims(base, tuned)
    only_base = _dims(base.metrics.keys() - tuned.metrics.keys())
    only_tuned = _dims(tuned.metrics.keys() - base.metrics.keys())
    if not shared:
        raise DataError(
            f"The reports share no dimension ({base.model}: {', '.join(only_base)}; {tuned.model}: "
            f"{', '.join(only_tuned)}); run both with the same --dims."
        )
    rows = tuple(
        row
        for metric in _shared_metrics(base, tuned, shared)
        for row in _rows(base, tuned, shared, metric)
    )
    return Comparison(base.model, tuned.model, base.protocol, rows, only_base, only_tuned)


def shared_dims(base: Report, tuned: Report) -> tuple[str, ...]:
    """The models' dimensions that both were scored at, with and without a filter."""
    return _dims(base.metrics.keys() & tuned.metrics.keys())


def _shared_metrics(base: Report, tuned: Report, systems: tuple[str, ...]) -> list[str]:
    """The metrics that both reports have of every one of the systems, in the base's order.

    Raises:
        DataError: there is none.
    """
    found = [
        metric
        for metric in base.metrics[systems[0]]
        if all(metric in report.metrics[s] for report in (base, tuned) for s in systems)
    ]
    if not found:
        raise DataError("The reports share no metric; run both models again.")
    return found


def _rows(
    base: Report, tuned: Report, systems: tuple[str, ...], metric: str
) -> list[ComparisonRow]:
    differences = [
        paired_difference(base.per_query[s][metric], tuned.per_query[s][metric], base.groups)
        for s in systems
    ]
    adjusted = holm([difference.p for difference in differences])
    return [
        ComparisonRow(
            system=system,
            metric=metric,
            base=base.metrics[system][metric],
            tuned=tuned.metrics[system][metric],
            difference=difference,
            p_holm=p_holm,
        )
        for system, difference, p_holm in zip(systems, differences, adjusted, strict=True)
    ]


def _dims(systems: set[str]) -> tuple[str, ...]:
    """The models' dimensions among systems: a baseline is nothing that tuning changed."""
    return ordered(filter(is_model, systems))
