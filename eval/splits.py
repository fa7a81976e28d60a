"""Which rows train, and which are held out."""

from __future__ import annotations

from collections.abc import Sequence

from eval.rows import QaRow
from rag_app.errors import DataError


def notebook_split(rows: Sequence[QaRow], seed: int = 42) -> tuple[list[QaRow], list[QaRow]]:
    """Split into train and test rows (9 to 1) as the published notebook does.

    Source: ``Dataset.train_test_split(test_size=0.1, seed=42)`` of ``datasets`` after adding
    ``id`` = row number; nothing is dropped before the split, since that would move every row.

    Raises:
        DataError: fewer than 10 rows.
    """
    if len(rows) < 10:
        raise DataError(f"{len(rows)} rows cannot be split 9 to 1; give at least 10.")
    from datasets import Dataset

    parts = Dataset.from_dict({"id": [row.id for row in rows]}).train_test_split(
        test_size=0.1, seed=seed
    )
    by_id = {row.id: row for row in rows}
    train, test = ([by_id[id_] for id_ in parts[name]["id"]] for name in ("train", "test"))
    return train, test
