"""Files of question-answer data → records, one table row a form.

A record is a mapping of column to value. Forms that are no tables give the columns ``question``
and ``context`` themselves:

- BEIR: a folder with ``corpus.jsonl`` (``_id``, ``title``, ``text``), ``queries.jsonl`` (``_id``,
  ``text``) and ``qrels/*.tsv`` (query id, corpus id, score); one record a judgement above 0. One
  of the ``.tsv`` files instead of the folder gives its judgements alone.
- LlamaIndex's ``EmbeddingQAFinetuneDataset``: JSON with ``queries``, ``corpus``,
  ``relevant_docs``; one record a query and passage.
- Chat feedback: JSONL with ``question``, ``passages`` (the texts that the reader marked as right;
  or ``passage``, one text), ``ticker`` and ``filing``; one record a passage.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from eval.files import read_jsonl, read_text
from rag_app.errors import DataError

Record = dict[str, Any]


def read_records(path: Path) -> Iterator[Record]:
    """The records of a file or a BEIR folder, in its order.

    Raises:
        DataError: no such file, a form that is not in ``SOURCES``, or a damaged file; the message
            names the row or line.
    """
    suffix = path.suffix.lower()
    if path.is_dir():
        suffix = FOLDER
    elif suffix not in SOURCES:
        known = ", ".join(name for name in SOURCES if name != FOLDER)
        raise DataError(f"{path} is none of the forms that can be read: {known}, a BEIR folder.")
    return SOURCES[suffix](path)


def _read_csv(path: Path) -> Iterator[Record]:
    reader = csv.DictReader(io.StringIO(read_text(path), newline=""), strict=True)
    try:
        for number, record in enumerate(reader):
            if None in record or None in record.values():
                raise DataError(
                    f"Row {number} of {path} has not as many fields as the header; quote its "
                    "commas, and part fields by commas."
                )
            yield record
    except csv.Error as error:
        raise DataError(
            f"{path} is not a CSV file (line {reader.line_num}: {error}); give one with a header "
            "row."
        ) from None


def _read_jsonl(path: Path) -> Iterator[Record]:
    for number, record in enumerate(read_jsonl(path)):
        if "context" not in record and {"passage", "passages"} & record.keys():
            yield from _feedback(path, number, record)
        else:
            yield record


def _feedback(path: Path, number: int, record: Record) -> Iterator[Record]:
    passages = record["passages"] if "passages" in record else [record["passage"]]
    if not isinstance(passages, list) or not all(isinstance(text, str) for text in passages):
        raise DataError(f"Row {number} of {path} needs a list of texts in passages; mend it.")
    for passage in passages:
        yield {**record, "context": passage}


def _read_parquet(path: Path) -> Iterator[Record]:
    import pyarrow
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path) as file:
            # In batches, so that columns that nobody asked for never stand in memory all at once.
            for batch in file.iter_batches(batch_size=1024):
                yield from batch.to_pylist()
    except FileNotFoundError:
        raise DataError(f"There is no file {path}; check the path.") from None
    except (OSError, pyarrow.ArrowException) as error:
        raise DataError(
            f"{path} cannot be read as Parquet ({type(error).__name__}); write it again."
        ) from None


def _read_llama_index(path: Path) -> Iterator[Record]:
    try:
        data = json.loads(read_text(path))
        queries, corpus, relevant = (data[key] for key in ("queries", "corpus", "relevant_docs"))
        judged = [(query, doc) for query, docs in relevant.items() for doc in docs]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DataError(
            f"{path} is not LlamaIndex's EmbeddingQAFinetuneDataset (queries, corpus and "
            "relevant_docs); give that, or one JSON object a line in a .jsonl file."
        ) from None
    for query, doc in judged:
        if query not in queries or doc not in corpus:
            raise DataError(
                f"relevant_docs of {path} names {doc} for {query}, and one of them is missing; "
                "write the file again."
            )
        yield {"question": queries[query], "context": corpus[doc]}


def _read_beir(folder: Path) -> Iterator[Record]:
    qrels = sorted((folder / "qrels").glob("*.tsv"))
    if not qrels:
        raise DataError(
            f"{folder} is a folder but not in the BEIR layout (corpus.jsonl, queries.jsonl, "
            "qrels/*.tsv); give such a folder or a file."
        )
    return _judgements(folder, qrels)


def _read_qrels(path: Path) -> Iterator[Record]:
    return _judgements(path.parent.parent, [path])


def _judgements(folder: Path, qrels: Sequence[Path]) -> Iterator[Record]:
    queries, corpus = (_by_id(folder / name) for name in ("queries.jsonl", "corpus.jsonl"))
    for path in qrels:
        yield from _judged(path, queries, corpus)


def _judged(
    path: Path, queries: Mapping[str, Record], corpus: Mapping[str, Record]
) -> Iterator[Record]:
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        fields = line.split("\t")
        if not line.strip() or (number == 1 and not _is_number(fields[-1])):
            continue  # BEIR's own files begin with a header
        if len(fields) != 3 or not _is_number(fields[2]):
            raise DataError(
                f"Line {number} of {path} is not a query id, a corpus id and a score between tabs."
            )
        query, doc, score = fields
        if query not in queries or doc not in corpus:
            raise DataError(
                f"Line {number} of {path} names {doc} for {query}, and one of them is in no "
                "corpus.jsonl or queries.jsonl beside it."
            )
        if float(score) > 0:
            text = " ".join(str(corpus[doc].get(key) or "") for key in ("title", "text")).strip()
            told = {"question": queries[query]["text"], "context": text}
            yield {**corpus[doc], **queries[query], **told}


def _by_id(path: Path) -> dict[str, Record]:
    """The objects of a BEIR file by ``_id``, what stands in ``metadata`` lifted beside it."""
    found = {}
    for number, record in enumerate(read_jsonl(path)):
        if not {"_id", "text"} <= record.keys():
            raise DataError(f"Row {number} of {path} lacks _id or text; mend it.")
        metadata = record.get("metadata")
        found[str(record["_id"])] = (metadata if isinstance(metadata, dict) else {}) | record
    return found


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


FOLDER = "folder"

SOURCES: dict[str, Callable[[Path], Iterator[Record]]] = {
    ".csv": _read_csv,
    ".jsonl": _read_jsonl,
    ".parquet": _read_parquet,
    ".json": _read_llama_index,
    ".tsv": _read_qrels,
    FOLDER: _read_beir,
}
