"""Question to hits: candidates of dense search and BM25, scored by both, fused, told apart.

A LlamaIndex ``BaseRetriever``, so that its query engines and postprocessors take it as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from rag_app.errors import LibraryError
from rag_app.filings.chunks import passage_text
from rag_app.filters import item_order
from rag_app.index.embedder import Vectors, truncate
from rag_app.index.fusion import DENSE_SHARE, Pool, Scores, best_first, fuse
from rag_app.index.opened import key_of
from rag_app.index.rerank import RERANKED, Reranker, open_reranker
from rag_app.index.snapshot import Snapshot
from rag_app.index.twins import Shown, collapse
from rag_app.records import Filters

if TYPE_CHECKING:
    from rag_app.settings import Settings

POOL = 100  # candidates of each side


class FilingsRetriever(BaseRetriever):
    """Retrieves from a snapshot; each stage may be left out.

    Each hit's ``score`` orders the list: the cosine, the fused score where BM25 takes part, or the
    reranker's. Its metadata holds ``cosine`` (of the full-width vectors, or at the served
    dimension without ``rescore``), its ``lead`` over the median of all candidates, ``rank`` from
    1, and ``also_in``: the passages in other filings that it stands for, as ``chunk_id``,
    ``filing``, ``accession``, ``form``, ``fiscal_year``.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        *,
        filters: Filters = Filters(),  # noqa: B008 - frozen
        k: int = 5,
        lexical: bool = True,
        dense_share: float = DENSE_SHARE,
        rescore: bool = True,
        reranker: Reranker | None = None,
        collapse: bool = True,
    ) -> None:
        super().__init__()
        self.snapshot = snapshot
        self.filters = filters
        self.k = k
        self.lexical = lexical
        self.dense_share = dense_share
        self.rescore = rescore
        self.reranker = reranker
        self.collapse = collapse

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        """The k best hits, best first; the bundle may carry the question's full-width vector.

        Raises:
            LibraryError: the filters admit no filing, or none that is indexed; they are never
                widened silently.
            ModelError: the reranker does not load.
        """
        self._check_filters()
        question = query_bundle.query_str
        if query_bundle.embedding is None:  # kept in it, as LlamaIndex does, for the next one asked
            vector = self.snapshot.embedder.encode_queries([question])[0]
            query_bundle.embedding = vector.tolist()
        pool = self._candidates(question, np.array([query_bundle.embedding], dtype=np.float32))
        nodes = _Nodes(pool, self.snapshot.chunk)
        scores = fuse(pool, self.dense_share) if self.lexical else pool.cosines
        order = best_first(pool.ids, scores)
        if self.reranker:
            order = order[: max(RERANKED, self.k)]
            passages = [passage_text(nodes[row]) for row in order]
            scores = np.full(len(pool.ids), -np.inf)
            scores[order] = self.reranker.scores(question, passages)
            order = best_first(pool.ids, scores)[: len(order)]
        return self._hits(pool, nodes, self._distinct(pool, nodes, order), scores)

    def candidates(self, question: str) -> Pool:
        """What either side finds, with the scores of both.

        Raises:
            LibraryError: as ``retrieve``.
        """
        self._check_filters()
        return self._candidates(question, self.snapshot.embedder.encode_queries([question]))

    def _candidates(self, question: str, full: Vectors) -> Pool:
        """``full`` is the question's (1, width) vector."""
        snapshot, filters = self.snapshot, self.filters
        served, start = snapshot.passport.dim, snapshot.start
        found = set(snapshot.nearest(truncate(full, served, start)[0], POOL, filters))
        if self.lexical:
            words = snapshot.lexical.scores(question)
            among = snapshot.admitted_chunks(filters) if filters else None
            found |= {id_ for id_, _ in snapshot.lexical.best(words, POOL, among)}
        ids = tuple(sorted(found))
        vectors = snapshot.opened.gather(ids)
        spec = snapshot.embedder.spec
        dim = spec.dims[0] if self.rescore else served
        return Pool(
            ids=ids,
            vectors=vectors,
            cosines=_cosines(full, vectors, dim, spec.start_of(dim)),
            bm25=snapshot.lexical.scores_of(words, ids) if self.lexical else np.zeros(len(ids)),
        )

    def _check_filters(self) -> None:
        snapshot, filters = self.snapshot, self.filters
        if not filters or (
            snapshot.admitted_chunks(filters) if filters.item else snapshot.admitted(filters)
        ):
            return
        snapshot.library.check_filters(filters)
        if snapshot.admitted(filters):
            raise LibraryError(no_such_item(snapshot, filters))
        raise LibraryError(f"The index does not hold {filters} yet; run `python -m rag_app index`.")

    def _distinct(self, pool: Pool, nodes: _Nodes, order: list[int]) -> list[Shown]:
        if not self.collapse:
            return [Shown(row, ()) for row in order[: self.k]]
        return collapse(order, pool, lambda row: nodes[row].text, self.k)

    def _hits(
        self, pool: Pool, nodes: _Nodes, distinct: list[Shown], scores: Scores
    ) -> list[NodeWithScore]:
        leads = pool.cosines - np.median(pool.cosines)
        hits = []
        for rank, shown in enumerate(distinct, start=1):
            node = nodes[shown.row]
            node.metadata |= {
                "rank": rank,
                "cosine": round(float(pool.cosines[shown.row]), 4),
                "lead": round(float(leads[shown.row]), 4),
                "also_in": [self._place(pool.ids[row]) for row in shown.twins],
            }
            names = list(node.metadata)
            node.excluded_embed_metadata_keys = node.excluded_llm_metadata_keys = names
            hits.append(NodeWithScore(node=node, score=round(float(scores[shown.row]), 4)))
        return hits

    def _place(self, chunk_id: str) -> dict[str, Any]:
        key = key_of(chunk_id)
        filing = self.snapshot.opened.covers[key]
        return {
            "chunk_id": chunk_id,
            "filing": key,
            "accession": filing.accession,
            "form": filing.form,
            "fiscal_year": filing.fiscal_year,
        }


