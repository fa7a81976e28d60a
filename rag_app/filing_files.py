"""The files of one stored filing: written, read back, and refused when their bytes have changed."""

from __future__ import annotations

import datetime as dt
import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag_app.errors import LibraryError
from rag_app.records import Filing
from rag_app.sums import FILE, is_as_sealed

if TYPE_CHECKING:
    from llama_index.core.schema import TextNode

CHUNKS, SECTIONS, RECORD = "chunks.jsonl", "sections.json", "filing.json"
VECTORS = "vectors"
MEND = "run `python -m rag_app ingest --repair`"


def read_sealed(path: Path) -> bytes:
    """The bytes of a file directly in a filing's folder.

    Raises:
        LibraryError: it is gone, or these are not the bytes that were stored.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise damaged(path, error.strerror or "unreadable") from error
    if not is_as_sealed(path, data):
        raise damaged(path, f"its bytes, or {FILE}, have changed since it was stored")
    return data


def read_json(path: Path) -> Any:
    """A JSON file directly in a filing's folder.

    Raises:
        LibraryError: it is gone or damaged.
    """
    try:
        return json.loads(read_sealed(path))
    except ValueError as error:
        raise damaged(path, type(error).__name__) from error


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file into a folder that is not sealed yet."""
    path.write_text(json.dumps(value, default=str, ensure_ascii=False), "utf-8")


def write_chunks(path: Path, chunks: list[TextNode]) -> None:
    """Write chunks, one a line, into a folder that is not sealed yet."""
    with path.open("w", encoding="utf-8") as file:
        for node in chunks:
            record = {"id": node.node_id, "text": node.text, "metadata": node.metadata}
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


@functools.lru_cache(maxsize=64)
def read_chunks(folder: Path) -> dict[str, TextNode]:
    """The chunks of a filing by id, in reading order. Cached: a sealed folder never changes.

    Raises:
        LibraryError: their file is gone or damaged.
    """
    path = folder / CHUNKS
    try:
        nodes = [node_of(json.loads(line)) for line in read_sealed(path).splitlines()]
    except (ValueError, KeyError) as error:
        raise damaged(path, type(error).__name__) from error
    return {node.node_id: node for node in nodes}


def node_of(record: Mapping[str, Any]) -> TextNode:
    """A chunk out of its JSON record; LlamaIndex adds none of its metadata to the text.

    Raises:
        KeyError: the record lacks a part.
    """
    from llama_index.core.schema import TextNode

    hidden = list(record["metadata"])
    return TextNode(
        id_=record["id"],
        text=record["text"],
        metadata=record["metadata"],
        excluded_embed_metadata_keys=hidden,
        excluded_llm_metadata_keys=hidden,
    )


def filing_of(record: dict[str, Any]) -> Filing:
    """A filing out of its JSON record."""
    filed = record["filed"] and dt.date.fromisoformat(record["filed"])
    return Filing(
        **{
            **record,
            "period_end": dt.date.fromisoformat(record["period_end"]),
            "filed": filed or None,
        }
    )


def damaged(path: Path, why: str) -> LibraryError:
    """The sentence for a file of a filing that cannot be used."""
    return LibraryError(f"{path} is damaged ({why}); {MEND}.")
