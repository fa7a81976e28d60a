"""Base, tuned and serving model scored on the held-out questions, with a bar."""

from __future__ import annotations

from collections.abc import Sequence

from eval.evalset import EvalSet
from eval.report import Report
from eval.retrieval import evaluate
from rag_app.bars import counting_bar
from rag_app.index.embedder import Embedder


def scored(embedder: Embedder, evalset: EvalSet, dims: Sequence[int], what: str = "") -> Report:
    """The report of a model at some dimensions; ``what`` says more of it on the bar."""
    label = f"Scoring {embedder.spec.name}{what}"
    with counting_bar(label, len(evalset.corpus), "passages") as advance:
        return evaluate(embedder, evalset, tuple(dims), on_progress=advance)
