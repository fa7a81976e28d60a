"""A Chroma collection as its guide makes one: cosine distance, all else at its default."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rag_app.index.chroma import BATCH_ROWS
from rag_app.index.embedder import Vectors

if TYPE_CHECKING:
    from chromadb import Collection as Collection


@contextmanager
def plain_collection(folder: Path) -> Iterator[Collection]:
    """An empty collection under ``folder``, open as long as the block."""
    import chromadb
    from chromadb.config import Settings

    client = chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))
    try:
        yield client.create_collection(
            "plain", embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )
    finally:
        client.close()  # type: ignore[attr-defined]


def fill_plain(
    collection: Collection, ids: Sequence[str], vectors: Vectors, companies: Sequence[str]
) -> None:
    """Add vectors with the company of each as metadata."""
    for start in range(0, len(ids), BATCH_ROWS):
        rows = slice(start, start + BATCH_ROWS)
        collection.add(
            ids=list(ids[rows]),
            embeddings=vectors[rows],
            metadatas=[{"ticker": company} for company in companies[rows]],
        )
