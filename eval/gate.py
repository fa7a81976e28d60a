"""The retrieval gate: is what is served worse than its baseline, by more than chance?"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from eval.baseline import Baseline
from eval.held import HeldQuestion
from eval.served import Measured
from eval.statistics import Difference, paired_difference
from rag_app.errors import DataError

HELD_WITHIN = "recall@10"
"""A question that the baseline does not know yet has to score above 0 by this, fused."""
SERVED = "fused"


@dataclass(frozen=True, slots=True)
class GateRow:
    """One metric of one retriever beside its baseline."""

    retriever: str
    metric: str
    baseline: float
    now: float
    difference: Difference

    @property
    def worse(self) -> bool:
        """Below the baseline by more than the paired interval: all of it lies below zero."""
        return self.difference.high < 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate found.

    ``faults`` are sentences on an index that is not what it should be; ``missed`` are new
    questions whose passage is not found; ``lost`` are those that were found once, and count in the
    rows alone; ``changes`` say what else is new since the baseline.
    """

    rows: tuple[GateRow, ...]
    faults: tuple[str, ...]
    missed: tuple[HeldQuestion, ...]
    lost: tuple[HeldQuestion, ...]
    changes: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """No metric is worse, nothing is at fault, every new question finds its passage."""
        return not (self.faults or self.missed or any(row.worse for row in self.rows))


def judge(baseline: Baseline, measured: Measured, path: Path) -> Verdict:
    """Pair what was measured with the baseline out of ``path``, question by question.

    The same code over the same files scores the same, and passes. A retriever that is another but
    no worse falls below one interval by chance about once in forty times.

    Raises:
        DataError: it cannot be judged: other filings, or questions that changed or are gone. New
            questions are no hindrance.
    """
    known = {question.id: question for question in measured.questions}
    _check_same(baseline, measured, known, path)
    groups = {id_: known[id_].group for id_ in baseline.queries}
    rows = tuple(
        GateRow(
            retriever=retriever,
            metric=metric,
            baseline=sum(before.values()) / len(before),
            now=sum(now[id_] for id_ in before) / len(before),
            difference=paired_difference(before, {id_: now[id_] for id_ in before}, groups),
        )
        for retriever, metrics in baseline.scores.items()
        for metric, before in metrics.items()
        for now in [measured.scores[retriever][metric]]
    )
    not_found = [question for question in measured.questions if not is_found(measured, question)]
    found_once = baseline.scores[SERVED][HELD_WITHIN]
    return Verdict(
        rows=rows,
        faults=(*measured.faults, *_silent_change(baseline, measured)),
        missed=tuple(question for question in not_found if question.id not in found_once),
        lost=tuple(question for question in not_found if found_once.get(question.id)),
        changes=_changes(baseline, measured),
    )


def is_found(measured: Measured, question: HeldQuestion) -> bool:
    """Whether the question's passage is among the first 10 hits that are served."""
    return measured.scores[SERVED][HELD_WITHIN][question.id] > 0


def gate_table(verdict: Verdict) -> str:
    """Markdown: one line a metric, then what is at fault, what is missed, and what changed."""
    lines = [
        "| retriever | metric | baseline | now | difference | 95% interval | won / tied / lost | |",
        "|---|---|---:|---:|---:|---:|---:|---|",
        *map(_line, verdict.rows),
        "",
        _basis(verdict.rows[0].difference),
        *(f"AT FAULT: {fault}" for fault in verdict.faults),
        *(
            f"NOT FOUND: {question.id}, {question.text!r}: its passage is not among the first 10."
            for question in verdict.missed
        ),
        *(f"Found no longer: {question.id}, {question.text!r}." for question in verdict.lost),
        *(f"Changed since the baseline: {change}." for change in verdict.changes),
        _summary(verdict),
    ]
    return "\n".join(lines)


def _basis(difference: Difference) -> str:
    drawn = "companies" if difference.clustered_by == "company" else "questions"
    return f"Intervals by bootstrap over {difference.clusters} {drawn}."


def _line(row: GateRow) -> str:
    gain = row.difference
    return (
        f"| {row.retriever} | {row.metric} | {row.baseline:.4f} | {row.now:.4f} "
        f"| {gain.mean:+.4f} | {gain.low:+.4f} to {gain.high:+.4f} "
        f"| {gain.wins} / {gain.ties} / {gain.losses} | {'WORSE' if row.worse else ''} |"
    )


def _summary(verdict: Verdict) -> str:
    count = verdict.rows[0].difference.queries
    if verdict.passed:
        return f"Passed: no metric of {count} questions is below its baseline beyond chance."
    worse = sum(row.worse for row in verdict.rows)
    return (
        f"Failed: {worse} of {len(verdict.rows)} metrics worse, {len(verdict.faults)} at fault, "
        f"{len(verdict.missed)} new questions not found ({count} questions paired)."
    )


def _check_same(
    baseline: Baseline, measured: Measured, known: dict[str, HeldQuestion], path: Path
) -> None:
    asked = {(name, metric) for name, metrics in measured.scores.items() for metric in metrics}
    held = {(name, metric) for name, metrics in baseline.scores.items() for metric in metrics}
    if not held <= asked:
        raise DataError(
            f"The gate cannot judge: {path} holds {', '.join(map(' '.join, sorted(held - asked)))},"
            f" which is not measured any more. {_update(path)}"
        )
    if measured.corpus != baseline.corpus:
        raise DataError(
            f"The gate cannot judge: the library is not that of {path} "
            f"({_differences(baseline.corpus, measured.corpus)}), so that scores differ for "
            f"another reason than the retriever. {_update(path)}"
        )
    for what, before, now in (
        ("questions", baseline.queries, {id_: q.query_sha256 for id_, q in known.items()}),
        ("right passages", baseline.qrels, {id_: q.qrel_sha256 for id_, q in known.items()}),
    ):
        shared = {id_: value for id_, value in now.items() if id_ in before}
        if shared != before:
            raise DataError(
                f"The gate cannot judge: the {what} are not those of {path} "
                f"({_differences(before, shared)}). {_update(path)}"
            )


def _differences(before: dict[str, str], now: dict[str, str]) -> str:
    parts = {
        "gone": sorted(before.keys() - now.keys()),
        "new": sorted(now.keys() - before.keys()),
        "changed": sorted(name for name in before.keys() & now.keys() if before[name] != now[name]),
    }
    return "; ".join(
        f"{what}: {', '.join(names[:5])}{f' and {len(names) - 5} more' if names[5:] else ''}"
        for what, names in parts.items()
        if names
    )


def _update(path: Path) -> str:
    return f"If that is meant, run `python -m eval gate --against {path} --update --reason TEXT`."


def _silent_change(baseline: Baseline, measured: Measured) -> list[str]:
    """Other chunks of the same files by the same chunker: a change that did not say so."""
    before, now = baseline.built, measured.built
    if before.chunkers != now.chunkers or before.chunks_sha256 == now.chunks_sha256:
        return []
    return [
        f"The chunks changed ({before.chunks} to {now.chunks}) though neither the filings nor the "
        f"chunker's version ({', '.join(now.chunkers)}) did; raise CHUNKER_VERSION if it is meant."
    ]


def _changes(baseline: Baseline, measured: Measured) -> tuple[str, ...]:
    before, now = asdict(baseline.built), asdict(measured.built)
    return tuple(
        f"{name.replace('_', ' ')} {before[name]!r} to {now[name]!r}"
        for name in before
        if name != "chunks_sha256" and before[name] != now[name]
    )
