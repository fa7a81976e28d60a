"""TrainConfig: a recipe file with the command line's overrides, checked."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from finetune.losses import check_loss
from rag_app.errors import TrainingError

RECIPES = Path(__file__).parent / "recipes"
SEARCH = "search"
"""Table of a recipe file that the sweep reads; training does not."""

Count = Annotated[int, Field(ge=1)]
Natural = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
Overrides = dict[str, object]


@dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class TrainConfig:
    """All that decides what a training run does; ``recipes/ours.toml`` explains the fields.

    ``columns`` is the order in which pairs reach the loss: it takes the first as its anchor.
    ``warmup_share`` is the share of the optimizer steps in which the learning rate rises. What has
    a default is off by it.
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
    batch_sampler: Literal["no_duplicates", "no_duplicates_by_length"]
    epochs: Count
    batch_size: Annotated[int, Field(ge=2)]
    accumulation_steps: Count
    optimizer: str
    learning_rate: Positive
    schedule: str
    warmup_share: Share
    max_grad_norm: Positive
    seed: Natural
    split: Literal["company", "context", "notebook"]
    max_steps: Count | None = None
    holdout: tuple[str, ...] = ()
    fold: str = ""
    dev_share: Share = 0.0
    evaluations: Natural = 0
    served_dim: Count = 128
    merge_duplicates: bool = False
    serve_on: Literal["", "library"] = ""
    feedback_share: Share = 0.0
    packs: Natural = 0
    pack_tokens: Count = 200
    negatives: Natural = 0
    negative_ceiling: Annotated[float, Field(gt=0, le=1)] = 0.95
    directions: Literal["one-way", "both", "joint"] = "one-way"
    scale: Positive = 20.0
    guide: str = ""
    margin: Share = 0.0
    mini_batch_size: Natural = 0
    dim_weights: tuple[Positive, ...] = ()
    dims_per_step: Natural = 0
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    lora_rank: Natural = 0
    principal_axes: bool = False
    seeds: Count = 1
    base_share: Share = 0.0
    checkpoint_minutes: Annotated[float, Field(ge=0)] = 5.0

    def trained_dims(self, model_dims: tuple[int, ...]) -> tuple[int, ...]:
        """Those of a base's dimensions to train: its full width, and the recipe's below it."""
        width = model_dims[0]
        return (width, *(dim for dim in model_dims[1:] if dim in self.dims))

    def weights_of(self, dims: Sequence[int]) -> tuple[float, ...]:
        """The loss's weight at each of ``dims``; a full width not named weighs as the widest."""
        if not self.dim_weights:
            return (1.0,) * len(dims)
        named = dict(zip(self.dims, self.dim_weights, strict=True))
        return tuple(named.get(dim, self.dim_weights[0]) for dim in dims)

    @property
    def default_name(self) -> str:
        """What the model is called when nobody says: ``minilm-notebook``."""
        base = self.base.rstrip("/").rsplit("/", 1)[-1]
        corrected = "-feedback" if self.feedback_share else ""
        return f"{re.sub(r'[^A-Za-z0-9._-]+', '-', base).strip('-.')}-{self.recipe}{corrected}"


FIELDS = tuple(field.name for field in dataclasses.fields(TrainConfig) if field.name != "recipe")


def known_recipes() -> list[str]:
    """Names of the recipes that ship with the project."""
    return sorted(path.stem for path in RECIPES.glob("*.toml"))


def parse_overrides(settings: Sequence[str]) -> Overrides:
    """``["scale=30", "dims=[256, 64]"]`` to field → value; the last of a field wins.

    A value is read as TOML; what is none (``minilm``, a path) is text.

    Raises:
        TrainingError: one is not ``field=value``.
    """
    overrides: Overrides = {}
    for setting in settings:
        field, equals, value = setting.partition("=")
        if not equals or not field.strip():
            raise TrainingError(f"--set {setting} is not FIELD=VALUE, such as --set scale=30.")
        overrides[field.strip()] = _value(value.strip())
    return overrides


def _value(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _meant(unknown: Sequence[str]) -> str:
    near = [each for name in unknown for each in get_close_matches(name, FIELDS, n=1, cutoff=0.8)]
    return f" (did you mean {', '.join(near)}?)" if near else ""


def load_config(recipe: str, overrides: Mapping[str, object]) -> TrainConfig:
    """Read a recipe and replace the fields that ``overrides`` names; None replaces nothing.

    Raises:
        TrainingError: unknown recipe or loss, a field that is missing, unknown or wrong, or
            fields that do not go together.
    """
    if recipe not in known_recipes():
        raise TrainingError(
            f"There is no recipe {recipe}; known recipes: {', '.join(known_recipes())}."
        )
    path = RECIPES / f"{recipe}.toml"
    given = {name: value for name, value in overrides.items() if value is not None}
    unknown = [name for name in given if name not in FIELDS]
    if unknown:
        raise TrainingError(
            f"A recipe has no field {', '.join(unknown)}{_meant(unknown)}; its fields: "
            f"{', '.join(FIELDS)}."
        )
    try:
        fields = tomllib.loads(path.read_text("utf-8"))
        fields.pop(SEARCH, None)
        config = TypeAdapter(TrainConfig).validate_python({"recipe": recipe, **fields, **given})
    except tomllib.TOMLDecodeError as error:
        raise TrainingError(f"{path} is not valid TOML ({error}); mend that line.") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(map(str, first["loc"]))
        source = "the command line" if str(first["loc"][0]) in given else path
        raise TrainingError(f"`{name}` of {source} is wrong: {first['msg']}.") from None
    check_loss(config.loss)
    for broken, sentence in _RULES:
        if broken(config):
            raise TrainingError(f"The recipe does not fit together: {sentence}.")
    return config


_RULES: tuple[tuple[Callable[[TrainConfig], object], str], ...] = (
    (
        lambda config: config.dim_weights and len(config.dim_weights) != len(config.dims),
        "`dim_weights` needs one weight for each of `dims`, or none at all",
    ),
    (
        lambda config: config.evaluations and not config.dev_share,
        "`evaluations` score dev rows, so give `dev_share` as well, such as 0.1",
    ),
    (
        lambda config: config.negatives and config.columns[0] == "positive",
        '`negatives` are passages, so `columns` must be ["anchor", "positive"]',
    ),
    (
        lambda config: (config.holdout or config.fold) and config.split != "company",
        '`holdout` and `fold` name companies, so `split` must be "company"',
    ),
    (
        lambda config: config.holdout and config.fold,
        "a fold says which companies are held out; set `holdout` or `fold`, not both",
    ),
    (
        lambda config: config.packs and config.negatives,
        "a pack competes with the packs of its filing alone; set `packs` or `negatives`, not both",
    ),
    (
        lambda config: config.packs and config.batch_sampler != "no_duplicates_by_length",
        '`packs` need the batch sampler "no_duplicates_by_length"',
    ),
    (
        lambda config: config.lora_rank and config.seeds > 1,
        "the mean of `seeds` is of no low rank; set `seeds` or `lora_rank`, not both",
    ),
    (
        lambda config: config.loss == "guided" and config.directions == "both",
        'the guided loss is "one-way" or "joint", not "both"',
    ),
    (
        lambda config: (config.margin or config.guide) and config.loss != "guided",
        '`margin` and `guide` belong to the loss "guided"',
    ),
)
"""What must not be (config → bool), and the sentence that says so."""
