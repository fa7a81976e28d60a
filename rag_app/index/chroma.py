"""The Chroma collections: one a sealed directory, one a model and dimension."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from rag_app.errors import IndexMismatch
from rag_app.index.embedder import Vectors

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.collection_configuration import CreateHNSWConfiguration

COLLECTION = "chunks"
BATCH_ROWS = 5_000  # Chroma refuses more than 5,461 rows at once

# Chroma's defaults (16, 100, 100) cost about .03 recall@10 against exact search on filings.
HNSW: CreateHNSWConfiguration = {
    "space": "cosine",
    "max_neighbors": 32,
    "ef_construction": 200,
    "ef_search": 200,
}


def write_collection(folder: Path, chunk_ids: Sequence[str], vectors: Vectors) -> None:
    """Write (n, dim) unit vectors into a new collection under ``folder`` and verify it.

    Raises:
        IndexMismatch: the collection does not count n rows, or a row does not find itself.
    """
    client = _client(folder)
    try:
        # The vectors come from our embedder: a stored embedding function would be rebuilt by
        # whoever opens the collection (CVE-2026-45829).
        collection = client.create_collection(
            COLLECTION, embedding_function=None, configuration={"hnsw": HNSW}
        )
        for start in range(0, len(chunk_ids), BATCH_ROWS):
            rows = slice(start, start + BATCH_ROWS)
            collection.add(ids=list(chunk_ids[rows]), embeddings=vectors[rows])
    finally:
        client.close()
    with DenseIndex(folder) as written:
        written.verify(chunk_ids, vectors)


class DenseIndex:
    """A sealed collection, opened for reading."""

    def __init__(self, folder: Path) -> None:
        """Open what ``write_collection`` wrote.

        Raises:
            IndexMismatch: the folder holds no readable collection.
        """
        self.folder = folder
        try:
            self._client = _client(folder)
            self._collection = self._client.get_collection(COLLECTION, embedding_function=None)
        except Exception as error:
            raise _unreadable(folder, error) from error

    def __enter__(self) -> DenseIndex:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the files; the index is not to be used afterwards."""
        self._client.close()

    def count(self) -> int:
        """The number of rows."""
        return self._collection.count()

    def query(self, vector: Vectors, n: int) -> list[tuple[str, float]]:
        """The ids and cosines of the n rows nearest to a (dim,) unit vector, nearest first.

        Raises:
            IndexMismatch: Chroma cannot answer from these files.
        """
        try:
            found = self._collection.query(
                query_embeddings=cast("list[Sequence[float]]", [vector]),
                n_results=n,
                include=["distances"],
            )
        except Exception as error:
            raise _unreadable(self.folder, error) from error
        distances = found["distances"]
        assert distances is not None  # asked for by `include`
        return [
            (chunk_id, 1.0 - distance)
            for chunk_id, distance in zip(found["ids"][0], distances[0], strict=True)
        ]

    def verify(self, chunk_ids: Sequence[str], vectors: Vectors, *, probes: int = 20) -> None:
        """Hold the count, and that rows spread over the index find themselves.

        Raises:
            IndexMismatch: either does not hold.
        """
        if self.count() != len(chunk_ids):
            raise IndexMismatch(
                f"The index at {self.folder} holds {self.count()} of {len(chunk_ids)} chunks; "
                "run `python -m rag_app index --rebuild`."
            )
        step = max(1, len(chunk_ids) // probes)
        for row in range(0, len(chunk_ids), step):
            stored = self._collection.get(ids=[chunk_ids[row]], include=["embeddings"])
            kept = stored["embeddings"]
            # Passages that stand twice have the same vector, so the nearest id may be a twin's.
            found = self.query(vectors[row], 1)[0][1]
            if kept is None or not np.allclose(kept, vectors[row], atol=1e-6) or found < 0.9999:
                raise IndexMismatch(
                    f"The index at {self.folder} does not find {chunk_ids[row]} by its own "
                    "vector; run `python -m rag_app index --rebuild`."
                )


def _client(folder: Path) -> Client:
    import chromadb
    from chromadb.config import Settings

    client = chromadb.PersistentClient(
        path=str(folder), settings=Settings(anonymized_telemetry=False)
    )
    return cast("Client", client)  # declared as ClientAPI, which lacks close()


def _unreadable(folder: Path, error: Exception) -> IndexMismatch:
    return IndexMismatch(
        f"The index at {folder} cannot be read ({type(error).__name__}); run "
        "`python -m rag_app index --rebuild`."
    )
