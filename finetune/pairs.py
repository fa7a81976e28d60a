"""Question-answer rows to the pairs that a loss is trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eval.duplicates import normalised
from eval.rows import QaRow
from rag_app.errors import DataError

if TYPE_CHECKING:
    from datasets import Dataset


@dataclass(frozen=True, slots=True)
class Pairs:
    """Text pairs, and what became of the rows.

    ``dataset`` has the columns ``anchor`` (question) and ``positive`` (passage), then
    ``negative_1`` and so on where negatives were given, and no others: sentence-transformers
    hands every column to the loss, in the data set's order. ``dropped`` rows gave no pair because
    a text was blank; ``merged`` pairs have the passage of an earlier pair. ``groups`` has a number
    for each pair: pairs of one number make batches of their own, those of 0 mix. ``repeats`` says
    how often each pair of feedback is in it.
    """

    dataset: Dataset
    dropped: int
    merged: int = 0
    groups: tuple[int, ...] = ()
    repeats: int = 0


def build_pairs(
    rows: Sequence[QaRow],
    columns: Sequence[str] = ("anchor", "positive"),
    *,
    merge_duplicates: bool = False,
    negatives: Mapping[str, Sequence[str]] | None = None,
) -> Pairs:
    """Pair each row's question with its context, keeping the order of the rows.

    ``merge_duplicates`` gives passages that differ in case, spaces or marks only the text of the
    first, so that the no-duplicates sampler sees them as one. Near-duplicates stay apart: they
    often differ in the very figure. ``negatives`` maps row id to wrong passages, of which each
    pair gets as many as the row with the most has; a row with fewer repeats its own.

    Raises:
        DataError: fewer than 2 rows have both texts, so that no batch holds a negative; or
            negatives are given, and a row has none.
    """
    from datasets import Dataset

    whole = [row for row in rows if row.question.strip() and row.context.strip()]
    if len(whole) < 2:
        raise DataError(
            f"Of {len(rows)} training rows {len(whole)} have both a question and a context; "
            "give at least 2."
        )
    passages = [row.context for row in whole]
    merged = 0
    if merge_duplicates:
        passages = _first_spellings(passages)
        merged = len(passages) - len(set(passages))
    texts = {"anchor": [row.question for row in whole], "positive": passages}
    dataset = Dataset.from_dict({column: texts[column] for column in columns})
    if negatives is not None:
        for name, column in _negative_columns(whole, negatives).items():
            dataset = dataset.add_column(name, column)
    return Pairs(dataset=dataset, dropped=len(rows) - len(whole), merged=merged)


def _first_spellings(passages: Sequence[str]) -> list[str]:
    first: dict[str, str] = {}
    return [first.setdefault(normalised(text) or text, text) for text in passages]


def _negative_columns(
    rows: Sequence[QaRow], negatives: Mapping[str, Sequence[str]]
) -> dict[str, list[str]]:
    bare = [row.id for row in rows if not negatives.get(row.id)]
    if bare:
        raise DataError(
            f"{len(bare)} of {len(rows)} pairs have no negative (the first is of row {bare[0]}); "
            "mine them for all rows, or train without."
        )
    most = max(len(negatives[row.id]) for row in rows)
    return {
        f"negative_{number + 1}": [
            negatives[row.id][number % len(negatives[row.id])] for row in rows
        ]
        for number in range(most)
    }
