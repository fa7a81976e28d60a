"""Question-answer rows to the pairs that a loss is trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eval.rows import QaRow
from rag_app.errors import DataError

if TYPE_CHECKING:
    from datasets import Dataset


@dataclass(frozen=True, slots=True)
class Pairs:
    """Text pairs, and how many rows gave none because a text was blank.

    ``dataset`` has the columns ``anchor`` (question) and ``positive`` (passage) and no others:
    sentence-transformers hands every column to the loss, in the data set's order.
    """

    dataset: Dataset
    dropped: int


def build_pairs(rows: Sequence[QaRow], columns: Sequence[str] = ("anchor", "positive")) -> Pairs:
    """Pair each row's question with its context, keeping the order of the rows.

    Raises:
        DataError: fewer than 2 rows have both, so that no batch holds a negative.
    """
    from datasets import Dataset

    whole = [row for row in rows if row.question.strip() and row.context.strip()]
    if len(whole) < 2:
        raise DataError(
            f"Of {len(rows)} training rows {len(whole)} have both a question and a context; "
            "give at least 2."
        )
    texts = {
        "anchor": [row.question for row in whole],
        "positive": [row.context for row in whole],
    }
    dataset = Dataset.from_dict({column: texts[column] for column in columns})
    return Pairs(dataset=dataset, dropped=len(rows) - len(whole))
