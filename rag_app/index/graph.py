"""The graph that Chroma sealed, searched as it lies on disk: its neighbours, without its queries.

A query of Chroma 1.5.9 costs nine tenths as much for 1 neighbour as for 100, and on a busy machine
it waits many times longer than it computes (``eval/NOTES.md``). The graph is hnswlib's, whose files
Chroma writes and whose package (``chroma-hnswlib``) reads them; a sealed collection has every row
in it. The same graph gives the same neighbours.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from rag_app.index.chroma_close import DATABASE
from rag_app.index.encoders import Vectors

_COLLECTION = "SELECT id, dimension FROM collections WHERE name = ?"
_SEGMENT = "SELECT id FROM segments WHERE collection = ? AND scope = 'VECTOR'"
_ROWS = "SELECT count(*), min(id), max(id), max(length(embedding_id)) FROM embeddings"
_IDS = "SELECT embedding_id FROM embeddings ORDER BY id"


class GraphError(Exception):
    """The graph cannot be read by itself; Chroma is to be asked."""


class SealedGraph:
    """The neighbours in the one collection of a sealed store. Safe to ask from several threads."""

    def __init__(self, folder: Path, collection: str, considered: int) -> None:
        """Read the graph of ``collection`` under ``folder`` into memory.

        ``considered`` is hnswlib's ``ef``: nodes kept in mind on the way to the nearest.

        Raises:
            GraphError: hnswlib is not installed, or these files are not as it knows them.
        """
        # Sealed, so no lock and no journal is looked for, and nothing is written.
        address = f"{(folder / DATABASE).resolve().as_uri()}?mode=ro&immutable=1"
        try:
            import hnswlib

            with closing(sqlite3.connect(address, uri=True)) as database:
                known, dim = database.execute(_COLLECTION, [collection]).fetchone()
                (segment,) = database.execute(_SEGMENT, [known]).fetchone()
                rows, first, last, longest = database.execute(_ROWS).fetchone()
                # Bytes of one width take half the memory of strings.
                ids = (id_.encode("ascii") for (id_,) in database.execute(_IDS))
                self._ids = np.fromiter(ids, dtype=f"S{longest}", count=rows)
            graph: Any = hnswlib.Index("ip", dim)
            graph.load_index(str(folder / segment), is_persistent_index=True, max_elements=rows)
            graph.close_file_handles()
            graph.set_ef(considered)
            held = graph.get_current_count()
        except (ImportError, OSError, RuntimeError, TypeError, ValueError, sqlite3.Error) as error:
            raise GraphError(f"{folder}: {error}") from error
        # Chroma counts its rows and the graph's labels alike from 1, in the order of writing.
        if (first, last, held) != (1, rows, rows):
            raise GraphError(f"{folder}: {held} of {rows} rows are in the graph")
        self._graph = graph

    def query(self, vector: Vectors, n: int) -> list[tuple[str, float]]:
        """The ids and cosines of the n rows nearest to a (dim,) vector, nearest first.

        Chroma stores rows at unit length and brings a query to it; so does this.
        """
        unit = vector / (np.linalg.norm(vector) or np.float32(1))
        labels, distances = self._graph.knn_query(
            unit[np.newaxis], k=min(n, len(self._ids)), num_threads=1
        )
        ids = self._ids[labels[0].astype(np.intp) - 1].astype(np.str_).tolist()
        return list(zip(ids, (1.0 - distances[0]).tolist(), strict=True))
