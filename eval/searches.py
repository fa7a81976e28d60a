"""The ways to rank passages on the way to an answer, each asked of the retriever that chat asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from llama_index.core.schema import NodeWithScore

from eval.evalset import EvalSet
from eval.retrieval import DEEPEST, Metrics, judge
from eval.systems import FILTER
from rag_app.index.fusion import DENSE_SHARE
from rag_app.index.rerank import Reranker
from rag_app.index.retriever import FilingsRetriever
from rag_app.index.snapshot import Snapshot
from rag_app.records import Filters

Found = list[tuple[str, ...]]
"""Hits, best first: of each its chunk's id, then those of the twins that it stands for."""
Search = Callable[[Snapshot, Filters, str], Found]
"""A snapshot, filters and a question → what is found."""
Scored = dict[tuple[str, str], Metrics]
"""Stage and system → metric → question → value."""
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Stage:
    """A way to rank passages; where not ``by_model``, neither model nor dimension takes part."""

    search: Search
    by_model: bool = True


def retrieved(**stages: Any) -> Search:
    """Ask the retriever that chat asks, with these of its stages set otherwise."""

    def search(snapshot: Snapshot, filters: Filters, question: str) -> Found:
        retriever = FilingsRetriever(snapshot, filters=filters, k=DEEPEST, **stages)
        return [ids_of(hit) for hit in retriever.retrieve(question)]

    return search


def ids_of(hit: NodeWithScore) -> tuple[str, ...]:
    """The id of a hit's chunk, then those of its twins: whoever reads it has read these too."""
    return (hit.node_id, *(twin["chunk_id"] for twin in hit.node.metadata["also_in"]))


def words_alone(snapshot: Snapshot, filters: Filters, question: str) -> Found:
    """Ask BM25, the half of the retriever that no model has a part in."""
    among = snapshot.admitted_chunks(filters) if filters else None
    return [(chunk_id,) for chunk_id, _ in snapshot.lexical.query(question, DEEPEST, among)]


def stages_at(dense_share: float, reranker: Reranker | None = None) -> dict[str, Stage]:
    """The ways to rank, in the order in which they lead to the answer."""
    served: dict[str, Any] = {"dense_share": dense_share}
    stages = {
        "dense": Stage(retrieved(lexical=False, rescore=False, collapse=False)),
        "rescored": Stage(retrieved(lexical=False, collapse=False)),
        "bm25": Stage(words_alone, by_model=False),
        "fused": Stage(retrieved(**served, collapse=False)),
    }
    if reranker:
        served["reranker"] = reranker
        stages["reranked"] = Stage(retrieved(**served, collapse=False))
    return {**stages, "distinct": Stage(retrieved(**served))}


STAGES = stages_at(DENSE_SHARE)
"""As they are served where no setting says otherwise."""


def rank_stages(
    snapshots: Mapping[int, Snapshot],
    evalset: EvalSet,
    stages: Mapping[str, Stage],
    on_asked: Progress,
) -> Scored:
    """Ask every question of every stage at each dimension, within its company too where there is
    a filter; ``on_asked`` is called with the number of questions asked since its last call.
    """
    scored: Scored = {}
    for name, stage in stages.items():
        for dim in list(snapshots) if stage.by_model else list(snapshots)[:1]:
            for narrow in narrowings(evalset):
                run = {}
                for query_id, question in evalset.queries.items():
                    filters = filters_of(evalset, query_id, narrow)
                    found = _search(stage.search, snapshots[dim], filters, question)
                    run[query_id] = ranked(found, evalset.qrels.get(query_id, {}))
                    on_asked(1)
                system = f"{dim if stage.by_model else name}{narrow}"
                scored[name, system] = judge(run, evalset)
    return scored


def ranked(found: Found, right: Mapping[str, int]) -> dict[str, float]:
    """Chunk id → score by its place; a hit counts as the right chunk when a twin of it is."""
    return {
        next((id_ for id_ in ids if id_ in right), ids[0]): -float(rank)
        for rank, ids in enumerate(found)
    }


def narrowings(evalset: EvalSet) -> tuple[str, ...]:
    """What stands behind a system's name: nothing, and the filter where the set has one."""
    return ("", FILTER) if evalset.admitted else ("",)


def filters_of(evalset: EvalSet, query_id: str, narrow: str) -> Filters:
    """The filter with which a question is asked."""
    return Filters(ticker=evalset.groups[query_id]) if narrow else Filters()


def _search(search: Search, snapshot: Snapshot, filters: Filters, question: str) -> Found:
    """No hits where the filter admits no filing."""
    if filters and not snapshot.admitted(filters):
        return []
    return search(snapshot, filters, question)
