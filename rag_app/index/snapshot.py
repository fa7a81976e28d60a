"""A sealed index opened for reading, with the very library versions that it was built from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag_app.index.build import CHROMA, LEXICAL
from rag_app.index.chroma import DenseIndex
from rag_app.index.embedder import Embedder, Vectors, truncate
from rag_app.index.lexical import LexicalIndex
from rag_app.index.passport import Passport
from rag_app.index.vectors import load_vectors
from rag_app.library import Library
from rag_app.records import Filters

if TYPE_CHECKING:
    from llama_index.core.schema import TextNode


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Dense and lexical index, passport, and the chunks behind them: one state of the library."""

    folder: Path
    passport: Passport
    library: Library
    embedder: Embedder
    dense: DenseIndex
    lexical: LexicalIndex

    @classmethod
    def open(cls, folder: Path, library: Library, embedder: Embedder, dim: int) -> Snapshot:
        """Open a sealed index.

        Raises:
            IndexMismatch: the passport does not fit the model or dimension, or files are damaged.
        """
        passport = Passport.load(folder)
        passport.check(embedder.spec, dim)
        return cls(
            folder=folder,
            passport=passport,
            library=library,
            embedder=embedder,
            dense=DenseIndex(folder / CHROMA),
            lexical=LexicalIndex(folder / LEXICAL),
        )

    @property
    def start(self) -> int:
        """The coordinate of the full-width vectors at which the served dimension begins."""
        return self.embedder.spec.start_of(self.passport.dim)

    def chunk(self, chunk_id: str) -> TextNode:
        """The chunk of an id, out of the version that was indexed."""
        key = chunk_id.split(":", 1)[0]
        return self.library.chunks(key, self.passport.filings[key])[chunk_id]

    def admitted(self, filters: Filters) -> list[str]:
        """Keys of the indexed filings that pass the filters."""
        stored = self.library.filings()
        return [
            key
            for key in self.passport.filings
            if key in stored and filters.admits(stored[key].filing)
        ]

    def vectors_of(self, keys: list[str]) -> tuple[list[str], Vectors]:
        """Chunk ids and (n, dim) unit vectors of some filings, for an exact scan.

        Chroma's metadata filter costs some 400 times an exact scan of the same rows (DESIGN).
        """
        ids: list[str] = []
        parts: list[Vectors] = []
        for key in keys:
            path = self.library.vectors_path(
                key, self.passport.filings[key], self.passport.fingerprint
            )
            found, vectors = load_vectors(path)
            ids += found
            parts.append(truncate(vectors, self.passport.dim, self.start))
        return ids, np.concatenate(parts)