def no_such_item(snapshot: Snapshot, filters: Filters) -> str:
    """One sentence: that no passage has the Items of the filters, and which Items there are."""
    held = {
        item for key in snapshot.admitted(filters) for item in snapshot.opened.items(key).values()
    }
    named = ", ".join(sorted(filter(None, held), key=item_order))
    return f"No passage of {filters} is in the index; the Items there are {named}."


class _Nodes(dict[int, TextNode]):
    """The chunks of a pool by row, each read when it is asked for."""

    def __init__(self, pool: Pool, read: Callable[[str], TextNode]) -> None:
        super().__init__()
        self._pool, self._read = pool, read

    def __missing__(self, row: int) -> TextNode:
        node = self[row] = self._read(self._pool.ids[row])
        return node


def _cosines(query: Vectors, vectors: Vectors, dim: int, start: int) -> Scores:
    """In double precision: equal texts then have equal cosines, wherever their rows stand."""
    one = truncate(query, dim, start).astype(np.float64)[0]
    return np.asarray(truncate(vectors, dim, start).astype(np.float64) @ one)


def served_retriever(
    snapshot: Snapshot, settings: Settings, filters: Filters, k: int | None = None
) -> FilingsRetriever:
    """The retriever as the settings want it; ``k`` where another number of hits is asked for.

    Raises:
        ModelError: there is no such reranker.
    """
    return FilingsRetriever(
        snapshot,
        filters=filters,
        k=k or settings.k,
        lexical=settings.lexical,
        dense_share=settings.dense_share,
        rescore=settings.rescore,
        reranker=open_reranker(settings.reranker) if settings.reranker else None,
        collapse=settings.collapse,
    )
