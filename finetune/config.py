"""TrainConfig: a recipe file with the command line's overrides, checked."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from finetune.losses import check_loss
from rag_app.errors import TrainingError

RECIPES = Path(__file__).parent / "recipes"

Count = Annotated[int, Field(ge=1)]
Overrides = dict[str, str | int | None]


@dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class TrainConfig:
    """All that decides what a training run does; ``recipes/*.toml`` explain the fields.

    ``columns`` is the order in which pairs reach the loss: it takes the first as its anchor.
    ``warmup_share`` is the share of the optimizer steps in which the learning rate rises.
    """

    recipe: str
    base: str
    data: str
    loss: str
    dims: Annotated[tuple[Count, ...], Field(min_length=1)]
    columns: (
        tuple[Literal["anchor"], Literal["positive"]]
        | tuple[Literal["positive"], Literal["anchor"]]
    )
    batch_sampler: Literal["batch_sampler", "no_duplicates"]
    epochs: Count
    batch_size: Annotated[int, Field(ge=2)]
    accumulation_steps: Count
    optimizer: str
    learning_rate: Annotated[float, Field(gt=0)]
    schedule: str
    warmup_share: Annotated[float, Field(ge=0, lt=1)]
    max_grad_norm: Annotated[float, Field(gt=0)]
    seed: Annotated[int, Field(ge=0)]
    max_steps: Count | None = None

    def trained_dims(self, model_dims: tuple[int, ...]) -> tuple[int, ...]:
        """Those of a base's dimensions to train: its full width, and the recipe's below it."""
        width = model_dims[0]
        return (width, *(dim for dim in model_dims[1:] if dim in self.dims))

    @property
    def default_name(self) -> str:
        """What the model is called when nobody says: ``minilm-notebook``."""
        base = self.base.rstrip("/").rsplit("/", 1)[-1]
        return f"{re.sub(r'[^A-Za-z0-9._-]+', '-', base).strip('-.')}-{self.recipe}"


def known_recipes() -> list[str]:
    """Names of the recipes that ship with the project."""
    return sorted(path.stem for path in RECIPES.glob("*.toml"))


def load_config(recipe: str, overrides: Overrides) -> TrainConfig:
    """Read a recipe and replace the fields that ``overrides`` names; None replaces nothing.

    Raises:
        TrainingError: unknown recipe or loss, or a field that is missing, unknown or wrong.
    """
    if recipe not in known_recipes():
        raise TrainingError(
            f"There is no recipe {recipe}; known recipes: {', '.join(known_recipes())}."
        )
    path = RECIPES / f"{recipe}.toml"
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        fields = tomllib.loads(path.read_text("utf-8")) | given
        config = TypeAdapter(TrainConfig).validate_python({"recipe": recipe, **fields})
    except tomllib.TOMLDecodeError as error:
        raise TrainingError(f"{path} is not valid TOML ({error}); mend that line.") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(map(str, first["loc"]))
        source = "the command line" if name in given else path
        raise TrainingError(f"`{name}` of {source} is wrong: {first['msg']}.") from None
    check_loss(config.loss)
    return config
