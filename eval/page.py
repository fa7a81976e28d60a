"""The report page: one or more reports as sections of text, tables and charts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from eval.charts import BYTES_A_FLOAT, Theme, cost_chart, dimension_chart
from eval.compare import check_pair, compare, shared_dims
from eval.conclusions import conclude
from eval.curves import Curve, base_within, company_gains, curves_of, rank_moves
from eval.latency import Latency
from eval.pair_charts import company_chart, moves_chart, stage_chart
from eval.report import Report
from eval.stage_file import Stage
from eval.statistics import MIN_COMPANIES
from eval.systems import FILTER
from eval.tables import comparison_table, conclusions_text, scores_table
from rag_app.errors import DataError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NO_BASE = (
    "There is no base to set beside it: give a report of the base first, or run the tuned model "
    "with its baselines."
)
WHISKERS = (
    "Whiskers are 95% intervals of each mean, for a new draw of companies, or of questions where "
    f"there are fewer than {MIN_COMPANIES} companies. Both models answer the "
    "same questions, so whether they differ is judged by the paired differences, whose intervals "
    "are narrower."
)


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of the page: ``name`` is its file's, ``alt`` says in words what it shows."""

    name: str
    alt: str
    draw: Callable[[Theme], Figure]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: paragraphs and pipe tables in Markdown, and charts, in order."""

    title: str
    parts: tuple[str | Chart, ...]


def report_sections(
    reports: Sequence[Report],
    metric: str,
    latency: Latency,
    stages: Sequence[Stage] = (),
) -> list[Section]:
    """All sections; of several reports the first is the base and the last the tuned model.

    The base may also stand within a single report, as its baseline.

    Raises:
        DataError: there is no report, they are of different questions, or lack the metric.
    """
    if not reports:
        raise DataError("There is no report to show; name one or more.")
    for report in reports[1:]:
        check_pair(reports[0], report)
    if len(reports) == 1 and (base := base_within(reports[0])):
        reports = [base, *reports]
    sections = [_gist(reports, metric), *_dimensions(reports, metric)]
    sections.append(_cost(curves_of(reports, metric), metric, latency, reports[-1].corpus))
    if stages:
        sections.append(_stages(stages))
    if len(reports) > 1:
        sections += _pairs(reports[0], reports[-1], metric)
    sections.append(Section("All scores", tuple(map(scores_table, reports))))
    return sections


def _gist(reports: Sequence[Report], metric: str) -> Section:
    last = reports[-1]
    fold = f" Fold {last.fold}." if last.fold else ""
    companies = len(set(last.groups.values()))
    about = f" about {companies} companies" if companies > 1 else ""
    parts = [
        f"Protocol {last.protocol}: {last.queries} questions{about}, {last.corpus} passages.{fold}"
    ]
    for report in reports:
        parts.append(
            f"**{report.model}**, fingerprint `{report.fingerprint}`, measured {report.created} "
            f"with {', '.join(f'{name} {version}' for name, version in report.versions.items())}."
        )
    if len(reports) == 1:
        parts.append(NO_BASE)
    else:
        parts += map(conclusions_text, conclude(reports[0], last, metric))
    return Section("What was measured", tuple(parts))


def _dimensions(reports: Sequence[Report], metric: str) -> list[Section]:
    sections = []
    for filtered, where in ((False, ""), (True, ", within the question's company")):
        curves = curves_of(reports, metric, filtered)
        if not curves:
            continue
        chart = Chart(
            name="dimensions-filter" if filtered else "dimensions",
            alt=f"{metric} by dimension with 95% intervals{where}",
            draw=partial(dimension_chart, curves, metric),
        )
        sections.append(Section(f"{metric} by dimension{where}", (chart, WHISKERS)))
    if len(reports) > 1:
        table = comparison_table(compare(reports[0], reports[-1]), metric)
        sections[0] = Section(sections[0].title, (*sections[0].parts, table))
    return sections


def _cost(curves: Sequence[Curve], metric: str, latency: Latency, passages: int) -> Section:
    models = [curve for curve in curves if curve.role != "baseline"]
    dims = sorted({dim for curve in models for dim in curve.points}, reverse=True)
    lines = [
        f"| dimension | bytes a vector | MB in all | ms a query | "
        f"{' | '.join(f'{curve.name} {metric}' for curve in models)} |",
        "|---:" * (4 + len(models)) + "|",
    ]
    for dim in dims:
        size = dim * BYTES_A_FLOAT
        taken = f"{latency.query_ms[dim]:.2f}" if dim in latency.query_ms else "not timed"
        cells = [f"{c.points[dim].value:.4f}" if dim in c.points else "" for c in models]
        lines.append(
            f"| {dim} | {size} | {size * passages / 1e6:.1f} | {taken} | {' | '.join(cells)} |"
        )
    chart = Chart(
        name="cost",
        alt=f"{metric} against bytes a vector and against milliseconds a query",
        draw=partial(cost_chart, models, latency.query_ms, metric),
    )
    told = f"Where a curve bends, more coordinates buy little. {latency.how}"
    return Section("Quality against size and time", (told, chart, "\n".join(lines)))


def _stages(stages: Sequence[Stage]) -> Section:
    lines = [
        "| stage | base | tuned | difference | 95% interval |",
        "|---|---:|---:|---:|---:|",
        *(
            f"| {stage.label} | {stage.base:.4f} | {stage.tuned:.4f} | {stage.gain:+.4f} "
            f"| {stage.low:+.4f} to {stage.high:+.4f} |"
            for stage in stages
        ),
    ]
    chart = Chart(
        name="stages",
        alt="base beside tuned at each stage, and the gain with its interval",
        draw=partial(stage_chart, stages),
    )
    told = "From the first ranking to the answer. A hollow mark is a gain whose interval holds 0."
    return Section("Where the gain survives", (told, chart, "\n".join(lines)))


def _pairs(base: Report, tuned: Report, metric: str) -> list[Section]:
    systems = [name for name in shared_dims(base, tuned) if not name.endswith(FILTER)]
    ends = list(dict.fromkeys([systems[0], systems[-1]]))
    moves = [rank_moves(base, tuned, system) for system in ends]
    sections = [
        Section(
            "Rank moves",
            (
                "Questions by the rank of their first right passage: rows are the base, columns "
                "the tuned model. Left of the diagonal tuning moved it up, right of it down.",
                Chart(
                    name="moves",
                    alt="; ".join(f"{m.system}: {m.up} up, {m.down} down" for m in moves),
                    draw=partial(moves_chart, moves),
                ),
            ),
        )
    ]
    found = company_gains(base, tuned, metric)
    if found:
        few = min(found.questions)
        sections.append(
            Section(
                "Company by company",
                (
                    f"Mean difference in {metric}; the fewest questions of a company are {few}, so "
                    "a single cell says little, and the whole picture more.",
                    Chart(
                        name="companies",
                        alt=f"gain in {metric} by company and dimension",
                        draw=partial(company_chart, found, metric),
                    ),
                ),
            )
        )
    return sections
