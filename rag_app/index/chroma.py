"""The Chroma collections: one an index, in its own directory; what any collection is asked for."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self, cast

import numpy as np

from rag_app.errors import IndexMismatch, RagError
from rag_app.index.chroma_close import close_store
from rag_app.index.encoders import Vectors
from rag_app.index.graph import GraphError, SealedGraph

if TYPE_CHECKING:
    from chromadb import Collection
    from chromadb.api.client import Client
    from chromadb.api.collection_configuration import CreateHNSWConfiguration

COLLECTION = "chunks"
BATCH_ROWS = 5_000  # Chroma refuses more than 5,461 rows at once
PARTS = 8
"""So many times a build writes its graph. Chroma's queue keeps each row until then: in one part, a
build takes 1.87 times the disk of what it leaves, in 8 parts 1.29 times, and no longer."""
SERVER_RECORD = "collection.json"
"""In a sealed index whose collection is on a server: which collection, on which server."""

# Chroma's defaults (16, 100, 100) cost about .03 recall@10 against exact search on filings. Against
# 32 and 200 these halve the time of a build; 3,000 random vectors of 384 are found at .993 (.999;
# with 16 and 100 at .967).
HNSW: CreateHNSWConfiguration = {
    "space": "cosine",
    "max_neighbors": 24,
    "ef_construction": 100,
    "ef_search": 200,
}


class DenseStore(Protocol):
    """Where collections are kept; ``folder`` is a sealed index's own, whatever is in it."""

    @property
    def note(self) -> str:
        """What a person should know of this store; empty for nothing."""

    def write(self, folder: Path, name: str, chunk_ids: Sequence[str], vectors: Vectors) -> None:
        """Write (n, dim) unit vectors as the new collection ``name`` and verify it.

        Raises:
            IndexMismatch: the collection does not count n rows, or a row does not find itself.
            ChromaServerError: the server failed.
        """

    def open(self, folder: Path) -> DenseIndex:
        """Open what ``write`` wrote for ``folder``.

        Raises:
            IndexMismatch: it is unreadable, gone, or in another store.
            ChromaServerError: the server failed.
        """

    def holds(self, folder: Path) -> bool:
        """Whether ``folder`` was written to this store."""

    def prune(self) -> None:
        """Drop the collections that no index names; those in directories went with them."""


