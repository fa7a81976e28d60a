"""Questions, the passages they are asked of, and which passages are right."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.files import read_jsonl, read_text
from eval.gold import relevant_passages
from rag_app.errors import DataError

QA_COLUMNS = ("question", "answer", "context", "ticker", "filing")
QUESTION_COLUMNS = ("id", "question", "ticker", "filing", "gold")
FILE_SUFFIXES = (".csv", ".jsonl")


@dataclass(frozen=True, slots=True)
class EvalSet:
    """A retrieval task: query id → text, passage id → text, and the right passages of each query.

    ``qrels`` maps query id → passage id → relevance (1), ``groups`` query id → company ticker.
    """

    name: str
    queries: dict[str, str]
    corpus: dict[str, str]
    qrels: dict[str, dict[str, int]]
    groups: dict[str, str]

    @property
    def sha256(self) -> str:
        """Hash of all of it, whatever the order; reports pair only where it is the same."""
        parts = [self.name, self.queries, self.corpus, self.qrels, self.groups]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


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
    _check_columns(source, records, QA_COLUMNS)
    return [
        QaRow(id=str(number), **{column: _text(record[column]) for column in QA_COLUMNS})
        for number, record in enumerate(records)
    ]


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


def notebook_evalset(rows: Sequence[QaRow]) -> EvalSet:
    """The notebook's test: each test question against the contexts of all rows, one gold each.

    Equal contexts keep their own ids, so a twin of the gold counts as wrong, as in the notebook.

    Raises:
        DataError: fewer than 10 rows, or no test row with a question and a context.
    """
    _, test = notebook_split(rows)
    # A blank question has no answer to find. The published data set has none in its test part.
    asked = [row for row in test if row.question.strip() and row.context.strip()]
    if not asked:
        raise DataError("No test row has both a question and a context; check the columns.")
    return EvalSet(
        name="notebook",
        queries={row.id: row.question for row in asked},
        corpus={row.id: row.context for row in rows},
        qrels={row.id: {row.id: 1} for row in asked},
        groups={row.id: row.ticker for row in asked},
    )


def library_evalset(
    questions: Path, passages: dict[str, str], filing_of: dict[str, str]
) -> EvalSet:
    """Questions with a quoted gold passage, asked of all chunks of a library.

    ``questions`` is JSONL with ``QUESTION_COLUMNS``; ``passages`` maps chunk id → text and
    ``filing_of`` chunk id → filing, named as the lines name it or without their file ending.
    Right is every chunk of the line's filing that holds the gold (see ``relevant_passages``).

    Raises:
        DataError: the file cannot be used, ids repeat, a filing is not in the library, or a gold
            stands in no chunk (the ids are listed).
    """
    lines = read_jsonl(questions)
    if not lines:
        raise DataError(f"{questions} holds no questions; add one JSON object a line.")
    _check_columns(str(questions), lines, QUESTION_COLUMNS)
    ids = [str(line["id"]) for line in lines]
    if len(set(ids)) < len(ids):
        raise DataError(f"{questions} names an id twice: {_first_repeated(ids)}; make ids unique.")
    by_filing: dict[str, dict[str, str]] = {}
    for chunk_id, text in passages.items():
        by_filing.setdefault(filing_of[chunk_id], {})[chunk_id] = text
    named = [str(line["filing"]) for line in lines]
    # A key may itself hold a dot (BRK.B_10-K_…), so an ending is cut only where that helps.
    filings = [name if name in by_filing else Path(name).stem for name in named]
    absent = sorted(
        {name for name, filing in zip(named, filings, strict=True) if filing not in by_filing}
    )
    if absent:
        raise DataError(
            f"{questions} asks of filings that are not in the library: {', '.join(absent)}; "
            "ingest them first."
        )
    golds: dict[str, list[tuple[str, str]]] = {}
    for line, filing in zip(lines, filings, strict=True):
        golds.setdefault(filing, []).append((str(line["id"]), _text(line["gold"])))
    found = {
        question_id: chunk_ids
        for filing, wanted in golds.items()
        for question_id, chunk_ids in relevant_passages(wanted, by_filing[filing]).items()
    }
    nowhere = [id_ for id_ in ids if not found[id_]]
    if nowhere:
        raise DataError(
            f"The gold of these questions stands in no chunk of its filing: {', '.join(nowhere)}; "
            f"mend them in {questions}."
        )
    return EvalSet(
        name="questions",
        queries={str(line["id"]): _text(line["question"]) for line in lines},
        corpus=dict(passages),
        qrels={id_: dict.fromkeys(found[id_], 1) for id_ in ids},
        groups={str(line["id"]): _text(line["ticker"]) for line in lines},
    )


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


def _check_columns(
    source: str, records: Sequence[Mapping[str, Any]], columns: Sequence[str]
) -> None:
    for number, record in enumerate(records):
        missing = [column for column in columns if column not in record]
        if missing:
            raise DataError(
                f"{source} lacks {', '.join(missing)} (row {number}); it needs "
                f"{', '.join(columns)}."
            )


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _first_repeated(ids: Sequence[str]) -> str:
    return next(id_ for number, id_ in enumerate(ids) if id_ in ids[:number])
