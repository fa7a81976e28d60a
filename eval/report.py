"""Reports: what one model scored, kept as JSON, and two of them paired query by query."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import platform
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from eval.files import prepare_out, read_jsonl, read_text
from eval.metrics import METRICS, Difference, paired_difference
from rag_app.errors import DataError
from rag_app.sealed import write_whole

FEW_CLUSTERS = 30
"""Below this many companies a percentile cluster bootstrap is too narrow (Cameron et al. 2008)."""

Scores = dict[str, dict[str, dict[str, float]]]
"""Dimension → metric → query id → value; dimensions are strings, as JSON keys are."""


def package_versions() -> dict[str, str]:
    """Versions of what a score depends on, Python among them."""
    packages = ("torch", "sentence-transformers", "transformers", "numpy", "ir-measures")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


def now() -> str:
    """The time in UTC, ISO 8601, to the second."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True)
class Report:
    """What one model scored on one evaluation set.

    ``metrics["128"]["ndcg@10"]`` is a mean over queries, ``per_query["128"]["ndcg@10"]["7"]`` one
    query's value; ``groups`` maps query id → company ticker; ``timings_s`` are seconds.
    """

    model: str
    fingerprint: str
    protocol: str
    evalset_sha256: str
    queries: int
    corpus: int
    metrics: dict[str, dict[str, float]]
    per_query: Scores
    groups: dict[str, str]
    timings_s: dict[str, float]
    versions: dict[str, str] = field(default_factory=package_versions)
    created: str = field(default_factory=now)


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """Base beside tuned for one dimension and metric."""

    dim: str
    metric: str
    base: float
    tuned: float
    difference: Difference

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


def report_record(report: Report) -> dict[str, Any]:
    """The report as ``report.json`` holds it, without the per-query scores and their file."""
    record = asdict(report)
    del record["per_query"], record["groups"]
    return record


def save_report(report: Report, path: Path) -> None:
    """Write ``path`` and ``<stem>.queries.jsonl`` beside it, each whole or not at all.

    Per-query values are rounded to 4 decimals, means are not. The report names the other file
    with its hash, so that a new file beside an old report is noticed.

    Raises:
        DataError: the files cannot be written.
    """
    lines = [
        json.dumps({"query": query_id, "group": group, "dim": int(dim)} | values)
        for dim, scores in report.per_query.items()
        for query_id, group in report.groups.items()
        for values in [{name: round(by_query[query_id], 4) for name, by_query in scores.items()}]
    ]
    queries_path = path.with_name(f"{path.stem}.queries.jsonl")
    content = "\n".join(lines) + "\n"
    record = report_record(report) | {
        "per_query_file": queries_path.name,
        "per_query_sha256": hashlib.sha256(content.encode()).hexdigest(),
    }
    prepare_out(path)
    write_whole(queries_path, content.encode())
    write_whole(path, f"{json.dumps(record, indent=2)}\n".encode())


def load_report(path: Path) -> Report:
    """Read a report and its per-query scores.

    Raises:
        DataError: a file is missing or malformed, or the two were not written together.
    """
    text = read_text(path)
    try:
        record = json.loads(text)
        queries_path = path.with_name(record.pop("per_query_file"))
        expected = record.pop("per_query_sha256")
        if hashlib.sha256(read_text(queries_path).encode()).hexdigest() != expected:
            raise DataError(
                f"{queries_path} is not the file that {path} was written with; "
                "run the evaluation again."
            )
        per_query: Scores = defaultdict(lambda: defaultdict(dict))
        groups = {}
        for line in read_jsonl(queries_path):
            groups[line["query"]] = line["group"]
            for name in METRICS:
                per_query[str(line["dim"])][name][line["query"]] = line[name]
        report = Report(
            **record,
            groups=groups,
            per_query={dim: dict(scores) for dim, scores in per_query.items()},
        )
        fits = len(groups) == report.queries and report.metrics.keys() == per_query.keys()
    except (KeyError, TypeError, AttributeError, ValueError):
        fits = False
    if not fits:
        raise DataError(f"{path} is not a report of `python -m eval run`; run it again.")
    return report


def compare(base: Report, tuned: Report, *, samples: int = 2000, seed: int = 0) -> Comparison:
    """Pair two reports by query id at every dimension that both have, widest first.

    ``samples`` and ``seed`` are the bootstrap's (see ``paired_difference``).

    Raises:
        DataError: they differ in protocol or evaluation set, or share no dimension.
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
    shared = _widest_first(base.metrics.keys() & tuned.metrics.keys())
    only_base = _widest_first(base.metrics.keys() - tuned.metrics.keys())
    only_tuned = _widest_first(tuned.metrics.keys() - base.metrics.keys())
    if not shared:
        raise DataError(
            f"The reports share no dimension ({base.model}: {', '.join(only_base)}; {tuned.model}: "
            f"{', '.join(only_tuned)}); run both with the same --dims."
        )
    rows = tuple(
        ComparisonRow(
            dim=dim,
            metric=metric,
            base=base.metrics[dim][metric],
            tuned=tuned.metrics[dim][metric],
            difference=paired_difference(
                base.per_query[dim][metric],
                tuned.per_query[dim][metric],
                base.groups,
                samples=samples,
                seed=seed,
            ),
        )
        for dim in shared
        for metric in METRICS
    )
    return Comparison(base.model, tuned.model, base.protocol, rows, only_base, only_tuned)


def scores_table(report: Report) -> str:
    """Markdown: one line a dimension, one column a metric."""
    lines = [
        f"| {report.model}, dimension | {' | '.join(METRICS)} |",
        "|---:" * (len(METRICS) + 1) + "|",
        *(
            f"| {dim} | {' | '.join(f'{values[name]:.4f}' for name in METRICS)} |"
            for dim, values in report.metrics.items()
        ),
        "",
        f"Protocol {report.protocol}: {report.queries} questions, {report.corpus} passages.",
    ]
    return "\n".join(lines)


def comparison_table(comparison: Comparison, metric: str = "ndcg@10") -> str:
    """Markdown: per dimension base, tuned, difference, its 95% interval, relative change."""
    rows = [row for row in comparison.rows if row.metric == metric]
    difference = rows[0].difference
    by_company = difference.clustered_by == "company"
    lines = [
        f"| {metric}, dimension | {comparison.base} | {comparison.tuned} | difference "
        "| 95% interval | relative |",
        "|---:|---:|---:|---:|---:|---:|",
        *(
            f"| {row.dim} | {row.base:.4f} | {row.tuned:.4f} | {row.difference.mean:+.4f} "
            f"| {row.difference.low:+.4f} to {row.difference.high:+.4f} "
            f"| {row.relative_percent:+.1f}% |"
            for row in rows
        ),
        "",
        f"Protocol {comparison.protocol}: {difference.queries} questions paired; interval by "
        f"bootstrap over {difference.clusters} {'companies' if by_company else 'questions'}.",
    ]
    if by_company and difference.clusters < FEW_CLUSTERS:
        lines.append("With so few companies the interval is narrower than it should be.")
    for model, dims in (
        (comparison.base, comparison.only_base),
        (comparison.tuned, comparison.only_tuned),
    ):
        if dims:
            lines.append(f"Left out, scored for {model} only: {', '.join(dims)}.")
    return "\n".join(lines)


def _widest_first(dims: set[str]) -> tuple[str, ...]:
    return tuple(sorted(dims, key=int, reverse=True))
