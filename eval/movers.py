"""The questions that gained and lost most between two reports, with their passages."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass

from eval.compare import check_pair
from eval.evalset import EvalSet, Run
from eval.report import Report
from eval.runs import ranked
from eval.statistics import TIE
from rag_app.errors import DataError

SHOWN_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Found:
    """What one model found for a question: the rank of its first right passage, and the first hit.

    ``rank`` is None where no right passage is within ``depth``; both are where no ranking was kept.
    """

    score: float
    rank: int | None
    first: str | None
    depth: int


@dataclass(frozen=True, slots=True)
class Mover:
    """A question that one model answers better than the other."""

    query: str
    group: str
    gold: tuple[str, ...]
    base: Found
    tuned: Found

    @property
    def gain(self) -> float:
        """Tuned less base, in the metric that was asked for."""
        return self.tuned.score - self.base.score


def movers(
    base: Report,
    tuned: Report,
    system: str,
    metric: str,
    runs: tuple[Run | None, Run | None],
    count: int = 10,
) -> tuple[list[Mover], list[Mover]]:
    """Up to ``count`` questions that gained most, and as many that lost most, most first.

    ``runs`` are the two reports' rankings by the system. Equal gains go by query id.

    Raises:
        DataError: the reports cannot be paired, or one lacks the system or the metric.
    """
    check_pair(base, tuned)
    for report in (base, tuned):
        if metric not in report.per_query.get(system, {}):
            raise DataError(
                f"The report of {report.model} has no {metric} of {system}; it has "
                f"{', '.join(report.per_query)}."
            )
    found = [
        Mover(
            query=query_id,
            group=group,
            gold=base.gold.get(query_id, ()),
            base=_found(base, query_id, system, metric, runs[0]),
            tuned=_found(tuned, query_id, system, metric, runs[1]),
        )
        for query_id, group in sorted(base.groups.items())
    ]
    gained = heapq.nsmallest(count, found, key=lambda mover: -mover.gain)
    lost = heapq.nsmallest(count, found, key=lambda mover: mover.gain)
    return [m for m in gained if m.gain >= TIE], [m for m in lost if m.gain <= -TIE]


def movers_text(found: list[Mover], evalset: EvalSet | None) -> str:
    """One Markdown item a question; ids alone where the texts are not at hand."""
    return "\n".join(_item(mover, evalset) for mover in found) or "None."


def _item(mover: Mover, evalset: EvalSet | None) -> str:
    head = (
        f"- **{mover.query}** ({mover.group}) {mover.gain:+.4f}: {mover.base.score:.4f}"
        f"{_place(mover.base)} → {mover.tuned.score:.4f}{_place(mover.tuned)}"
    )
    lines = [head]
    if evalset:
        lines.append(f"  - asked: {_line(evalset.queries[mover.query])}")
    corpus = evalset.corpus if evalset else {}
    shown: set[str] = set()
    first = {"base's first": mover.base.first, "tuned's first": mover.tuned.first}
    for what, passage_id in [*(("right", id_) for id_ in mover.gold[:1]), *first.items()]:
        if passage_id is None:
            continue
        right = ", which is right" if what != "right" and passage_id in mover.gold else ""
        text = "" if passage_id in shown or not corpus else f": {_line(corpus[passage_id])}"
        lines.append(f"  - {what} [{passage_id}]{right}{text}")
        shown.add(passage_id)
    return "\n".join(lines)


def _found(report: Report, query_id: str, system: str, metric: str, run: Run | None) -> Found:
    score = report.per_query[system][metric][query_id]
    hits = ranked(run.get(query_id, {})) if run else []
    gold: Mapping[str, None] = dict.fromkeys(report.gold.get(query_id, ()))
    ranks = [rank for rank, passage_id in enumerate(hits, start=1) if passage_id in gold]
    return Found(score, min(ranks, default=None), hits[0] if hits else None, len(hits))


def _place(found: Found) -> str:
    """Behind a score; nothing where no ranking was kept."""
    if found.rank:
        return f", rank {found.rank}"
    return f", not in the first {found.depth}" if found.depth else ""


def _line(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= SHOWN_CHARACTERS else f"{flat[:SHOWN_CHARACTERS]} …"
