"""Reviewed chat feedback as training rows, without what is held out."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from eval.duplicates import normalised
from eval.gold import holding_passages
from eval.rows import QaRow
from eval.splits import Split, company_of
from rag_app.chat.feedback import FeedbackStore
from rag_app.chat.feedback_pairs import accepted_pairs
from rag_app.errors import DataError

MOST_REPEATS = 8
"""A pair seen more often than this in an epoch is learned by heart, not from."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """The reviewed pairs that may train, and how many may not: ``held_out`` are of companies, or
    show passages, that the run is judged on; ``unnamed`` name no company."""

    rows: tuple[QaRow, ...]
    held_out: int = 0
    unnamed: int = 0

    def __str__(self) -> str:
        left_out = [
            f"{count} {why}"
            for count, why in (
                (self.held_out, "about what is held out"),
                (self.unnamed, "about no named company"),
            )
            if count
        ]
        told = f", {' and '.join(left_out)} left out" if left_out else ""
        return f"{len(self.rows)} reviewed pairs of feedback{told}"

    def added_to(self, split: Split) -> Split:
        """The split with the feedback among its training rows; dev and test are as they were."""
        return dataclasses.replace(split, train=(*split.train, *self.rows))

    def repeats(self, share: float, *, among: int) -> int:
        """How often each pair is to be in an epoch to be ``share`` of it, beside ``among`` others.

        At least once, at most ``MOST_REPEATS`` times; 0 where there is no feedback.
        """
        if not self.rows:
            return 0
        wanted = round(share / (1 - share) * among / len(self.rows))
        return max(1, min(MOST_REPEATS, wanted))


NO_FEEDBACK = Feedback(())


def accepted_rows(home: Path) -> list[QaRow]:
    """The accepted pairs under ``home``.

    Raises:
        DataError: no pair is accepted.
        FeedbackError: the store cannot be read.
    """
    rows = [
        QaRow(f"feedback-{pair.id}", *(pair.row[name] for name in _FIELDS))
        for pair in accepted_pairs(FeedbackStore(home).marks())
    ]
    if not rows:
        raise DataError(
            f"No feedback under {home} is an accepted pair; mark right passages in the chat, or "
            "run `python -m rag_app feedback review`."
        )
    return rows


def feedback_for(split: Split, home: Path) -> Feedback:
    """The accepted pairs under ``home`` but for those that the split holds out, dev and test alike.

    Where companies are held out, none of theirs trains, nor a pair whose company is not known. In
    any split a passage that holds a held-out context, and a question that a held-out row asks of
    the same company, stay out: a filing may name its company by another of its tickers.

    Raises:
        DataError: no pair is accepted, or none may train.
        FeedbackError: the store cannot be read.
    """
    rows = accepted_rows(home)
    held = (*split.dev, *split.test)
    companies = {company_of(row) for row in held} if split.name.startswith("company") else set()
    questions = {(normalised(row.question), company_of(row)) for row in held}
    golds = [(row.id, row.context) for row in held]
    holding = holding_passages(golds, {row.id: row.context for row in rows})
    seen = {id_ for found in holding.values() for id_ in found}
    kept: list[QaRow] = []
    unnamed = held_out = 0
    for row in rows:
        company = company_of(row)
        if companies and not company:
            unnamed += 1
        elif (
            company in companies
            or row.id in seen
            or ((normalised(row.question), company) in questions)
        ):
            held_out += 1
        else:
            kept.append(row)
    found = Feedback(tuple(kept), held_out, unnamed)
    if not kept:
        raise DataError(
            f"{found}: nothing is left to learn from; mark passages of other companies, or hold "
            "others out with --set holdout."
        )
    return found


_FIELDS = ("question", "answer", "context", "ticker", "filing")
"""Of a pair's row, in the order of ``QaRow``."""
