"""Protocol questions: one's own questions with quoted golds, asked of all chunks of a library."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from eval.evalset import EvalSet
from eval.files import read_jsonl
from eval.gold import relevant_passages
from eval.protocols.choices import Choices
from eval.rows import check_columns, text_of
from rag_app.errors import DataError

QUESTION_COLUMNS = ("id", "question", "ticker", "filing", "gold")


def build_questions(data: str, home: Path, choices: Choices) -> EvalSet:
    """The questions of a JSONL file over the library under ``home``.

    Raises:
        DataError: the file cannot be used (see ``library_evalset``).
        LibraryError: the library is damaged.
    """
    from rag_app.library import Library

    library = Library(home)
    return library_evalset(Path(data).expanduser(), library.passages(), library.filing_of())


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
