"""A sealed index opened for reading, with the very library versions that it was built from."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rag_app.index.build import CHROMA, LEXICAL
from rag_app.index.chroma import DenseIndex
from rag_app.index.embedder import Embedder, Vectors, truncate
from rag_app.index.fusion import top_rows
from rag_app.index.lexical import LexicalIndex
from rag_app.index.opened import OpenedFilings, key_of
from rag_app.index.passport import Passport
from rag_app.library import Library
from rag_app.records import Filters
from rag_app.sealed import Lease

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
    lease: Lease
    opened: OpenedFilings = field(init=False)

    def __post_init__(self) -> None:
        versions, fingerprint = self.passport.filings, self.passport.fingerprint
        opened = OpenedFilings(self.library, versions, fingerprint)
        object.__setattr__(self, "opened", opened)  # frozen

    @classmethod
    def open(cls, folder: Path, library: Library, embedder: Embedder, dim: int) -> Snapshot:
        """Open a sealed index, and hold it: it is not removed while the snapshot lives.

        Raises:
            FileNotFoundError: it was replaced and removed meanwhile.
            IndexMismatch: the passport does not fit the model or dimension, or files are damaged.
        """
        lease = Lease(folder)
        passport = Passport.load(folder)
        passport.check(embedder.spec, dim)
        return cls(
            folder=folder,
            passport=passport,
            library=library,
            embedder=embedder,
            dense=library.dense.open(folder / CHROMA),
            lexical=LexicalIndex(folder / LEXICAL),
            lease=lease,
        )

    @property
    def start(self) -> int:
        """The coordinate of the full-width vectors at which the served dimension begins."""
        return self.embedder.spec.start_of(self.passport.dim)

    def chunk(self, chunk_id: str) -> TextNode:
        """The chunk of an id, out of the version that was indexed; made anew for the caller."""
        return self.opened.chunks(key_of(chunk_id)).node(chunk_id)

    def admitted(self, filters: Filters) -> tuple[str, ...]:
        """Keys of the indexed filings that pass the filters."""
        return self.opened.admitted(filters)

    def admitted_chunks(self, filters: Filters) -> list[str]:
        """Ids of the indexed chunks that pass the filters, the one on Items too."""
        return [id_ for key in self.admitted(filters) for id_ in self._admitted_of(key, filters)[0]]

    def nearest(self, vector: Vectors, n: int, filters: Filters) -> list[str]:
        """Ids of the n chunks nearest to a (dim,) unit vector, more where several equal the last.

        Without filters Chroma's approximate search finds them, with filters an exact scan of what
        they admit: Chroma's own filter costs some 400 times as much (DESIGN).
        """
        if not filters:
            found = self.dense.query(vector, min(n, self.passport.chunk_count))
            return [chunk_id for chunk_id, _ in found]
        ids: list[str] = []
        cosines: list[Vectors] = []
        for key in self.admitted(filters):
            of_key, rows = self._admitted_of(key, filters)
            norms = self.opened.norms(key, self.passport.dim, self.start)
            ids += of_key
            cosines.append(self._cut(self.opened.vectors(key).rows)[rows] @ vector / norms[rows])
        return [ids[row] for row in top_rows(np.concatenate(cosines), n)] if ids else []

    def vectors_of(self, keys: list[str]) -> tuple[list[str], Vectors]:
        """Chunk ids and (n, dim) unit vectors of some filings."""
        mapped = [self.opened.vectors(key) for key in keys]
        ids = [chunk_id for each in mapped for chunk_id in each.ids]
        rows = np.concatenate([each.rows for each in mapped])
        return ids, truncate(rows, self.passport.dim, self.start)

    def _cut(self, rows: Vectors) -> Vectors:
        """The served coordinates of full-width rows, not renormalised: a view, nothing is read."""
        return rows[:, self.start : self.start + self.passport.dim]

    def _admitted_of(
        self, key: str, filters: Filters
    ) -> tuple[list[str], NDArray[np.intp] | slice]:
        """The chunks of a filing that are in the Items asked for: their ids and rows."""
        ids = self.opened.vectors(key).ids
        if not filters.item:
            return ids, slice(None)
        item_of = self.opened.items(key)
        rows = [row for row, id_ in enumerate(ids) if filters.admits_item(item_of[id_])]
        return [ids[row] for row in rows], np.array(rows, dtype=np.intp)
