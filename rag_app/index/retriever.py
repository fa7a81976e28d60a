"""Question to hits: dense candidates, BM25 candidates, fused by reciprocal rank.

A LlamaIndex ``BaseRetriever``, so that its query engines and postprocessors take it as it is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from rag_app.errors import LibraryError
from rag_app.index.embedder import Vectors, truncate
from rag_app.index.snapshot import Snapshot
from rag_app.records import Filters

POOL = 100  # candidates of each side before fusion
RRF_K = 60  # Cormack, Clarke, Buettcher 2009, "Reciprocal Rank Fusion"


class FilingsRetriever(BaseRetriever):
    """Retrieves from a snapshot.

    Each hit's ``score`` orders the list: the cosine, or the fused score when BM25 takes part.
    ``metadata["cosine"]`` holds the cosine at the served dimension in either case, and
    ``metadata["rank"]`` the rank from 1.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        *,
        filters: Filters = Filters(),  # noqa: B008 - frozen
        k: int = 5,
        lexical: bool = True,
    ) -> None:
        super().__init__()
        self.snapshot = snapshot
        self.filters = filters
        self.k = k
        self.lexical = lexical

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        """The k best hits, best first.

        Raises:
            LibraryError: the filters admit no filing, or none that is indexed; they are never
                widened silently.
        """
        question = query_bundle.query_str
        full_width = self.snapshot.embedder.encode_queries([question])
        query = truncate(full_width, self.snapshot.passport.dim, self.snapshot.start)[0]
        dense, among = self._dense(query)
        ranked = dense
        if self.lexical:
            ranked = fuse([dense, self.snapshot.lexical.query(question, POOL, among)])
        best = ranked[: self.k]
        cosines = dict(dense)
        return [
            self._hit(chunk_id, score, rank, cosines.get(chunk_id), query)
            for rank, (chunk_id, score) in enumerate(best, start=1)
        ]

    def _dense(self, query: Vectors) -> tuple[list[tuple[str, float]], set[str] | None]:
        """Candidates with their cosines, and the chunk ids that the filters admit (None: all)."""
        if not self.filters:
            pool = min(POOL, self.snapshot.passport.chunk_count)
            return self.snapshot.dense.query(query, pool), None
        keys = self.snapshot.admitted(self.filters)
        if not keys:
            self.snapshot.library.check_filters(self.filters)
            raise LibraryError(
                f"The index does not hold {self.filters} yet; run `python -m rag_app index`."
            )
        ids, vectors = self.snapshot.vectors_of(keys)
        cosines = vectors @ query
        best = np.argsort(-cosines, kind="stable")[:POOL]
        return [(ids[row], float(cosines[row])) for row in best], set(ids)

    def _hit(
        self, chunk_id: str, score: float, rank: int, cosine: float | None, query: Vectors
    ) -> NodeWithScore:
        chunk = self.snapshot.chunk(chunk_id)
        if cosine is None:  # BM25 alone brought it in
            ids, vectors = self.snapshot.vectors_of([chunk.metadata["filing"]])
            cosine = float(vectors[ids.index(chunk_id)] @ query)
        metadata = {**chunk.metadata, "rank": rank, "cosine": round(cosine, 4)}
        hidden = list(metadata)
        node = TextNode(
            id_=chunk_id,
            text=chunk.text,
            metadata=metadata,
            excluded_embed_metadata_keys=hidden,
            excluded_llm_metadata_keys=hidden,
        )
        return NodeWithScore(node=node, score=round(score, 4))


def fuse(rankings: Sequence[list[tuple[str, float]]]) -> list[tuple[str, float]]:
    """Reciprocal rank fusion: each list adds 1 / (60 + rank) to an id's score.

    An id that only one list brings in takes part with that list's share.
    """
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, (chunk_id, _) in enumerate(ranking, start=1):
            scores[chunk_id] = scores.get(chunk_id, 0.0) + 1.0 / (RRF_K + rank)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))
