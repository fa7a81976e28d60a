"""Question-answer rows: read from a file or the hub, in their own order."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.files import read_jsonl, read_text
from rag_app.errors import DataError

QA_COLUMNS = ("question", "answer", "context", "ticker", "filing")
FILE_SUFFIXES = (".csv", ".jsonl")


@dataclass(frozen=True, slots=True)
class QaRow:
    """A question, its answer and the passage that holds it; ``id`` is its row number from 0."""

    id: str
    question: str
    answer: str
    context: str
    ticker: str
    filing: str


def load_qa_rows(source: str) -> list[QaRow]:
    """Read question-answer rows from a CSV or JSONL file, or a hub data set, in its order.

    An empty field stays, as ``""``, so that row numbers are the source's own.

    Raises:
        DataError: no such file or data set, not text, no rows, or columns missing (all named).
    """
    path = Path(source).expanduser()
    if path.suffix.lower() in FILE_SUFFIXES or path.exists():
        records = read_jsonl(path) if path.suffix.lower() == ".jsonl" else _read_csv(path)
    elif re.fullmatch(r"[\w-][\w.-]*/[\w.-]+", source):
        records = _load_from_hub(source)
    else:
        raise DataError(
            f"There is no file {source}; give a CSV or JSONL file, or a hub data set such as "
            "virattt/financial-qa-10K."
        )
    if not records:
        raise DataError(f"{source} holds no rows; it needs {', '.join(QA_COLUMNS)}.")
    check_columns(source, records, QA_COLUMNS)
    return [
        QaRow(id=str(number), **{column: text_of(record[column]) for column in QA_COLUMNS})
        for number, record in enumerate(records)
    ]


def _read_csv(path: Path) -> list[dict[str, Any]]:
    reader = csv.DictReader(io.StringIO(read_text(path), newline=""), strict=True)
    try:
        records = list(reader)
    except csv.Error as error:
        raise DataError(
            f"{path} is not a CSV file (line {reader.line_num}: {error}); give one with the "
            f"columns {', '.join(QA_COLUMNS)}."
        ) from None
    for number, record in enumerate(records):
        if None in record or None in record.values():
            raise DataError(
                f"Row {number} of {path} has not as many fields as the header; quote its commas."
            )
    return records


def _load_from_hub(name: str) -> list[dict[str, Any]]:
    from datasets import load_dataset
    from huggingface_hub.utils import logging

    # Its retries warn two lines each; the one sentence below says the outcome.
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        return [dict(record) for record in load_dataset(name, split="train")]
    except Exception as error:
        raise DataError(
            f"The data set {name} could not be fetched from the hub ({type(error).__name__}); "
            "check the name and the network, or pass --data CSV with a downloaded copy."
        ) from None


def check_columns(
    source: str, records: Sequence[Mapping[str, Any]], columns: Sequence[str]
) -> None:
    """Hold records to have all of ``columns``.

    Raises:
        DataError: one lacks some; the message names them and the row.
    """
    for number, record in enumerate(records):
        missing = [column for column in columns if column not in record]
        if missing:
            raise DataError(
                f"{source} lacks {', '.join(missing)} (row {number}); it needs "
                f"{', '.join(columns)}."
            )


def text_of(value: object) -> str:
    """A field's text; a missing value is an empty one."""
    return "" if value is None else str(value)