def write_collection(folder: Path, chunk_ids: Sequence[str], vectors: Vectors) -> None:
    """Write (n, dim) unit vectors into a new collection under ``folder`` and verify it.

    Raises:
        IndexMismatch: the collection does not count n rows, or a row does not find itself.
    """
    rows = len(chunk_ids)
    parts = max(1, min(PARTS, rows))
    client = _client(folder)
    try:
        # The vectors come from our embedder: a stored embedding function would be rebuilt by
        # whoever opens the collection (CVE-2026-45829).
        collection = client.create_collection(
            COLLECTION,
            embedding_function=None,
            configuration={"hnsw": _written_each(rows // parts)},
        )
        for start, end in pairwise(rows * part // parts for part in range(parts + 1)):
            fill(collection, chunk_ids[start:end], vectors[start:end], BATCH_ROWS)
    finally:
        client.close()
    close_store(folder)
    with EmbeddedIndex(folder) as written:
        written.verify(chunk_ids, vectors)


def fill(
    collection: Collection, chunk_ids: Sequence[str], vectors: Vectors, batch_rows: int
) -> None:
    """Add (n, dim) vectors to a new collection, ``batch_rows`` at a time."""
    for start in range(0, len(chunk_ids), batch_rows):
        rows = slice(start, start + batch_rows)
        collection.add(ids=list(chunk_ids[rows]), embeddings=vectors[rows])


class DenseIndex:
    """A sealed collection, opened for reading."""

    _collection: Collection

    def __init__(self, folder: Path) -> None:
        """Open what ``write_collection`` wrote.

        Raises:
            IndexMismatch: the folder holds no readable collection.
        """
        self._where = str(folder)
        with self._asking():
            self._client = _client(folder)
            self._collection = self._client.get_collection(COLLECTION, embedding_function=None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the files; the index is not to be used afterwards."""
        self._client.close()

    def __del__(self) -> None:
        """A snapshot that nothing reads any more lets go of a replaced index."""
        with suppress(Exception):  # it was never opened, or Python is ending
            self.close()

    def count(self) -> int:
        """The number of rows."""
        with self._asking():
            return self._collection.count()

    def query(self, vector: Vectors, n: int) -> list[tuple[str, float]]:
        """The ids and cosines of the n rows nearest to a (dim,) unit vector, nearest first.

        Raises:
            IndexMismatch: Chroma cannot answer from these files.
            ChromaServerError: the server failed; a later query may find it back.
        """
        with self._asking():
            found = self._collection.query(
                query_embeddings=cast("list[Sequence[float]]", [vector]),
                n_results=n,
                include=["distances"],
            )
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
        if (count := self.count()) != len(chunk_ids):
            raise IndexMismatch(
                f"The index at {self._where} holds {count} of {len(chunk_ids)} chunks; "
                "run `python -m rag_app index --rebuild`."
            )
        step = max(1, len(chunk_ids) // probes)
        for row in range(0, len(chunk_ids), step):
            own = chunk_ids[row]
            found, cosine = self.query(vectors[row], 1)[0]
            stored = self._stored([own, found])
            # Passages that stand twice have the same vector, so the nearest may be a twin.
            if (
                not {own, found} <= stored.keys()
                or not np.allclose(stored[own], vectors[row], atol=1e-6)
                or not np.allclose(stored[found], vectors[row], atol=1e-3)
                or cosine < 0.9999
            ):
                raise IndexMismatch(
                    f"The index at {self._where} does not find {own} by its own "
                    "vector; run `python -m rag_app index --rebuild`."
                )

    def _stored(self, chunk_ids: Sequence[str]) -> dict[str, Vectors]:
        with self._asking():
            kept = self._collection.get(ids=list(set(chunk_ids)), include=["embeddings"])
        assert kept["embeddings"] is not None  # asked for by `include`
        return dict(zip(kept["ids"], map(np.asarray, kept["embeddings"]), strict=True))

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Whatever Chroma raises becomes one sentence."""
        try:
            yield
        except Exception as error:
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> RagError:
        return IndexMismatch(
            f"The index at {self._where} cannot be read ({type(error).__name__}); run "
            "`python -m rag_app index --rebuild`."
        )


class EmbeddedIndex(DenseIndex):
    """A sealed collection in its own directory, whose graph is searched without Chroma's queries.

    Chroma is asked itself where the graph cannot be read: another version wrote it otherwise, or
    chroma-hnswlib has no wheel for this Python.
    """

    def __init__(self, folder: Path) -> None:
        """As ``DenseIndex``; the graph is read at the first query."""
        super().__init__(folder)
        self._folder = folder

    def query(self, vector: Vectors, n: int) -> list[tuple[str, float]]:
        """As ``DenseIndex.query``."""
        if self._graph is None:
            return super().query(vector, n)
        with self._asking():
            return self._graph.query(vector, n)

    @functools.cached_property
    def _graph(self) -> SealedGraph | None:
        with suppress(GraphError):
            return SealedGraph(self._folder, COLLECTION, HNSW["ef_search"])
        return None


class EmbeddedStore:
    """Collections in the directories of the indexes, read by this process alone."""

    note = ""

    def write(self, folder: Path, name: str, chunk_ids: Sequence[str], vectors: Vectors) -> None:
        """As ``DenseStore.write``; the directory needs no further name."""
        write_collection(folder, chunk_ids, vectors)

    def open(self, folder: Path) -> DenseIndex:
        """As ``DenseStore.open``."""
        if not self.holds(folder):
            raise IndexMismatch(
                f"The index at {folder.parent} is on a Chroma server, and the settings name none; "
                "run `python -m rag_app index`."
            )
        return EmbeddedIndex(folder)

    def holds(self, folder: Path) -> bool:
        """As ``DenseStore.holds``."""
        return not (folder / SERVER_RECORD).exists()

    def prune(self) -> None:
        """A collection goes with its directory."""


EMBEDDED = EmbeddedStore()


def _written_each(rows: int) -> CreateHNSWConfiguration:
    """Write the graph to disk whenever so many rows were added since, and with the last row.

    By default that is after every thousand rows, and those after the last thousand are left to
    each reader to add: it then writes to a sealed directory. Chroma counts at the end of each
    call, so parts of ``rows`` or a few more are written whole.
    """
    return {**HNSW, "sync_threshold": max(1, rows), "batch_size": max(1, min(rows, 100))}


def _client(folder: Path) -> Client:
    import chromadb
    from chromadb.config import Settings

    client = chromadb.PersistentClient(
        path=str(folder), settings=Settings(anonymized_telemetry=False)
    )
    return cast("Client", client)  # declared as ClientAPI, which lacks close()
