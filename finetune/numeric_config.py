"""NumericConfig: the numeric recipe's file with the command line's overrides, checked."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from itertools import accumulate
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from finetune.config import RECIPES, SEARCH, Count, Natural, Positive, Share
from rag_app.errors import TrainingError

NUMERIC = "numeric"

NotNegative = Annotated[float, Field(ge=0)]
Files = tuple[str, ...]


@dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class NumericConfig:
    """All that decides what a numeric run does; ``recipes/numeric.toml`` explains the fields.

    A stopped run goes on from a checkpoint no older than an epoch or ``checkpoint_minutes``.
    """

    base: str
    data: str
    train: Annotated[Files, Field(min_length=1)]
    dev: Files
    test: Annotated[Files, Field(min_length=1)]
    dev_share: Annotated[float, Field(gt=0, lt=1)]
    dims: Annotated[tuple[Count, ...], Field(min_length=1)]
    max_tokens: Annotated[int, Field(ge=8)]
    numeric_weight: NotNegative
    contrastive_weight: NotNegative
    temperature: Positive
    epochs: Count
    batch_size: Annotated[int, Field(ge=2)]
    accumulation_steps: Count
    learning_rate: Positive
    head_learning_rate: Positive
    weight_decay: NotNegative
    warmup_share: Share
    max_grad_norm: Positive
    seed: Natural
    max_steps: Count | None = None
    checkpoint_minutes: NotNegative = 5.0

    @property
    def starts(self) -> tuple[int, ...]:
        """Where each dimension's coordinates begin when their blocks stand side by side."""
        return tuple(accumulate(self.dims[:-1], initial=0))

    @property
    def default_name(self) -> str:
        """What the model is called when nobody says: ``minilm-numeric``."""
        base = self.base.rstrip("/").rsplit("/", 1)[-1]
        return f"{re.sub(r'[^A-Za-z0-9._-]+', '-', base).strip('-.')}-{NUMERIC}"

    def files(self, names: Files) -> list[Path]:
        """Paths of some of the recipe's files, which stand in the folder ``data``."""
        return [Path(self.data).expanduser() / name for name in names]


def load_numeric_config(overrides: Mapping[str, object]) -> NumericConfig:
    """Read the recipe and replace the fields that ``overrides`` names; None replaces nothing.

    Raises:
        TrainingError: a field that is missing, unknown or wrong.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    fields = _recipe()
    fields.pop(SEARCH, None)
    try:
        config = TypeAdapter(NumericConfig).validate_python(fields | given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0]) if first["loc"] else "recipe"
        source = "the command line" if name in given else _PATH
        raise TrainingError(f"`{name}` of {source} is wrong: {first['msg']}.") from None
    if not config.numeric_weight + config.contrastive_weight:
        raise TrainingError(
            "numeric_weight and contrastive_weight are both 0, so nothing would be learnt; raise "
            "one of them."
        )
    if list(config.dims) != sorted(set(config.dims), reverse=True):
        raise TrainingError("`dims` must name each dimension once, the widest first.")
    return config


_PATH = RECIPES / f"{NUMERIC}.toml"


def _recipe() -> dict[str, Any]:
    try:
        return tomllib.loads(_PATH.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise TrainingError(f"{_PATH} is not valid TOML ({error}); mend that line.") from None
