"""Which losses a recipe can name, and their Matryoshka wrapper."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rag_app.errors import TrainingError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from torch.nn import Module


def _multiple_negatives_ranking(model: SentenceTransformer) -> Module:
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    return MultipleNegativesRankingLoss(model)


LOSSES: dict[str, Callable[[SentenceTransformer], Module]] = {
    "multiple-negatives-ranking": _multiple_negatives_ranking,
}
"""Name in a recipe → builder of the loss at one dimension."""


def check_loss(name: str) -> None:
    """Raise for a name that ``LOSSES`` lacks.

    Raises:
        TrainingError: no such loss; the message lists those there are.
    """
    if name not in LOSSES:
        raise TrainingError(f"There is no loss {name}; known losses: {', '.join(LOSSES)}.")


def build_loss(name: str, model: SentenceTransformer, dims: Sequence[int]) -> Module:
    """A fresh loss, summed over ``dims``: each is trained on the first coordinates only.

    Fresh each time, since the wrapper patches the loss that it wraps.
    Source: Kusupati et al. 2022, "Matryoshka Representation Learning".

    Raises:
        TrainingError: no such loss.
    """
    check_loss(name)
    from sentence_transformers.sentence_transformer.losses import MatryoshkaLoss

    return MatryoshkaLoss(model, LOSSES[name](model), matryoshka_dims=list(dims))
