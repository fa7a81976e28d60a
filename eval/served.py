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
from eval.searches import Found, ids_of, ranked
from rag_app.errors import LibraryError
from rag_app.index.embedder import Embedder
from rag_app.index.retriever import FilingsRetriever, served_retriever
from rag_app.index.serving import open_snapshot
from rag_app.index.snapshot import Snapshot
from rag_app.index.vector_sums import OFF_UNIT
from rag_app.library import Library
from rag_app.settings import Settings

RETRIEVERS = ("dense", "fused")
"""What is asked: search at the served dimension alone, which shows what the stages behind it would
make good, such as an index at another dimension; and all stages as the settings want them."""


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
    question, best first; where a hit stands for the right chunk, its twin, that one's id is there.
    ``faults`` are sentences on an index that is not what it should be.
    """

    built: Built
    corpus: dict[str, str]
    questions: tuple[HeldQuestion, ...]
    scores: Scores
    hits: dict[str, dict[str, list[str]]]
    faults: tuple[str, ...]


def measure(
    library: Library,
    embedder: Embedder,
    dim: int,
    questions: Sequence[HeldQuestion],
    settings: Settings,
) -> Measured:
    """Ask each question, with its filters, of each of ``RETRIEVERS`` at the served dimension.

    ``settings`` are asked for the stages of the retriever alone.

    A question whose filters admit no indexed filing has no hits: that is how an index that lags
    behind the library answers.

    Raises:
        LibraryError: the library is empty or damaged.
        IndexMismatch: the index cannot be opened.
        ModelError: the settings name a reranker that does not load.
    """
    notes: list[str] = []
    snapshot = open_snapshot(library, embedder, dim, on_note=notes.append)
    qrels = {question.id: dict.fromkeys(question.right, 1) for question in questions}
    try:
        hits = {
            name: {
                question.id: list(
                    ranked(_found(snapshot, settings, name, question), qrels[question.id])
                )
                for question in questions
            }
            for name in RETRIEVERS
        }
        passport = snapshot.passport
        _, vectors = snapshot.vectors_of(list(passport.filings))
    finally:
        snapshot.dense.close()
    stored = library.filings()
    behind = sorted(
        key for key, filing in stored.items() if passport.filings.get(key) != filing.version
    )
    faults = [*notes]
    if behind:
        faults.append(f"The index lacks the stored version of {', '.join(behind)}.")
    off = float(np.abs(np.linalg.norm(vectors, axis=1) - 1).max())
    if off > OFF_UNIT:
        faults.append(f"Served vectors are not unit length (off by up to {off:.3f}).")
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


def _found(snapshot: Snapshot, settings: Settings, name: str, question: HeldQuestion) -> Found:
    """The hits of a question; none where its filters admit no indexed filing."""
    if name == "dense":
        retriever = FilingsRetriever(
            snapshot,
            filters=question.filters,
            k=DEEPEST,
            lexical=False,
            rescore=False,
            collapse=False,
        )
    else:
        retriever = served_retriever(snapshot, settings, question.filters, DEEPEST)
    try:
        return [ids_of(hit) for hit in retriever.retrieve(question.text)]
    except LibraryError:
        return []


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
