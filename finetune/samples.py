"""A few test questions with the passage that base and tuned model put first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from textwrap import shorten

import numpy as np

from eval.evalset import EvalSet
from eval.retrieval import rank
from rag_app.index.embedder import Embedder, Vectors, truncate

SAMPLES = 3
SHOWN_CHARACTERS = 160


@dataclass(frozen=True, slots=True)
class Sample:
    """A question, and the passage that each model ranks first at ``dim``."""

    question: str
    dim: int
    base_passage: str
    base_right: bool
    tuned_passage: str
    tuned_right: bool

    def __str__(self) -> str:
        return "\n".join(
            (
                f"Q ({self.dim} dimensions): {self.question}",
                _line("base", self.base_passage, self.base_right),
                _line("tuned", self.tuned_passage, self.tuned_right),
            )
        )


class KeepingEmbedder(Embedder):
    """An embedder that keeps the passages' vectors, so that scoring and samples encode once."""

    _kept: dict[str, Vectors]

    def encode_documents(
        self, texts: Sequence[str], on_progress: Callable[[int], None] | None = None
    ) -> Vectors:
        """As ``Embedder`` does: (n, width) float32 unit rows."""
        vectors = super().encode_documents(texts, on_progress)
        self._kept = dict(zip(texts, vectors, strict=True))
        return vectors

    def kept(self, texts: Sequence[str]) -> Vectors:
        """Rows (n, width) of passages that were encoded last.

        Raises:
            KeyError: one was not.
        """
        return np.stack([self._kept[text] for text in texts])


def draw_samples(
    base: KeepingEmbedder, tuned: KeepingEmbedder, evalset: EvalSet, dim: int
) -> tuple[Sample, ...]:
    """The first questions of the set, not chosen by outcome, with each model's first passage.

    Both embedders have encoded the set's corpus before.
    """
    query_ids = list(evalset.queries)[:SAMPLES]
    firsts = [_first_passages(embedder, evalset, query_ids, dim) for embedder in (base, tuned)]
    return tuple(
        Sample(
            question=evalset.queries[query_id],
            dim=dim,
            base_passage=evalset.corpus[firsts[0][query_id]],
            base_right=firsts[0][query_id] in evalset.qrels[query_id],
            tuned_passage=evalset.corpus[firsts[1][query_id]],
            tuned_right=firsts[1][query_id] in evalset.qrels[query_id],
        )
        for query_id in query_ids
    )


def _first_passages(
    embedder: KeepingEmbedder, evalset: EvalSet, query_ids: Sequence[str], dim: int
) -> dict[str, str]:
    """Query id → id of the passage nearest to it."""
    queries = embedder.encode_queries([evalset.queries[query_id] for query_id in query_ids])
    corpus = embedder.kept(list(evalset.corpus.values()))
    start = embedder.spec.start_of(dim)
    run = rank(
        truncate(queries, dim, start),
        truncate(corpus, dim, start),
        query_ids,
        list(evalset.corpus),
        1,
    )
    return {query_id: next(iter(scores)) for query_id, scores in run.items()}


def _line(model: str, passage: str, right: bool) -> str:
    text = shorten(passage, SHOWN_CHARACTERS, placeholder=" …")
    return f"  {model:5} {'right' if right else 'wrong'}  {text}"
