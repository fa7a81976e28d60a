"""Questions, the passages they are asked of, and which passages are right."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.files import read_jsonl
from eval.gold import relevant_passages
from eval.rows import QaRow, check_columns, text_of
from eval.splits import notebook_split
from rag_app.errors import DataError

QUESTION_COLUMNS = ("id", "question", "ticker", "filing", "gold")


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
    check_columns(str(questions), lines, QUESTION_COLUMNS)
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
        golds.setdefault(filing, []).append((str(line["id"]), text_of(line["gold"])))
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
        queries={str(line["id"]): text_of(line["question"]) for line in lines},
        corpus=dict(passages),
        qrels={id_: dict.fromkeys(found[id_], 1) for id_ in ids},
        groups={str(line["id"]): text_of(line["ticker"]) for line in lines},
    )


def _first_repeated(ids: Sequence[str]) -> str:
    return next(id_ for number, id_ in enumerate(ids) if id_ in ids[:number])
