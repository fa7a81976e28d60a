"""Reports, comparisons and conclusions as Markdown."""

from __future__ import annotations

from eval.compare import Comparison, ComparisonRow
from eval.conclusions import Conclusions
from eval.report import Report
from eval.statistics import Difference, Interval
from eval.systems import label, ordered

FEW_COMPANIES = 30
"""Below this many a percentile cluster bootstrap is too narrow (Cameron et al. 2008)."""


def scores_table(report: Report) -> str:
    """One line a dimension or baseline, one column a metric."""
    systems = ordered(report.metrics)
    names = list(report.metrics[systems[0]])
    lines = [
        f"| {report.model}, dimension | {' | '.join(names)} |",
        "|---:" * (len(names) + 1) + "|",
        *(
            f"| {label(system)} | {' | '.join(f'{values[name]:.4f}' for name in names)} |"
            for system in systems
            for values in [report.metrics[system]]
        ),
        "",
        f"Protocol {report.protocol}: {report.queries} questions, {report.corpus} passages.",
    ]
    if report.goldless:
        lines.append(f"The gold of {report.goldless} questions stands in no passage: missed.")
    return "\n".join(lines)


def comparison_table(comparison: Comparison, metric: str = "ndcg@10") -> str:
    """One line a dimension: both models, difference, interval, p-value, questions won and lost."""
    rows = [row for row in comparison.rows if row.metric == metric]
    lines = [
        f"| {metric}, dimension | {comparison.base} | {comparison.tuned} | difference "
        "| 95% interval | relative | p | p (Holm) | won / tied / lost |",
        "|---:" * 9 + "|",
        *map(_comparison_line, rows),
        "",
        f"Protocol {comparison.protocol}: {_basis(rows[0].difference)}",
    ]
    detectable = [row.difference.detectable for row in rows if row.difference.detectable]
    if detectable:
        lines.append(
            f"A true difference of {max(detectable):.4f} would be found four times out of five at "
            "every dimension (p under .05); a smaller one may be missed."
        )
    for model, dims in (
        (comparison.base, comparison.only_base),
        (comparison.tuned, comparison.only_tuned),
    ):
        if dims:
            lines.append(f"Left out, scored for {model} only: {', '.join(map(label, dims))}.")
    return "\n".join(lines)


def conclusions_text(found: Conclusions) -> str:
    """The average and largest gain, what each dimension keeps, and small against full width."""
    full = label(found.against[0].other)
    lines = [
        f"{found.metric}, {found.tuned} less {found.base}: on average over dimensions "
        f"{_gain(found.average)}, at most {_gain(found.largest)} at {label(found.largest_at)} (the "
        "interval widened for having picked the largest).",
        "",
        f"| dimension | storage | {found.base} keeps of {full} | {found.tuned} keeps of {full} |",
        "|---:|---:|---:|---:|",
        *(
            f"| {label(kept.system)} | 1/{kept.storage_factor:g} | {_share(kept.base)} "
            f"| {_share(kept.tuned)} |"
            for kept in found.kept
        ),
        "",
        f"| {found.tuned} at | against {found.base}'s | difference | 95% interval | p |",
        "|---:|---:|---:|---:|---:|",
        *(
            f"| {label(row.system)} | {label(row.other)} | {row.difference.mean:+.4f} "
            f"| {_interval(row.difference)} | {row.difference.p:.4f} |"
            for row in found.against
        ),
    ]
    return "\n".join(lines)


def _comparison_line(row: ComparisonRow) -> str:
    gain = row.difference
    return (
        f"| {label(row.system)} | {row.base:.4f} | {row.tuned:.4f} | {gain.mean:+.4f} "
        f"| {_interval(gain)} | {row.relative_percent:+.1f}% | {gain.p:.4f} | {row.p_holm:.4f} "
        f"| {gain.wins} / {gain.ties} / {gain.losses} |"
    )


def _basis(difference: Difference) -> str:
    by_company = difference.clustered_by == "company"
    drawn = "companies" if by_company else "questions"
    few = (
        " With so few companies the interval is narrower than it should be."
        if by_company and difference.clusters < FEW_COMPANIES
        else ""
    )
    return (
        f"{difference.queries} questions paired; interval by bootstrap and p by sign flips over "
        f"{difference.clusters} {drawn}, Holm over the lines of this table.{few}"
    )


def _interval(difference: Difference) -> str:
    return f"{difference.low:+.4f} to {difference.high:+.4f}"


def _gain(difference: Difference) -> str:
    return f"{difference.mean:+.4f} ({_interval(difference)})"


def _share(interval: Interval) -> str:
    return f"{interval.value:.1%} ({interval.low:.1%} to {interval.high:.1%})"
