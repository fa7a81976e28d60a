"""BM25 over the same chunks (bm25s; English stemmer and stop words, k1 .9, b .4)."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag_app.errors import IndexMismatch
from rag_app.index.fusion import Scores, top_rows

K1, B = 0.9, 0.4  # Anserini's defaults, which DESIGN's reference figures used


def write_lexical(folder: Path, passages: Mapping[str, str]) -> None:
    """Index passages by chunk id under ``folder``."""
    import bm25s

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "chunk_ids.json").write_text(json.dumps(list(passages)), "utf-8")
    index = bm25s.BM25(k1=K1, b=B)
    index.index(_tokens(list(passages.values())), show_progress=False)
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
            self.chunk_ids: list[str] = json.loads((folder / "chunk_ids.json").read_text("utf-8"))
        except Exception as error:
            raise IndexMismatch(
                f"The BM25 index at {folder} cannot be read ({type(error).__name__}); run "
                "`python -m rag_app index --rebuild`."
            ) from error
        self._row_of = {chunk_id: row for row, chunk_id in enumerate(self.chunk_ids)}

    def scores(self, question: str) -> NDArray[np.float32]:
        """The BM25 score of every chunk, in the order of ``chunk_ids``; 0 shares no term."""
        terms = _tokens([question])
        if not any(terms):
            return np.zeros(len(self.chunk_ids), dtype=np.float32)
        return np.asarray(self._index.get_scores(terms[0]), dtype=np.float32)

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
            known = [self._row_of[id_] for id_ in among if id_ in self._row_of]
            rows = np.array(known, dtype=np.intp)
            rows = rows[top_rows(scores[rows], n)]
        rows = rows[scores[rows] > 0]
        found = [(self.chunk_ids[row], float(scores[row])) for row in rows]
        return sorted(found, key=lambda hit: (-hit[1], hit[0]))[:n]

    def scores_of(self, scores: NDArray[np.float32], chunk_ids: Sequence[str]) -> Scores:
        """What ``scores`` say of some chunks, in their order; 0 for one that is not indexed."""
        rows = [self._row_of.get(chunk_id) for chunk_id in chunk_ids]
        return np.array([0.0 if row is None else scores[row] for row in rows], dtype=np.float64)


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
