"""Retrieval scored at every dimension: encode once, slice, rank, measure."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from eval.evalset import EvalSet, Run, first_hits
from eval.metrics import METRICS, means, per_query
from eval.report import Report, Scores
from eval.systems import FILTER, system_name
from rag_app.errors import DataError
from rag_app.index.embedder import Vectors, truncate
from rag_app.index.models import ModelSpec

SCORE_STEPS = 1_000_000
"""Cosines are compared in steps of 1e-6: below that, float32 noise would order equal texts."""
BLOCK_CELLS = 8_000_000
"""Query-passage pairs ranked at once; 8 bytes each, a few copies: about 200 MB."""

DEEPEST = max(int(name.rpartition("@")[2]) for name in METRICS)

Metrics = dict[str, dict[str, float]]
"""Metric → query id → value."""


class Encoder(Protocol):
    """What turns texts into vectors: an ``Embedder``, or one with a cache before it."""

    spec: ModelSpec

    def encode_queries(self, queries: Sequence[str]) -> Vectors: ...

    def encode_documents(
        self, texts: Sequence[str], on_progress: Callable[[int], None] | None = None
    ) -> Vectors: ...


def evaluate(
    embedder: Encoder,
    evalset: EvalSet,
    dims: Sequence[int],
    *,
    k: int = 100,
    on_progress: Callable[[int], None] | None = None,
) -> Report:
    """Encode queries and corpus once at full width and score every dimension.

    ``k`` passages are ranked a query; ``on_progress`` is called with the number of passages
    encoded since its last call.

    Raises:
        ModelError: the model lacks one of ``dims`` (said before anything is encoded).
        DataError: ``dims`` is empty.
    """
    if not dims:
        raise DataError("No dimension was given; name at least one.")
    checked = [embedder.spec.check_dim(dim) for dim in dict.fromkeys(dims)]
    query_ids, corpus_ids = list(evalset.queries), list(evalset.corpus)
    started = time.perf_counter()
    query_vectors = embedder.encode_queries([evalset.queries[id_] for id_ in query_ids])
    queries_done = time.perf_counter()
    corpus_vectors = embedder.encode_documents(
        [evalset.corpus[id_] for id_ in corpus_ids], on_progress
    )
    corpus_done = time.perf_counter()
    runs: dict[str, Run] = {}
    scores = score(
        query_vectors,
        corpus_vectors,
        query_ids,
        corpus_ids,
        evalset,
        checked,
        k=k,
        start_of=embedder.spec.start_of,
        on_run=runs.__setitem__,
    )
    scored = time.perf_counter()
    return Report(
        model=embedder.spec.name,
        fingerprint=embedder.spec.fingerprint,
        protocol=evalset.name,
        evalset_sha256=evalset.sha256,
        queries=len(query_ids),
        corpus=len(corpus_ids),
        goldless=evalset.goldless,
        fold=evalset.fold,
        whole_sha256=evalset.whole_sha256,
        gold={id_: tuple(sorted(right)) for id_, right in evalset.qrels.items()},
        runs=runs,
        metrics={system: means(values) for system, values in scores.items()},
        per_query=scores,
        groups=dict(evalset.groups),
        timings_s={
            "encode_queries": round(queries_done - started, 3),
            "encode_corpus": round(corpus_done - queries_done, 3),
            "score": round(scored - corpus_done, 3),
        },
    )


def score(
    query_vectors: Vectors,
    corpus_vectors: Vectors,
    query_ids: Sequence[str],
    corpus_ids: Sequence[str],
    evalset: EvalSet,
    dims: Sequence[int],
    *,
    k: int = 100,
    kind: str = "",
    start_of: Callable[[int], int] = lambda dim: 0,
    on_run: Callable[[str, Run], None] = lambda system, run: None,
) -> Scores:
    """Score vectors that are there: system → metric → query id → value (see ``eval/systems.py``).

    Row i of ``query_vectors`` (n, width) belongs to ``query_ids[i]``, likewise the corpus. ``kind``
    names a baseline whose vectors they are; ``start_of`` is the model's. Where the set has a
    company filter, each dimension is scored with it too. ``on_run`` is given each system's name
    and ranking.

    Raises:
        DataError: ids and rows differ in number, the ids are not the evaluation set's, or ``k``
            is too small for the metrics.
        ValueError: the vectors are narrower than a dimension.
    """
    _check_rows("query", query_vectors, query_ids, evalset.queries)
    _check_rows("passage", corpus_vectors, corpus_ids, evalset.corpus)
    if k < DEEPEST:
        raise DataError(f"The metrics look at {DEEPEST} passages a query, and k is {k}; raise it.")
    scores: Scores = {}
    for dim in dims:
        start = start_of(dim)
        queries = truncate(query_vectors, dim, start)
        corpus = truncate(corpus_vectors, dim, start)
        name = system_name(kind, dim)
        runs = {name: rank(queries, corpus, query_ids, corpus_ids, k)}
        if evalset.admitted:
            runs[name + FILTER] = rank_admitted(queries, corpus, query_ids, corpus_ids, evalset, k)
        for system, run in runs.items():
            scores[system] = judge(run, evalset)
            on_run(system, run)
    return scores


def judge(run: Run, evalset: EvalSet) -> Metrics:
    """The metrics of a run on the set that it was made for."""
    if evalset.one_gold:
        return per_query(*first_hits(run, evalset.qrels))
    return per_query(run, evalset.qrels)


def rank_admitted(
    query_vectors: Vectors,
    corpus_vectors: Vectors,
    query_ids: Sequence[str],
    corpus_ids: Sequence[str],
    evalset: EvalSet,
    k: int,
) -> dict[str, dict[str, float]]:
    """As ``rank``, each query among the passages that a filter on its company admits."""
    row_of = {corpus_id: row for row, corpus_id in enumerate(corpus_ids)}
    run: dict[str, dict[str, float]] = {}
    for company, rows in _rows_by_company(query_ids, evalset.groups):
        kept = [row_of[corpus_id] for corpus_id in evalset.admitted.get(company, ())]
        if kept:
            run |= rank(
                query_vectors[rows],
                corpus_vectors[kept],
                [query_ids[row] for row in rows],
                [corpus_ids[row] for row in kept],
                k,
            )
    return run


def _rows_by_company(
    query_ids: Sequence[str], groups: Mapping[str, str]
) -> Iterator[tuple[str, list[int]]]:
    rows: dict[str, list[int]] = defaultdict(list)
    for row, query_id in enumerate(query_ids):
        rows[groups[query_id]].append(row)
    yield from rows.items()


def rank(
    query_vectors: Vectors,
    corpus_vectors: Vectors,
    query_ids: Sequence[str],
    corpus_ids: Sequence[str],
    k: int,
) -> dict[str, dict[str, float]]:
    """The ``k`` nearest passages of each query by cosine: query id → passage id → score.

    Unit rows are expected. Exact search in blocks; scores are rounded to 1e-6 and equal ones rank
    by passage id, ascending, the cut at ``k`` included.
    """
    order = sorted(range(len(corpus_ids)), key=corpus_ids.__getitem__)
    ids = [corpus_ids[row] for row in order]
    corpus = corpus_vectors[order].T
    count, kept = len(ids), min(k, len(ids))
    last_first = np.arange(count - 1, -1, -1, dtype=np.int64)
    run: dict[str, dict[str, float]] = {}
    step = max(1, BLOCK_CELLS // count)
    for start in range(0, len(query_ids), step):
        cosines = query_vectors[start : start + step] @ corpus
        # One whole number holds the rounded score and, below it, the place in id order: all keys
        # differ, so a partition has one possible outcome.
        keys = np.rint(cosines * SCORE_STEPS).astype(np.int64) * count + last_first
        top = -np.sort(-np.partition(keys, count - kept, axis=1)[:, count - kept :], axis=1)
        for query_id, row in zip(query_ids[start : start + step], top, strict=True):
            run[query_id] = _decode(row, ids)
    return run


def _decode(keys: NDArray[np.int64], ids: Sequence[str]) -> dict[str, float]:
    scores, places = np.divmod(keys, len(ids))
    return {
        ids[len(ids) - 1 - place]: value / SCORE_STEPS
        for place, value in zip(places.tolist(), scores.tolist(), strict=True)
    }


def _check_rows(what: str, vectors: Vectors, ids: Sequence[str], texts: Mapping[str, str]) -> None:
    if len(vectors) != len(ids) or len(ids) != len(texts) or set(ids) != texts.keys():
        raise DataError(
            f"There are {len(vectors)} {what} vectors for {len(ids)} ids and {len(texts)} texts; "
            "encode the evaluation set that is scored."
        )
