"""What the held-out rows of a split have in common with its training rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eval.duplicates import near_duplicates, normalised
from eval.rows import QaRow
from eval.splits import Split, company_of

LEAKAGE_FILE = "leakage.txt"
"""In a model's folder: the report on its own rows, as it was printed before training."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """How many rows of a held-out part have a twin in training; ``companies`` counts tickers.

    ``near_contexts`` are rows whose context is a near-duplicate of a training context and equal to
    none (see ``eval/duplicates.py``). Blank texts have no twins.
    """

    rows: int
    questions: int
    equal_contexts: int
    near_contexts: int
    companies: int


@dataclass(frozen=True, slots=True)
class Leakage:
    """The overlap of dev and of test with the training rows."""

    split: str
    train_rows: int
    dev: Overlap
    test: Overlap

    def __str__(self) -> str:
        """A table, with its zeros."""
        lines = [
            ("rows", self.dev.rows, self.test.rows),
            ("questions that training has", self.dev.questions, self.test.questions),
            ("contexts that training has", self.dev.equal_contexts, self.test.equal_contexts),
            ("near-duplicates of its contexts", self.dev.near_contexts, self.test.near_contexts),
            ("companies that training has", self.dev.companies, self.test.companies),
        ]
        head = f"Leakage of the split by {self.split} ({self.train_rows} training rows)"
        return "\n".join(
            [f"{head:<54}{'dev':>8}{'test':>8}"]
            + [f"  {what:<52}{dev:>8}{test:>8}" for what, dev, test in lines]
        )


def leakage_report(split: Split) -> Leakage:
    """Compare dev and test with train; 7,000 rows take about a second."""
    parts = (split.train, split.dev, split.test)
    twins = _near_twins([row for part in parts for row in part], len(split.train))
    return Leakage(
        split=split.name,
        train_rows=len(split.train),
        dev=_overlap(split.train, split.dev, twins),
        test=_overlap(split.train, split.test, twins),
    )


def _near_twins(rows: Sequence[QaRow], train_rows: int) -> set[str]:
    """The normalised contexts that are near-duplicates of one of the first ``train_rows``."""
    contexts = [normalised(row.context) for row in rows]
    # A text that training has too is named by its row there, which is the lower one.
    return {contexts[other] for one, other in near_duplicates(contexts) if one < train_rows}


def _overlap(train: Sequence[QaRow], held_out: Sequence[QaRow], twins: set[str]) -> Overlap:
    questions, contexts = (
        {normalised(text) for text in texts} - {""}
        for texts in ((row.question for row in train), (row.context for row in train))
    )
    held = [normalised(row.context) for row in held_out]
    return Overlap(
        rows=len(held_out),
        questions=sum(normalised(row.question) in questions for row in held_out),
        equal_contexts=sum(context in contexts for context in held),
        near_contexts=sum(context in twins and context not in contexts for context in held),
        companies=len(({company_of(row) for row in held_out} - {""}) & set(map(company_of, train))),
    )
