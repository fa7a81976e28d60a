"""Recipes and losses: the published numbers, overrides, and what is refused."""

from __future__ import annotations

import pytest

from finetune.config import load_config
from finetune.losses import build_loss
from rag_app.errors import TrainingError
from rag_app.index.embedder import Embedder


def test_notebook_recipe_has_the_published_numbers() -> None:
    config = load_config("notebook", {})

    assert config.data == "virattt/financial-qa-10K"
    assert config.loss == "multiple-negatives-ranking"
    assert config.dims == (768, 512, 256, 128, 64)
    assert config.columns == ("positive", "anchor")
    assert config.batch_sampler == "no_duplicates"
    assert (config.epochs, config.batch_size, config.accumulation_steps) == (4, 32, 16)
    assert (config.learning_rate, config.schedule, config.warmup_share) == (2e-5, "cosine", 0.1)
    assert (config.optimizer, config.seed, config.max_steps) == ("adamw_torch_fused", 42, None)


def test_overrides_replace_and_none_does_not() -> None:
    config = load_config("notebook", {"epochs": 2, "data": "mine.csv", "seed": None})

    assert (config.epochs, config.data, config.seed) == (2, "mine.csv", 42)


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ({"epochs": 0}, "`epochs` of the command line is wrong"),
        ({"max_steps": -1}, "`max_steps` of the command line is wrong"),
        ({"batch_size": 1}, "`batch_size` of the command line is wrong"),
        ({"seed": -1}, "`seed` of the command line is wrong"),
        ({"loss": "triplets"}, "no loss triplets; known losses: multiple-negatives-ranking"),
        ({"colour": "red"}, "`colour` of the command line is wrong"),
    ],
)
def test_wrong_fields_are_refused(overrides: dict[str, str | int | None], sentence: str) -> None:
    with pytest.raises(TrainingError, match=sentence):
        load_config("notebook", overrides)


def test_unknown_recipe_lists_the_known() -> None:
    with pytest.raises(TrainingError, match=r"no recipe \.\./x; known recipes: notebook"):
        load_config("../x", {})


def test_trained_dims_are_the_width_and_the_recipes_below_it() -> None:
    config = load_config("notebook", {})

    assert config.trained_dims((768, 512, 256, 128, 64)) == (768, 512, 256, 128, 64)
    assert config.trained_dims((384, 256, 128, 64)) == (384, 256, 128, 64)
    assert config.trained_dims((1024, 32)) == (1024,)


@pytest.mark.parametrize(
    ("base", "name"),
    [
        ("minilm", "minilm-notebook"),
        ("BAAI/bge-base-en-v1.5", "bge-base-en-v1.5-notebook"),
        ("/models/my model/", "my-model-notebook"),
    ],
)
def test_default_name_is_base_and_recipe(base: str, name: str) -> None:
    assert load_config("notebook", {"base": base}).default_name == name


def test_loss_trains_every_dimension(minilm: Embedder) -> None:
    loss = build_loss("multiple-negatives-ranking", minilm.model, (384, 64))

    assert list(loss.matryoshka_dims) == [384, 64]


def test_unknown_loss_lists_the_known(minilm: Embedder) -> None:
    with pytest.raises(TrainingError, match="known losses: multiple-negatives-ranking"):
        build_loss("triplets", minilm.model, (384,))
