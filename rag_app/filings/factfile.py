"""Facts ↔ ``facts.parquet``: one row a fact, one column a field of ``Fact``, spans in three."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag_app.errors import LibraryError
from rag_app.records import Fact, Span

if TYPE_CHECKING:
    import pyarrow as pa

FACTS = "facts.parquet"


def save_facts(path: Path, facts: Sequence[Fact]) -> None:
    """Write the facts, also when there are none; values are text, so that they stay exact."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _schema()
    rows = [_row(fact) for fact in facts]
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path, compression="zstd")


def load_facts(path: Path) -> tuple[Fact, ...]:
    """The facts of a file, in the order written.

    Raises:
        LibraryError: the file is damaged or of another schema.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return tuple(_fact(row) for row in pq.ParquetFile(path).read().to_pylist())
    except (OSError, pa.ArrowException, KeyError, TypeError) as error:
        raise LibraryError(
            f"{path} is damaged ({type(error).__name__}); run `python -m rag_app ingest --repair`."
        ) from error


def _schema() -> pa.Schema:
    import pyarrow as pa

    text, number, flag, day = pa.string(), pa.int32(), pa.bool_(), pa.date32()
    return pa.schema(
        {
            "concept": text,
            "value": text,
            "numeric": flag,
            "unit": text,
            "decimals": text,
            "period_start": day,
            "period_end": day,
            "dimensions": pa.map_(text, text),
            "entity": text,
            "scale": number,
            "sign": text,
            "format": text,
            "printed": text,
            "nil": flag,
            "hidden": flag,
            "id": text,
            "problem": text,
            "chunk_id": text,
            "section": number,
            "start": number,
            "end": number,
        }
    )


def _row(fact: Fact) -> dict[str, Any]:
    row = {name: getattr(fact, name) for name in Fact.__slots__ if name != "span"}
    span = fact.span
    for name in Span.__slots__:
        row[name] = getattr(span, name) if span else None
    return row


def _fact(row: dict[str, Any]) -> Fact:
    section, *rest = (row.pop(name) for name in Span.__slots__)
    span = None if section is None else Span(section, *rest)
    return Fact(**{**row, "dimensions": tuple(row["dimensions"])}, span=span)
