"""The ways to rank passages on the way to an answer, each asked of the retriever that chat asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from eval.evalset import EvalSet
from eval.retrieval import DEEPEST, Metrics, judge
from eval.systems import FILTER
from rag_app.index.retriever import FilingsRetriever
from rag_app.index.snapshot import Snapshot
from rag_app.records import Filters

Search = Callable[[Snapshot, Filters, str], list[str]]
"""A snapshot, filters and a question → chunk ids, best first."""
Scored = dict[tuple[str, str], Metrics]
"""Stage and system → metric → question → value."""
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Stage:
    """A way to rank passages; where not ``by_model``, neither model nor dimension takes part."""

    search: Search
    by_model: bool = True


def retrieved(*, lexical: bool) -> Search:
    """Ask the retriever that chat asks."""

    def search(snapshot: Snapshot, filters: Filters, question: str) -> list[str]:
        retriever = FilingsRetriever(snapshot, filters=filters, k=DEEPEST, lexical=lexical)
        return [hit.node_id for hit in retriever.retrieve(question)]

    return search


def words_alone(snapshot: Snapshot, filters: Filters, question: str) -> list[str]:
    """Ask BM25, the half of the retriever that no model has a part in."""
    among = set(snapshot.vectors_of(snapshot.admitted(filters))[0]) if filters else None
    return [chunk_id for chunk_id, _ in snapshot.lexical.query(question, DEEPEST, among)]


STAGES = {
    "dense": Stage(retrieved(lexical=False)),
    "bm25": Stage(words_alone, by_model=False),
    "fused": Stage(retrieved(lexical=True)),
}
"""The ways to rank, in the order in which they lead to the answer."""


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
                    run[query_id] = {id_: -float(rank) for rank, id_ in enumerate(found)}
                    on_asked(1)
                system = f"{dim if stage.by_model else name}{narrow}"
                scored[name, system] = judge(run, evalset)
    return scored


def narrowings(evalset: EvalSet) -> tuple[str, ...]:
    """What stands behind a system's name: nothing, and the filter where the set has one."""
    return ("", FILTER) if evalset.admitted else ("",)


def filters_of(evalset: EvalSet, query_id: str, narrow: str) -> Filters:
    """The filter with which a question is asked."""
    return Filters(ticker=evalset.groups[query_id]) if narrow else Filters()


def _search(search: Search, snapshot: Snapshot, filters: Filters, question: str) -> list[str]:
    """No hits where the filter admits no filing."""
    if filters and not snapshot.admitted(filters):
        return []
    return search(snapshot, filters, question)
