"""Question-answer rows: read from a file, a folder or the hub, in their own order."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.sources import SOURCES, Record, read_records
from rag_app.errors import DataError


@dataclass(frozen=True, slots=True)
class QaRow:
    """A question, its answer and the passage that holds it; ``id`` is its row number from 0.

    ``answer``, ``ticker`` and ``filing`` (such as ``2023_10K``) are empty where the source has
    no such column.
    """

    id: str
    question: str
    answer: str
    context: str
    ticker: str
    filing: str


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column of the source holds which field of a row."""

    question: str = "question"
    context: str = "context"
    answer: str = "answer"
    ticker: str = "ticker"
    filing: str = "filing"


def load_qa_rows(source: str, columns: Columns = Columns()) -> list[QaRow]:
    """Read rows from a file or folder of ``eval/sources.py``, or a hub data set, in its order.

    Question and context must be there, and every column that ``columns`` names otherwise than by
    default. An empty field stays, as ``""``, so that row numbers are the source's own.

    Raises:
        DataError: no such file or data set, a form that is not known, no rows, or columns missing
            (all named).
    """
    path = Path(source).expanduser()
    needed = _needed(columns)
    if path.suffix.lower() in SOURCES or path.exists():
        records = read_records(path)
    elif re.fullmatch(r"[\w-][\w.-]*/[\w.-]+", source):
        records = _load_from_hub(source)
    else:
        raise DataError(
            f"There is no file {source}; give a CSV, JSONL, Parquet or JSON file, a BEIR folder, "
            "or a hub data set such as virattt/financial-qa-10K."
        )
    rows = [_row(source, number, record, columns, needed) for number, record in enumerate(records)]
    if not rows:
        raise DataError(f"{source} holds no rows; it needs {', '.join(needed)}.")
    return rows


def _needed(columns: Columns) -> list[str]:
    """The columns that must be there: question and context, and those that were named."""
    return [
        name
        for field, name in dataclasses.asdict(columns).items()
        if field in ("question", "context") or name != field
    ]


def _row(
    source: str, number: int, record: Record, columns: Columns, needed: Sequence[str]
) -> QaRow:
    missing = [name for name in needed if name not in record]
    if missing:
        raise DataError(
            f"{source} lacks {', '.join(missing)} (row {number}); it has "
            f"{', '.join(map(str, record))}. Name columns with --question-column and the like."
        )
    fields = {}
    for field, name in dataclasses.asdict(columns).items():
        value = record.get(name)
        if isinstance(value, (list, dict)):
            raise DataError(
                f"Row {number} of {source} has a {type(value).__name__} as its {name}; a text is "
                "needed."
            )
        fields[field] = text_of(value)
    return QaRow(id=str(number), **fields)


def _load_from_hub(name: str) -> Iterator[Record]:
    from datasets import load_dataset
    from huggingface_hub.utils import logging

    # Its retries warn two lines each; the one sentence below says the outcome.
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        dataset = load_dataset(name, split="train")
    except Exception as error:
        raise DataError(
            f"The data set {name} could not be fetched from the hub ({type(error).__name__}); "
            "check the name and the network, or pass --data CSV with a downloaded copy."
        ) from None
    return (dict(record) for record in dataset)


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
