"""Stored vectors as the snapshot that the real retriever asks: exact, at any dimension, no index.

Nothing is encoded but the questions, each once; every dimension is a cut.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import numpy as np

from eval.cache import CachedEmbedder
from rag_app.errors import LibraryError
from rag_app.index.build import chunks_without_vectors
from rag_app.index.chroma import DenseIndex
from rag_app.index.embedder import Embedder, Vectors, truncate
from rag_app.index.fusion import top_rows
from rag_app.index.lexical import LexicalIndex
from rag_app.index.models import ModelSpec
from rag_app.index.passport import Passport
from rag_app.index.snapshot import Snapshot
from rag_app.index.vectors import load_vectors
from rag_app.library import Library
from rag_app.sealed import Lease

Part = tuple[list[str], Vectors]
"""Chunk ids of a filing and their unit vectors."""


class StoredDense(DenseIndex):
    """An exact scan where the served index searches approximately."""

    def __init__(self, ids: list[str], vectors: Vectors) -> None:
        self._ids, self._vectors = ids, vectors

    def close(self) -> None:
        """There is no file to let go of."""

    def count(self) -> int:
        """The number of rows."""
        return len(self._ids)

    def query(self, vector: Vectors, n: int) -> list[tuple[str, float]]:
        """The ids and cosines of the n rows nearest to a (dim,) unit vector, nearest first."""
        cosines = self._vectors @ vector
        found = [(self._ids[row], float(cosines[row])) for row in top_rows(cosines, n)]
        return sorted(found, key=lambda hit: (-hit[1], hit[0]))[:n]


class AskedEmbedder(Embedder):
    """An embedder that has the questions' vectors already: each is asked at many stages."""

    def __init__(self, embedder: Embedder, home: Path, questions: Sequence[str]) -> None:
        super().__init__(embedder.spec)
        self._embedder = embedder
        vectors = CachedEmbedder(embedder, home).encode_queries(questions)
        self._known = dict(zip(questions, vectors, strict=True))

    def encode_queries(self, queries: Sequence[str]) -> Vectors:
        """As ``Embedder.encode_queries``; a question that was not announced is encoded now."""
        if all(query in self._known for query in queries):
            return np.stack([self._known[query] for query in queries])
        return self._embedder.encode_queries(queries)

    def encode_documents(
        self, texts: Sequence[str], on_progress: Callable[[int], None] | None = None
    ) -> Vectors:
        """As ``Embedder.encode_documents``."""
        return self._embedder.encode_documents(texts, on_progress)


def check_encoded(library: Library, spec: ModelSpec) -> None:
    """Hold the library to have a model's vectors of all its chunks.

    Raises:
        LibraryError: it lacks some; the message names the command that makes them.
    """
    waiting = chunks_without_vectors(library, spec)
    if waiting:
        raise LibraryError(
            f"{spec.name} has not encoded {waiting} chunks of the library at {library.home}; run "
            f"`python -m rag_app index --model {spec.name}`."
        )


def open_stored(
    library: Library,
    embedder: Embedder,
    dims: Sequence[int],
    chunk_ids: Collection[str],
    lexical: LexicalIndex,
) -> dict[int, Snapshot]:
    """Dimension → snapshot over the filings that ``chunk_ids`` are of.

    Raises:
        LibraryError: the model has not encoded them, or the library is damaged.
    """
    spec = embedder.spec
    wanted = set(chunk_ids)
    stored: dict[str, Part] = {}
    versions: dict[str, str] = {}
    for key, version in library.versions().items():
        if library.chunks(key, version).keys() & wanted:
            versions[key] = version
            stored[key] = load_vectors(library.vectors_path(key, version, spec.fingerprint))
    ids = [chunk_id for found, _ in stored.values() for chunk_id in found]
    snapshots: dict[int, Snapshot] = {}
    for dim in dims:
        start = spec.start_of(dim)
        cut = [truncate(rows, dim, start) for _, rows in stored.values()]
        snapshots[dim] = Snapshot(
            folder=library.root,
            passport=Passport.of(spec, dim, versions, ids),
            library=library,
            embedder=embedder,
            dense=StoredDense(ids, np.concatenate(cut)),
            lexical=lexical,
            lease=Lease(library.root),
        )
    return snapshots
