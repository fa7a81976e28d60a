"""BM25 over the same chunks (bm25s; English stemmer and stop words, k1 .9, b .4)."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag_app.errors import IndexMismatch
from rag_app.index.fusion import Scores, top_rows

K1, B = 0.9, 0.4  # Anserini's defaults, which DESIGN's reference figures used
CHUNK_IDS = "chunk_ids.npy"
"""Sorted, at one width, as BM25's rows are: looked up where they lie on disk."""


def write_lexical(folder: Path, passages: Mapping[str, str]) -> None:
    """Index passages by chunk id under ``folder``."""
    import bm25s

    folder.mkdir(parents=True, exist_ok=True)
    ids = sorted(passages)
    np.save(folder / CHUNK_IDS, _written(ids), allow_pickle=False)
    index = bm25s.BM25(k1=K1, b=B)
    index.index(_tokens([passages[id_] for id_ in ids]), show_progress=False)
    index.save(folder, show_progress=False)


@contextmanager
def lexical_of(passages: Mapping[str, str]) -> Iterator[LexicalIndex]:
    """A BM25 index of passages by chunk id, in a temporary folder until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        write_lexical(Path(folder), passages)
        yield LexicalIndex(Path(folder))


class LexicalIndex:
    """A sealed BM25 index, opened for reading."""

    def __init__(self, folder: Path) -> None:
        """Open what ``write_lexical`` wrote.

        Raises:
            IndexMismatch: the folder holds no readable BM25 index.
        """
        import bm25s

        try:
            self._index = bm25s.BM25.load(folder, mmap=True)
            self._ids = np.load(folder / CHUNK_IDS, mmap_mode="r", allow_pickle=False)
        except Exception as error:
            raise IndexMismatch(
                f"The BM25 index at {folder} cannot be read ({type(error).__name__}); run "
                "`python -m rag_app index --rebuild`."
            ) from error

    @property
    def chunk_ids(self) -> list[str]:
        """The indexed chunks, sorted; read anew at each call."""
        return _read(self._ids)

    def scores(self, question: str) -> NDArray[np.float32]:
        """The BM25 score of every chunk, in the order of ``chunk_ids``; 0 shares no term."""
        from scipy.sparse import csc_array  # bm25s has imported it

        columns = self._index.get_tokens_ids(_tokens([question])[0])
        if not columns:
            return np.zeros(len(self._ids), dtype=np.float32)
        # The sum of the terms' columns, as bm25s has it, in half the time that it takes.
        held = self._index.scores
        ends = held["indptr"][1:][columns]
        spans = list(map(slice, held["indptr"][columns], ends))
        data, rows = (
            np.concatenate([held[part][s] for s in spans]) for part in ("data", "indices")
        )
        starts = np.cumsum([0, *(span.stop - span.start for span in spans)])
        terms = csc_array((data, rows, starts), shape=(len(self._ids), len(columns)))
        return np.asarray(terms @ np.ones(len(columns), dtype=np.float32))

    def query(
        self, question: str, n: int, among: Collection[str] | None = None
    ) -> list[tuple[str, float]]:
        """The ids and BM25 scores of the n best chunks that share a term with the question.

        ``among`` restricts the search to these chunk ids. Equal scores go by id.
        """
        return self.best(self.scores(question), n, among)

    def best(
        self, scores: NDArray[np.float32], n: int, among: Collection[str] | None = None
    ) -> list[tuple[str, float]]:
        """As ``query``, of scores that are there."""
        if among is None:
            rows = top_rows(scores, n)
        else:
            rows = self._rows_of(among)
            rows = rows[rows >= 0]
            rows = rows[top_rows(scores[rows], n)]
        rows = rows[scores[rows] > 0]
        found = zip(_read(self._ids[rows]), scores[rows].tolist(), strict=True)
        return sorted(found, key=lambda hit: (-hit[1], hit[0]))[:n]

    def scores_of(self, scores: NDArray[np.float32], chunk_ids: Sequence[str]) -> Scores:
        """What ``scores`` say of some chunks, in their order; 0 for one that is not indexed."""
        rows = self._rows_of(chunk_ids)
        return np.where(rows >= 0, scores[rows], 0).astype(np.float64)

    def _rows_of(self, chunk_ids: Collection[str]) -> NDArray[np.intp]:
        """The row of each chunk, -1 for one that is not indexed."""
        asked = _written(chunk_ids)
        # At the width of those on disk, which a search would otherwise copy. What that cuts off
        # an id is seen when the ids that were found are compared with it.
        rows = np.searchsorted(self._ids, asked.astype(self._ids.dtype))
        rows[rows == len(self._ids)] = -1
        return np.where(self._ids[rows] == asked, rows, -1)


def _written(chunk_ids: Collection[str]) -> NDArray[np.bytes_]:
    return np.array([id_.encode() for id_ in chunk_ids], dtype=np.bytes_)


def _read(written: NDArray[np.bytes_]) -> list[str]:
    return [id_.decode() for id_ in written.tolist()]


def _tokens(texts: list[str]) -> list[list[str]]:
    import bm25s
    import Stemmer

    tokens: list[list[str]] = bm25s.tokenize(
        texts,
        stopwords="en",
        stemmer=Stemmer.Stemmer("english"),
        return_ids=False,
        show_progress=False,
    )
    return tokens
