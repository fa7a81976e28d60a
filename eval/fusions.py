"""How dense search and BM25 are best fused: chosen on some companies, measured on the others.

Every candidate is found and scored once by the retriever that chat asks; only the fusion changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from eval.evalset import EvalSet
from eval.metrics import means
from eval.retrieval import DEEPEST, judge
from eval.searches import Progress, filters_of, narrowings, rank_stages, stages_at
from eval.statistics import Difference, paired_difference
from rag_app.errors import DataError
from rag_app.index.fusion import Pool, Scores, best_first, fuse
from rag_app.index.retriever import FilingsRetriever
from rag_app.index.snapshot import Snapshot

RRF_K = 60
"""Cormack, Clarke and Büttcher 2009, "Reciprocal Rank Fusion"."""
SHARES = tuple(step / 10 for step in range(11))
CHOSEN_BY = "ndcg@10"


def fuse_ranges(pool: Pool, dense_share: float) -> Scores:
    """Both scores between their least possible value (-1 and 0) and the best of the pool.

    Source: Bruch, Gai and Ingber 2023, "An Analysis of Fusion Functions for Hybrid Retrieval".
    """
    best = float(pool.bm25.max(initial=0.0)) or 1.0
    dense = (pool.cosines + 1) / (float(pool.cosines.max(initial=-1.0)) + 1 or 1.0)
    return dense_share * dense + (1 - dense_share) * pool.bm25 / best


def fuse_ranks(pool: Pool, dense_share: float) -> Scores:
    """Weighted reciprocal ranks among all candidates of the pool."""
    weighed = ((dense_share, pool.cosines), (1 - dense_share, pool.bm25))
    fused = np.zeros(len(pool.ids))
    for share, scores in weighed:
        order = best_first(pool.ids, scores)
        fused[order] += share / (RRF_K + 1 + np.arange(len(order)))
    return fused


FUSIONS: dict[str, Callable[[Pool, float], Scores]] = {
    "sum": fuse,
    "ranges": fuse_ranges,
    "ranks": fuse_ranks,
}
"""What is tried; ``sum`` is what is served."""
SERVED = "sum"


@dataclass(frozen=True, slots=True)
class Rung:
    """A fusion at a share, and each system's mean by ``CHOSEN_BY`` where it is chosen."""

    fusion: str
    share: float
    values: dict[str, float]

    @property
    def mean(self) -> float:
        """Over the systems: one share serves every dimension, with a filter and without."""
        return float(np.mean(list(self.values.values())))


@dataclass(frozen=True, slots=True)
class Measured:
    """A stage on the companies held out: its means, and ``CHOSEN_BY`` against BM25's."""

    stage: str
    system: str
    metrics: dict[str, float]
    against_bm25: Difference


@dataclass(frozen=True, slots=True)
class Chosen:
    """The ladder, its best rung of the served fusion, and the stages at that share."""

    model: str
    companies: tuple[str, ...]
    held: tuple[str, ...]
    rungs: tuple[Rung, ...]
    share: float
    stages: tuple[Measured, ...]


def choose(
    snapshots: Mapping[int, Snapshot],
    evalset: EvalSet,
    held: Sequence[str],
    on_asked: Progress = lambda count: None,
) -> Chosen:
    """Climb the ladder on the companies that are not ``held``, then measure the winner on those.

    ``snapshots`` are by dimension; ``on_asked`` is called with questions asked since its last call.

    Raises:
        DataError: a held company has no question, or no other has.
        LibraryError: the library is damaged.
    """
    companies = set(evalset.groups.values())
    if not held or not set(held) < companies:
        raise DataError(
            f"--held {','.join(held)} must be some of {', '.join(sorted(companies))}, not all: the "
            "fusion is chosen on the rest."
        )
    dev, test = (
        evalset.only([id_ for id_, who in evalset.groups.items() if (who in held) == wanted])
        for wanted in (False, True)
    )
    rungs = climb(find_pools(snapshots, dev, on_asked), dev)
    share = max((rung for rung in rungs if rung.fusion == SERVED), key=lambda rung: rung.mean).share
    return Chosen(
        model=next(iter(snapshots.values())).passport.model,
        companies=tuple(sorted(companies - set(held))),
        held=tuple(held),
        rungs=rungs,
        share=share,
        stages=tuple(_measured(snapshots, test, share, on_asked)),
    )


def turns(evalset: EvalSet, dims: Sequence[int], held: Sequence[str]) -> int:
    """How many questions ``choose`` asks, each counted for every system and stage."""
    stages = stages_at(0.5).values()
    ranked = sum(len(dims) if stage.by_model else 1 for stage in stages)
    test = sum(who in held for who in evalset.groups.values())
    dev = len(evalset.queries) - test
    return len(narrowings(evalset)) * (dev * len(dims) + test * ranked)


def find_pools(
    snapshots: Mapping[int, Snapshot], evalset: EvalSet, on_asked: Progress
) -> dict[str, dict[str, Pool]]:
    """System → question → its candidates; a filter that admits no filing leaves a question none."""
    pools: dict[str, dict[str, Pool]] = {}
    for dim, snapshot in snapshots.items():
        for narrow in narrowings(evalset):
            found = pools[f"{dim}{narrow}"] = {}
            for query_id, question in evalset.queries.items():
                filters = filters_of(evalset, query_id, narrow)
                if not filters or snapshot.admitted(filters):
                    retriever = FilingsRetriever(snapshot, filters=filters)
                    found[query_id] = retriever.candidates(question)
                on_asked(1)
    return pools


def climb(pools: Mapping[str, Mapping[str, Pool]], evalset: EvalSet) -> tuple[Rung, ...]:
    """Every fusion at every share."""
    return tuple(
        Rung(
            name,
            share,
            {system: _value(found, evalset, name, share) for system, found in pools.items()},
        )
        for name in FUSIONS
        for share in SHARES
    )


def _value(found: Mapping[str, Pool], evalset: EvalSet, fusion: str, share: float) -> float:
    run = {}
    for query_id, pool in found.items():
        order = best_first(pool.ids, FUSIONS[fusion](pool, share))[:DEEPEST]
        run[query_id] = {pool.ids[row]: -float(rank) for rank, row in enumerate(order)}
    return means(judge(run, evalset))[CHOSEN_BY]


def _measured(
    snapshots: Mapping[int, Snapshot], evalset: EvalSet, share: float, on_asked: Progress
) -> list[Measured]:
    scored = rank_stages(snapshots, evalset, stages_at(share), on_asked)
    lexical = {system: metrics for (name, system), metrics in scored.items() if name == "bm25"}
    rows = []
    for (name, system), metrics in scored.items():
        narrow = next(narrow for narrow in narrowings(evalset)[::-1] if system.endswith(narrow))
        base = lexical[f"bm25{narrow}"][CHOSEN_BY]
        difference = paired_difference(base, metrics[CHOSEN_BY], evalset.groups)
        rows.append(Measured(name, system, means(metrics), difference))
    return rows
