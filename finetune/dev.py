"""A model in training, scored on the dev questions as serving would."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from eval.evalset import EvalSet
from eval.retrieval import evaluate
from rag_app.index.embedder import Embedder
from rag_app.index.models import ModelSpec

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

METRIC = "ndcg@10"


class Judge:
    """Scores a model in training at the dimension that is served.

    ``on_score`` is told the number of each scoring, 0 being before the first step, and what it
    gave.
    """

    def __init__(
        self,
        spec: ModelSpec,
        evalset: EvalSet,
        dim: int,
        on_score: Callable[[int, float], None] = lambda number, score: None,
    ) -> None:
        """Raises ModelError where the model lacks the dimension."""
        self.dim = spec.check_dim(dim)
        self._spec = spec
        self._evalset = evalset
        self._on_score = on_score

    def score(self, model: SentenceTransformer, number: int) -> float:
        """nDCG@10 over the dev questions; the model goes on as it was, training or not."""
        training = model.training
        # In training accelerate puts a forward pass in bf16 before the model's own.
        wrapped = vars(model).pop("forward", None)
        try:
            report = evaluate(_Loaded(self._spec, model), self._evalset, (self.dim,))
        finally:
            if wrapped is not None:
                vars(model)["forward"] = wrapped
            model.train(training)
        score = report.metrics[str(self.dim)][METRIC]
        self._on_score(number, score)
        return score


class _Loaded(Embedder):
    """The app's embedder around a model that is in memory."""

    def __init__(self, spec: ModelSpec, model: SentenceTransformer) -> None:
        super().__init__(spec)
        self._model = model
