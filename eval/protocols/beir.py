"""Protocol beir: any folder in the BEIR layout, so that public sets and one's own run unchanged."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from eval.evalset import EvalSet
from eval.files import read_jsonl, read_text
from eval.protocols.choices import Choices
from rag_app.errors import DataError

SPLITS = ("qrels/test.tsv", "qrels/dev.tsv", "qrels.tsv")
"""Where a folder's judgements are looked for, in this order."""


def build_beir(data: str, home: Path, choices: Choices) -> EvalSet:
    """The set of a folder with corpus.jsonl, queries.jsonl and qrels (Thakur et al. 2021).

    ``data`` is the folder, or one of its files of judgements. Judgements are graded; those of 0
    and of queries without any other are left out. A query may name its company in
    ``metadata.ticker``.

    Raises:
        DataError: a file is missing or malformed, or judgements name what is not there.
    """
    qrels_path = _qrels_path(Path(data).expanduser())
    folder = qrels_path.parent.parent if qrels_path.parent.name == "qrels" else qrels_path.parent
    corpus = {
        id_: f"{record.get('title') or ''} {record['text']}".strip()
        for id_, record in _by_id(folder / "corpus.jsonl").items()
    }
    queries = _by_id(folder / "queries.jsonl")
    qrels = _read_qrels(qrels_path)
    for query_id, right in qrels.items():
        absent = [query_id] if query_id not in queries else sorted(right.keys() - corpus.keys())
        if absent:
            raise DataError(
                f"{qrels_path} names {absent[0]}, which stands in no queries.jsonl or "
                "corpus.jsonl beside it; pair the files."
            )
    return EvalSet(
        name=f"beir {folder.resolve().name}",
        queries={id_: str(queries[id_]["text"]) for id_ in qrels},
        corpus=corpus,
        qrels=qrels,
        groups={id_: _company(queries[id_]) for id_ in qrels},
    )


def _qrels_path(path: Path) -> Path:
    if path.suffix == ".tsv":
        return path
    found = [path / name for name in SPLITS if (path / name).is_file()]
    if not found:
        raise DataError(
            f"{path} is not in the BEIR layout; it needs corpus.jsonl, queries.jsonl and "
            f"{' or '.join(SPLITS)}, or name another file of judgements."
        )
    return found[0]


def _read_qrels(path: Path) -> dict[str, dict[str, int]]:
    qrels: dict[str, dict[str, int]] = defaultdict(dict)
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        fields = line.split("\t")
        if number == 1 and not fields[-1].strip().lstrip("-").isdigit():
            continue  # BEIR's own files begin with a header
        try:
            query_id, passage_id, relevance = fields[0], fields[1], int(fields[2])
        except (IndexError, ValueError):
            raise DataError(
                f"Line {number} of {path} is not a query id, a passage id and a whole number "
                "between tabs; mend it."
            ) from None
        if relevance > 0:
            qrels[query_id][passage_id] = relevance
    if not qrels:
        raise DataError(f"{path} judges no passage above 0; there is nothing to find.")
    return dict(qrels)


def _by_id(path: Path) -> dict[str, dict[str, object]]:
    records = read_jsonl(path)
    for number, record in enumerate(records):
        if not {"_id", "text"} <= record.keys():
            raise DataError(f"Row {number} of {path} lacks _id or text; mend it.")
    return {str(record["_id"]): record for record in records}


def _company(query: dict[str, object]) -> str:
    metadata = query.get("metadata")
    return str(metadata.get("ticker") or "") if isinstance(metadata, dict) else ""
