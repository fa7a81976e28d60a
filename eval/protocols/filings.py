"""Protocol filings: question-answer rows asked of every chunk of whole ingested filings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.evalset import EvalSet
from eval.gold import holding_passages, own_texts
from eval.protocols.choices import Choices
from eval.rows import QaRow, check_columns, load_qa_rows
from eval.sources import read_records
from rag_app.errors import DataError
from rag_app.library import Library
from rag_app.records import Filters

OVERLAP = Path("filings/gold_context_overlap.csv")
"""Where the overlap is looked for beside the rows."""
OVERLAP_COLUMNS = ("row_index", "ticker", "file", "verbatim")
CORPORA = ("all", "asked")


@dataclass(frozen=True, slots=True)
class Asked:
    """A row whose context stands word for word in a filing, which ``file`` names without ending."""

    row: QaRow
    ticker: str
    file: str


def build_filings(data: str, home: Path, choices: Choices) -> EvalSet:
    """The verbatim rows of ``data`` over the chunks of the library under ``home``.

    Raises:
        DataError: rows or overlap that cannot be used, or filings that the library lacks.
        LibraryError: the library is damaged.
    """
    asked = asked_rows(data, choices)
    library = Library(home)
    passages, filing_of = library.passages(), library.filing_of()
    _check_ingested(asked, set(filing_of.values()))
    files = {question.file for question in asked}
    if choices.corpus == "asked":
        passages = {id_: text for id_, text in passages.items() if filing_of[id_] in files}
    companies = {question.ticker for question in asked}
    admitted = admitted_by_company(library, passages, companies)
    return filings_evalset(asked, passages, filing_of, admitted, own_texts(library))


def asked_rows(data: str, choices: Choices) -> list[Asked]:
    """The rows whose context stands in a filing, as the overlap says, of the companies chosen.

    Raises:
        DataError: a file is missing or malformed, or no row is left.
    """
    path = choices.overlap or Path(data).expanduser().parent / OVERLAP
    if not path.exists():
        raise DataError(
            f"There is no {path}, which says which filing holds each row's context; name it with "
            "--overlap."
        )
    rows = {row.id: row for row in load_qa_rows(data, choices.columns)}
    records = list(read_records(path))
    check_columns(str(path), records, OVERLAP_COLUMNS)
    wanted = {company.upper() for company in choices.companies}
    known = {str(record["ticker"]) for record in records}
    if wanted - known:
        raise DataError(
            f"{path} names no {', '.join(sorted(wanted - known))}; its companies are "
            f"{', '.join(sorted(known))}."
        )
    verbatim = [record for record in records if str(record["verbatim"]) == "1"]
    gone = [str(record["row_index"]) for record in verbatim if str(record["row_index"]) not in rows]
    if gone:
        raise DataError(f"{path} names rows that {data} lacks: {', '.join(gone[:5])}; pair them.")
    asked = [
        Asked(rows[str(record["row_index"])], str(record["ticker"]), Path(str(record["file"])).stem)
        for record in verbatim
        if not wanted or record["ticker"] in wanted
    ]
    if not asked:
        raise DataError(f"{path} marks no row as verbatim; there is nothing to ask.")
    return asked


def filings_evalset(
    asked: Sequence[Asked],
    passages: dict[str, str],
    filing_of: Mapping[str, str],
    admitted: dict[str, tuple[str, ...]],
    texts: Mapping[str, str],
) -> EvalSet:
    """Right is any chunk of the row's file that holds its context (see ``holding_passages``).

    ``passages`` are what is searched, ``texts`` the words of the same chunks that may be a gold's.
    """
    by_file: dict[str, dict[str, str]] = defaultdict(dict)
    for chunk_id in passages:
        by_file[filing_of[chunk_id]][chunk_id] = texts[chunk_id]
    golds: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for question in asked:
        golds[question.file].append((question.row.id, question.row.context))
    found = {
        id_: chunk_ids
        for file, wanted in golds.items()
        for id_, chunk_ids in holding_passages(wanted, by_file[file]).items()
    }
    return EvalSet(
        name="filings",
        queries={question.row.id: question.row.question for question in asked},
        corpus=passages,
        qrels={question.row.id: dict.fromkeys(found[question.row.id], 1) for question in asked},
        groups={question.row.id: question.ticker for question in asked},
        admitted=admitted,
        one_gold=True,
    )


def _check_ingested(asked: Sequence[Asked], files: set[str]) -> None:
    absent = {question.file: question.ticker for question in asked if question.file not in files}
    if absent:
        raise DataError(
            f"These filings are asked of and not in the library: {', '.join(sorted(absent))}; "
            "ingest them with `python -m rag_app ingest`, or leave their companies out with "
            "--companies."
        )


def admitted_by_company(
    library: Library, passages: Mapping[str, str], companies: set[str]
) -> dict[str, tuple[str, ...]]:
    """Company → its chunks among ``passages``, of whatever form and year: a filter on it alone."""
    admitted: dict[str, list[str]] = {company: [] for company in sorted(companies)}
    for key, stored in library.filings().items():
        for company, chunk_ids in admitted.items():
            if Filters(ticker=company).admits(stored.filing):
                chunks = library.chunks(key, stored.version)
                chunk_ids += [id_ for id_ in chunks if id_ in passages]
    return {company: tuple(chunk_ids) for company, chunk_ids in admitted.items()}
