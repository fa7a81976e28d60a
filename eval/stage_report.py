"""What ``eval stages`` says: the table, the JSON record, and where a gain is lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eval.answers import ANSWER, CITED
from eval.stages import Followed, StageRow
from eval.systems import label
from rag_app.answer import QUOTE_MODE


def stages_record(found: Followed) -> dict[str, Any]:
    """All of it as plain JSON values; ``stages`` are the rows."""
    return {
        "base": found.base,
        "tuned": found.tuned,
        "protocol": found.protocol,
        "evalset_sha256": found.evalset_sha256,
        "questions": found.questions,
        "answered": found.answered,
        "llm": found.llm,
        "stages": [
            {
                "name": row.name,
                "system": row.system,
                "metric": row.metric,
                "base": row.base,
                "tuned": row.tuned,
                "difference": row.difference.mean,
                "interval": [row.difference.low, row.difference.high],
                "p": row.difference.p,
                "questions": row.difference.queries,
            }
            for row in found.rows
        ],
        "fates": fates(found.rows),
    }


def stages_table(found: Followed) -> str:
    """One line a stage, system and metric, in the order of the way; then what became of gains."""
    lines = [
        f"| stage | dimension | metric | {found.base} | {found.tuned} | difference "
        "| 95% interval | questions |",
        "|---|---:|---|---:|---:|---:|---:|---:|",
        *map(_line, found.rows),
        "",
        f"Protocol {found.protocol}: {found.questions} questions, {_answered(found)}. "
        f"{_basis(found)}",
        "",
        *fates(found.rows),
    ]
    return "\n".join(lines)


def _line(row: StageRow) -> str:
    gain = row.difference
    system, compared = label(row.system), f"{gain.mean:+.4f} | {gain.low:+.4f} to {gain.high:+.4f}"
    if not row.by_model:  # BM25: there is no dimension, and nothing to compare
        system, compared = system.replace(row.name, "any", 1), "– | –"
    return (
        f"| {row.name} | {system} | {row.metric} | {row.base:.4f} | {row.tuned:.4f} "
        f"| {compared} | {gain.queries} |"
    )


def _answered(found: Followed) -> str:
    if not found.answered:
        return "none answered"
    how = "in quote mode" if found.llm == QUOTE_MODE else f"by {found.llm}"
    return f"{found.answered} of them answered {how}"


def _basis(found: Followed) -> str:
    first = found.rows[0].difference
    drawn = "companies" if first.clustered_by == "company" else "questions"
    return f"Paired; intervals by bootstrap over {first.clusters} {drawn}, fewer where fewer count."


def fates(rows: Sequence[StageRow]) -> list[str]:
    """One sentence a system: where along the way its gain stops being told from none.

    An answer is followed by its citing of the gold passage.
    """
    sentences = []
    for system in dict.fromkeys(row.system for row in rows if row.by_model):
        way = [
            row
            for row in rows
            if row.system == system and (row.name != ANSWER or row.metric == CITED)
        ]
        sentences.append(_fate(label(system), way[0], way[1:]))
    return sentences


def _fate(system: str, first: StageRow, later: Sequence[StageRow]) -> str:
    if first.difference.high < 0:
        return f"At {system} tuning loses to begin with, at {_said(first)}."
    if first.difference.low <= 0:
        return (
            f"At {system} no gain shows to begin with: the interval of {_said(first)} includes "
            "zero."
        )
    lost = next((row for row in later if row.difference.low <= 0), None)
    if lost is None:
        return f"At {system} the gain of {first.name} survives up to {_said((first, *later)[-1])}."
    if lost.difference.high < 0:
        return f"At {system} the gain of {_said(first)} turns into a loss at {_said(lost)}."
    return (
        f"At {system} the gain of {_said(first)} vanishes at {_said(lost)}, whose interval "
        "includes zero."
    )


def _said(row: StageRow) -> str:
    gain = row.difference
    return (
        f"{row.name} ({row.metric} {gain.mean:+.4f}, {gain.low:+.4f} to {gain.high:+.4f}, "
        f"{gain.queries} questions)"
    )
