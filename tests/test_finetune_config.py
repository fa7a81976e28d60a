"""Recipes: the published numbers, overrides, and what is refused."""

from __future__ import annotations

import tomllib

import pytest

from finetune.config import FIELDS, RECIPES, load_config, parse_overrides
from rag_app.errors import TrainingError


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
        ({"colour": "red"}, "no field colour; its fields: base, data, loss"),
        ({"dims": [64, 0]}, "`dims.1` of the command line is wrong"),
        ({"directions": "up"}, "`directions` of the command line is wrong"),
    ],
)
def test_wrong_fields_are_refused(overrides: dict[str, object], sentence: str) -> None:
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


def test_settings_of_the_command_line_are_read_as_toml_or_text() -> None:
    given = ["scale=30", "dims=[256, 64]", "base=minilm", "data=a=b.csv", "guide=", "scale = 2e1"]

    overrides = parse_overrides(given)

    assert overrides == {
        "scale": 20.0,
        "dims": [256, 64],
        "base": "minilm",
        "data": "a=b.csv",
        "guide": "",
    }
    config = load_config("ours", overrides)
    assert (config.scale, config.dims, config.data) == (20.0, (256, 64), "a=b.csv")


@pytest.mark.parametrize("setting", ["scale", "=3", ""])
def test_a_setting_without_field_or_value_is_refused(setting: str) -> None:
    with pytest.raises(TrainingError, match=f"--set {setting} is not FIELD=VALUE"):
        parse_overrides([setting])


def test_every_field_stands_in_our_recipe() -> None:
    fields = tomllib.loads((RECIPES / "ours.toml").read_text("utf-8"))

    assert set(FIELDS) - set(fields) == {"max_steps"}


def test_what_the_notebook_recipe_does_not_name_is_off() -> None:
    config = load_config("notebook", {})

    assert (config.split, config.evaluations, config.dev_share) == ("notebook", 0, 0.0)
    assert (config.directions, config.scale, config.weight_decay) == ("one-way", 20.0, 0.0)
    assert (config.mini_batch_size, config.negatives, config.lora_rank) == (0, 0, 0)
    assert (config.seeds, config.base_share, config.dim_weights) == (1, 0.0, ())
    assert not config.merge_duplicates
