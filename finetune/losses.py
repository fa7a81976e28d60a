"""Which losses a recipe can name, and their Matryoshka wrapper."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rag_app.errors import TrainingError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from torch.nn import Module

    from finetune.config import TrainConfig

OpenGuide = Callable[[], "SentenceTransformer"]
"""Loads the model that judges the negatives, where a loss has need of one."""

_QUESTION_TO_PASSAGE = ("query_to_doc",)
_BOTH = ("query_to_doc", "doc_to_query")
_ALL = ("query_to_doc", "query_to_query", "doc_to_query", "doc_to_doc")
DIRECTIONS = {
    "one-way": (_QUESTION_TO_PASSAGE, "joint"),
    "both": (_BOTH, "per_direction"),
    "joint": (_ALL, "joint"),
}
"""Our name → the directions and partition of MultipleNegativesRankingLoss.

``one-way`` is InfoNCE (van den Oord et al. 2018), ``both`` its symmetric form (Günther et al.
2024), ``joint`` GTE's (Li et al. 2023), with texts of the same kind among the negatives.
"""


def _ranking(
    model: SentenceTransformer, config: TrainConfig, open_guide: OpenGuide, gather: bool
) -> Module:
    from sentence_transformers.sentence_transformer import losses

    directions, partition = DIRECTIONS[config.directions]
    options: dict[str, Any] = {
        "scale": config.scale,
        "directions": directions,
        "partition_mode": partition,
        "gather_across_devices": gather,
    }
    if not config.mini_batch_size:
        return losses.MultipleNegativesRankingLoss(model, **options)
    return losses.CachedMultipleNegativesRankingLoss(
        model, mini_batch_size=config.mini_batch_size, **options
    )


def _guided(
    model: SentenceTransformer, config: TrainConfig, open_guide: OpenGuide, gather: bool
) -> Module:
    """Negatives that the guide puts too near to the question count for nothing.

    Source: Solatorio 2024, "GISTEmbed"; the margin is a share of the positive's score.
    """
    from sentence_transformers.sentence_transformer import losses

    guide = open_guide().requires_grad_(False)
    joint = config.directions == "joint"
    options: dict[str, Any] = {
        "temperature": 1 / config.scale,
        "margin_strategy": "relative",
        "margin": config.margin,
        "contrast_anchors": joint,
        "contrast_positives": joint,
        "gather_across_devices": gather,
    }
    if not config.mini_batch_size:
        return losses.GISTEmbedLoss(model, guide, **options)
    return losses.CachedGISTEmbedLoss(
        model, guide, mini_batch_size=config.mini_batch_size, **options
    )


Builder = Callable[["SentenceTransformer", "TrainConfig", "OpenGuide", bool], "Module"]
LOSSES: dict[str, Builder] = {
    "multiple-negatives-ranking": _ranking,
    "guided": _guided,
}
"""Name in a recipe → builder of the loss at one dimension."""


def check_loss(name: str) -> None:
    """Raise for a name that ``LOSSES`` lacks.

    Raises:
        TrainingError: no such loss; the message lists those there are.
    """
    if name not in LOSSES:
        raise TrainingError(f"There is no loss {name}; known losses: {', '.join(LOSSES)}.")


def build_loss(
    model: SentenceTransformer,
    config: TrainConfig,
    dims: Sequence[int],
    open_guide: OpenGuide,
    *,
    gather: bool = False,
) -> Module:
    """A fresh loss, summed over ``dims``: each is trained on the first coordinates only.

    Fresh each time, since the wrapper patches the loss that it wraps. ``gather`` takes the
    negatives of all processes. Source: Kusupati et al. 2022, "Matryoshka Representation Learning".

    Raises:
        TrainingError: no such loss.
    """
    check_loss(config.loss)
    from sentence_transformers.sentence_transformer.losses import MatryoshkaLoss

    return MatryoshkaLoss(
        model,
        LOSSES[config.loss](model, config, open_guide, gather),
        matryoshka_dims=list(dims),
        matryoshka_weights=list(config.weights_of(dims)),
        n_dims_per_step=config.dims_per_step or -1,
    )
