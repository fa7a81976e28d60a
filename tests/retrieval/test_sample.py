"""Retrieval regression: the default model on the sample, per dimension, against stored figures.

The stored report is rewritten, when a change is meant, by::

    RAG_HOME=$(mktemp -d) sh -c 'python -m rag_app ingest data/sample/filings &&
      python -m eval run --protocol questions --data data/sample/questions.jsonl
        --out tests/retrieval/minilm.json'
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from eval.evalset import EvalSet
from eval.protocols import build_evalset
from eval.report import Report, load_report
from eval.retrieval import score
from rag_app.index.build import index_root
from rag_app.index.embedder import Embedder
from rag_app.index.snapshot import Snapshot
from rag_app.library import Library
from rag_app.sealed import current

HERE = Path(__file__).parent
QUESTIONS = HERE.parent.parent / "data/sample/questions.jsonl"
TOLERANCE = 0.02
METRICS = ("ndcg@10", "recall@10")


@pytest.fixture(scope="module")
def stored() -> Report:
    return load_report(HERE / "minilm.json")


@dataclass(frozen=True)
class Vectors:
    """What the sample library serves, so that nothing is encoded twice."""

    evalset: EvalSet
    queries: NDArray[np.float32]
    chunk_ids: list[str]
    chunks: NDArray[np.float32]

    def mean(self, metric: str, dim: int) -> float:
        """A metric's mean over the questions, with vectors cut to a dimension."""
        scores = score(
            self.queries,
            self.chunks,
            list(self.evalset.queries),
            self.chunk_ids,
            self.evalset,
            [dim],
        )
        values = scores[str(dim)][metric].values()
        return sum(values) / len(values)


@pytest.fixture(scope="module")
def served(sample_home: Path, minilm: Embedder) -> Vectors:
    folder = current(index_root(sample_home, minilm.spec, 384))
    assert folder is not None
    snapshot = Snapshot.open(folder, Library(sample_home), minilm, 384)
    evalset = build_evalset("questions", str(QUESTIONS), sample_home)
    chunk_ids, chunks = snapshot.vectors_of(list(snapshot.passport.filings))
    queries = minilm.encode_queries(list(evalset.queries.values()))
    return Vectors(evalset, queries, chunk_ids, chunks)


def test_every_dimension_was_stored(stored: Report, minilm: Embedder) -> None:
    assert [int(dim) for dim in stored.metrics] == list(minilm.spec.dims)
    assert stored.queries == 60


@pytest.mark.parametrize("dim", [384, 256, 128, 64])
@pytest.mark.parametrize("metric", METRICS)
def test_retrieval_is_no_worse_than_stored(
    dim: int, metric: str, stored: Report, served: Vectors
) -> None:
    expected, measured = stored.metrics[str(dim)][metric], served.mean(metric, dim)
    assert measured >= expected - TOLERANCE, f"{metric} at {dim}: {expected:.3f} to {measured:.3f}"


def test_a_worse_retriever_would_be_caught(served: Vectors, stored: Report) -> None:
    """Half the smallest dimension must fall below the stored figures, or they guard nothing."""
    assert served.mean("ndcg@10", 32) < stored.metrics["64"]["ndcg@10"] - TOLERANCE
