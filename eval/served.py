"""Held questions asked of what is served: the real retriever over the sealed index, as in chat."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eval.held import HeldQuestion
from eval.metrics import per_query
from eval.report import Scores
from eval.retrieval import DEEPEST
from rag_app.errors import LibraryError
from rag_app.index.embedder import Embedder
from rag_app.index.vector_sums import OFF_UNIT
from rag_app.library import Library

RETRIEVERS = {"dense": False, "fused": True}
"""What is asked → whether the stages behind dense search take part. Search at the served dimension
alone shows what they would make good, such as an index at another dimension."""


@dataclass(frozen=True, slots=True)
class Built:
    """What the index was built from; ``chunks_sha256`` is over the texts of the library's chunks.

    ``chunkers`` are the versions that cut them.
    """

    model: str
    fingerprint: str
    dim: int
    query_prompt: str
    document_prompt: str
    chunkers: tuple[str, ...]
    chunks: int
    chunks_sha256: str


@dataclass(frozen=True, slots=True)
class Measured:
    """What was served, and how well.

    ``corpus`` maps a filing's key → hash of its file; ``scores`` are by retriever, metric and
    question, rounded to 4 decimals as baselines are; ``hits`` are chunk ids by retriever and
    question, best first. ``faults`` are sentences on an index that is not what it should be.
    """

    built: Built
    corpus: dict[str, str]
    questions: tuple[HeldQuestion, ...]
    scores: Scores
    hits: dict[str, dict[str, list[str]]]
    faults: tuple[str, ...]


def measure(
    library: Library, embedder: Embedder, dim: int, questions: Sequence[HeldQuestion]
) -> Measured:
    """Ask each question, with its filters, of each of ``RETRIEVERS`` at the served dimension.

    A question whose filters admit no indexed filing has no hits: that is how an index that lags
    behind the library answers.

    Raises:
        LibraryError: the library is empty or damaged.
        IndexMismatch: the index cannot be opened.
    """
    from rag_app.index.retriever import FilingsRetriever
    from rag_app.index.serving import open_snapshot

    notes: list[str] = []
    snapshot = open_snapshot(library, embedder, dim, on_note=notes.append)
    hits: dict[str, dict[str, list[str]]] = {name: {} for name in RETRIEVERS}
    for name, every in RETRIEVERS.items():
        for question in questions:
            retriever = FilingsRetriever(
                snapshot,
                filters=question.filters,
                k=DEEPEST,
                lexical=every,
                rescore=every,
                collapse=every,
            )
            try:
                found = retriever.retrieve(question.text)
            except LibraryError:
                found = []
            hits[name][question.id] = [hit.node_id for hit in found]
    qrels = {question.id: dict.fromkeys(question.right, 1) for question in questions}
    stored = library.filings()
    passport = snapshot.passport
    behind = sorted(
        key for key, filing in stored.items() if passport.filings.get(key) != filing.version
    )
    faults = [*notes]
    if behind:
        faults.append(f"The index lacks the stored version of {', '.join(behind)}.")
    _, vectors = snapshot.vectors_of(list(passport.filings))
    off = float(np.abs(np.linalg.norm(vectors, axis=1) - 1).max())
    if off > OFF_UNIT:
        faults.append(f"Served vectors are not unit length (off by up to {off:.3f}).")
    snapshot.dense.close()
    passages = library.passages()
    return Measured(
        built=Built(
            model=passport.model,
            fingerprint=passport.fingerprint,
            dim=passport.dim,
            query_prompt=passport.query_prompt,
            document_prompt=passport.document_prompt,
            chunkers=tuple(sorted({filing.chunker for filing in stored.values()})),
            chunks=len(passages),
            chunks_sha256=hashlib.sha256(json.dumps(passages, sort_keys=True).encode()).hexdigest(),
        ),
        corpus={key: filing.filing.sha256 for key, filing in stored.items()},
        questions=tuple(questions),
        scores={name: _scores(found, qrels) for name, found in hits.items()},
        hits=hits,
        faults=tuple(faults),
    )


def _scores(
    hits: dict[str, list[str]], qrels: dict[str, dict[str, int]]
) -> dict[str, dict[str, float]]:
    """Metric → question → value; the order of the hits is what counts."""
    run = {
        question: {chunk_id: -float(rank) for rank, chunk_id in enumerate(found)}
        for question, found in hits.items()
    }
    return {
        metric: {question: round(value, 4) for question, value in values.items()}
        for metric, values in per_query(run, qrels).items()
    }
