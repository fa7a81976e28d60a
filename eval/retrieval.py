"""Retrieval scored at every dimension: encode once, slice, rank, measure."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from eval.evalset import EvalSet
from eval.metrics import means, per_query
from eval.report import Report, Scores
from rag_app.errors import DataError
from rag_app.index.embedder import Embedder, Vectors, truncate

SCORE_STEPS = 1_000_000
"""Cosines are compared in steps of 1e-6: below that, float32 noise would order equal texts."""
BLOCK_CELLS = 8_000_000
"""Query-passage pairs ranked at once; 8 bytes each, a few copies: about 200 MB."""


def evaluate(
    embedder: Embedder,
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
    scores = score(query_vectors, corpus_vectors, query_ids, corpus_ids, evalset, checked, k=k)
    scored = time.perf_counter()
    return Report(
        model=embedder.spec.name,
        fingerprint=embedder.spec.fingerprint,
        protocol=evalset.name,
        evalset_sha256=evalset.sha256,
        queries=len(query_ids),
        corpus=len(corpus_ids),
        metrics={dim: means(values) for dim, values in scores.items()},
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
) -> Scores:
    """Score vectors that are there: dimension → metric → query id → value.

    Row i of ``query_vectors`` (n, width) belongs to ``query_ids[i]``, likewise the corpus.

    Raises:
        DataError: ids and rows differ in number, the ids are not the evaluation set's, or ``k``
            is too small for the metrics.
        ValueError: the vectors are narrower than a dimension.
    """
    _check_rows("query", query_vectors, query_ids, evalset.queries)
    _check_rows("passage", corpus_vectors, corpus_ids, evalset.corpus)
    if k < 10:
        raise DataError(f"The metrics look at 10 passages a query, and k is {k}; raise it.")
    return {
        str(dim): per_query(
            rank(
                truncate(query_vectors, dim),
                truncate(corpus_vectors, dim),
                query_ids,
                corpus_ids,
                k,
            ),
            evalset.qrels,
        )
        for dim in dims
    }


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
