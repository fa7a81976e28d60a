"""Losses: what each direction means, GradCache's sameness, the guide's mask, weights of dims."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from sentence_transformers import SentenceTransformer
from tiny_model import build_tiny_model
from torch.nn.functional import cross_entropy, normalize

from finetune.config import TrainConfig, load_config
from finetune.losses import LOSSES, build_loss
from rag_app.errors import TrainingError

QUESTIONS = [f"how many {thing} did birch ship ?" for thing in ("tents", "lamps", "boots", "ovens")]
PASSAGES = [f"birch shipped {n} thousand {t}" for n, t in zip((7, 8, 9, 10), "abcd", strict=True)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> SentenceTransformer:
    """Without dropout, so that equal inputs give equal losses."""
    return SentenceTransformer(str(build_tiny_model(tmp_path_factory.mktemp("m"))), device="cpu")


def config(**changes: Any) -> TrainConfig:
    return dataclasses.replace(load_config("ours", {}), **changes)


def value(
    model: SentenceTransformer,
    settings: TrainConfig,
    dims: tuple[int, ...] = (128,),
    passages: list[str] = PASSAGES,
) -> tuple[float, torch.Tensor]:
    """The loss of one batch, and the gradient of one weight."""
    loss = build_loss(model, settings, dims, lambda: copy.deepcopy(model))
    model.zero_grad()
    total = loss([model.preprocess(QUESTIONS), model.preprocess(passages)], None)
    total.backward()
    weight = next(w for n, w in model.named_parameters() if "query.weight" in n)
    assert weight.grad is not None
    return float(total.detach()), weight.grad.clone()


def vectors(model: SentenceTransformer, dim: int = 128) -> tuple[torch.Tensor, torch.Tensor]:
    with torch.no_grad():
        made = [model(model.preprocess(t))["sentence_embedding"] for t in (QUESTIONS, PASSAGES)]
    questions, passages = (normalize(vector[:, :dim], dim=1) for vector in made)
    return questions, passages


def test_one_way_is_a_question_picking_its_passage(model: SentenceTransformer) -> None:
    questions, passages = vectors(model)
    expected = cross_entropy(questions @ passages.T * 30, torch.arange(4))

    found, _ = value(model, config(directions="one-way", scale=30.0))

    assert found == pytest.approx(float(expected), abs=1e-4)


def test_both_is_the_mean_of_the_two_directions(model: SentenceTransformer) -> None:
    questions, passages = vectors(model)
    scores = questions @ passages.T * 20
    expected = (
        cross_entropy(scores, torch.arange(4)) + cross_entropy(scores.T, torch.arange(4))
    ) / 2

    found, _ = value(model, config(directions="both"))

    assert found == pytest.approx(float(expected), abs=1e-4)


def test_joint_has_texts_of_the_same_kind_among_its_negatives(model: SentenceTransformer) -> None:
    questions, passages = vectors(model)
    itself = torch.eye(4, dtype=torch.bool)
    across = questions @ passages.T * 20
    alike = [(v @ v.T * 20).masked_fill(itself, -torch.inf) for v in (questions, passages)]
    everything = torch.cat([across, across.T, *alike], dim=1)
    expected = (torch.logsumexp(everything, 1) - across.diagonal()).mean()

    found, _ = value(model, config(directions="joint"))

    assert found == pytest.approx(float(expected), abs=1e-4)


@pytest.mark.parametrize("loss", list(LOSSES))
def test_mini_batches_change_neither_loss_nor_gradient(
    model: SentenceTransformer, loss: str
) -> None:
    settings = config(loss=loss, directions="joint")
    whole, gradient = value(model, settings, (128, 64))
    parted, same = value(model, dataclasses.replace(settings, mini_batch_size=2), (128, 64))

    assert parted == pytest.approx(whole, abs=1e-4)
    assert torch.allclose(gradient, same, atol=1e-5)


def test_weights_weigh_the_dimensions(model: SentenceTransformer) -> None:
    one = config(dims=(128, 64), dim_weights=(1.0, 3.0))
    wide, _ = value(model, config(), (128,))
    narrow, _ = value(model, config(), (64,))

    found, _ = value(model, one, (128, 64))

    assert found == pytest.approx(wide + 3 * narrow, abs=1e-3)
    # A full width that the recipe does not name weighs as its widest.
    assert one.weights_of((384, 64)) == (1.0, 3.0)


def test_the_guide_masks_what_it_puts_nearer_than_the_right_passage(
    model: SentenceTransformer,
) -> None:
    """With a margin of nearly all of the score, everything but the right passage is masked."""
    plain, _ = value(model, config(loss="guided", directions="one-way"))
    masked, _ = value(model, config(loss="guided", directions="one-way", margin=0.999))

    assert plain > 0.1
    assert masked == pytest.approx(0, abs=1e-5)


def test_unknown_loss_lists_the_known_ones() -> None:
    with pytest.raises(TrainingError, match="no loss triplets; known losses: multiple-neg"):
        load_config("ours", {"loss": "triplets"})


def test_fields_that_do_not_go_together_are_one_sentence() -> None:
    for overrides, sentence in (
        ({"dim_weights": [1, 2]}, "one weight for each of `dims`"),
        ({"dev_share": 0.0}, "`evaluations` score dev rows"),
        ({"negatives": 2, "columns": ["positive", "anchor"]}, "`negatives` are passages"),
        ({"lora_rank": 4, "seeds": 2}, "no low rank"),
        ({"loss": "guided", "directions": "both"}, "the guided loss is"),
        ({"margin": 0.1}, "`margin` and `guide` belong to"),
    ):
        with pytest.raises(TrainingError, match=sentence):
            load_config("ours", overrides)


def test_guide_folder_is_not_needed_by_other_losses(
    model: SentenceTransformer, tmp_path: Path
) -> None:
    def refuse() -> SentenceTransformer:
        raise AssertionError(f"nothing at {tmp_path}")

    assert build_loss(model, config(), (128,), refuse) is not None
