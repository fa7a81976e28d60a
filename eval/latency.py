"""How long a query's search takes at each dimension: timed here, or read from a bench file."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eval.files import read_text
from rag_app.errors import DataError
from rag_app.index.embedder import truncate

REPEATS, DEPTH = 100, 10


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds a query by dimension, and how they were come by, in a sentence."""

    query_ms: dict[int, float]
    how: str


def time_search(dims: Sequence[int], passages: int, seed: int = 0) -> Latency:
    """Time an exact search of random unit vectors, one query at a time; encoding is not in it."""
    rng = np.random.default_rng(seed)
    full = rng.standard_normal((passages, max(dims)), dtype=np.float32)
    queries = rng.standard_normal((REPEATS, max(dims)), dtype=np.float32)
    taken: dict[int, list[float]] = {dim: [] for dim in dims}
    for dim in dims:
        corpus = truncate(full, dim)
        for query in truncate(queries, dim):
            started = time.perf_counter()
            cosines = corpus @ query
            nearest = np.argpartition(cosines, -min(DEPTH, passages))[-DEPTH:]
            nearest[np.argsort(-cosines[nearest])]
            taken[dim].append(time.perf_counter() - started)
    # The fastest is what the work costs; other work on the machine only ever adds to it.
    query_ms = {dim: 1000 * min(times) for dim, times in taken.items()}
    return Latency(
        query_ms,
        f"Latency was timed while this page was made: exact search of {passages} random vectors, "
        f"the fastest of {REPEATS} queries one by one, without encoding the question.",
    )


def read_latency(path: Path) -> Latency:
    """Read ``{"query_ms": {"384": 2.1, ...}, "how": "..."}``.

    Raises:
        DataError: the file is missing or has another form.
    """
    try:
        record = json.loads(read_text(path))
        query_ms = {int(dim): float(value) for dim, value in record["query_ms"].items()}
        return Latency(query_ms, f"Latency is {path.name}'s: {record['how']}")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DataError(
            f"{path} is no bench of query latency; it needs query_ms (dimension to milliseconds) "
            "and how (a sentence)."
        ) from None
