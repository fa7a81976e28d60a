"""The [search] table of a recipe: which values a sweep may try."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from finetune.config import RECIPES, SEARCH, known_recipes
from rag_app.errors import TrainingError

if TYPE_CHECKING:
    from optuna import Trial

SCALES = ("linear", "log")

Value = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Range:
    """Every number from ``low`` to ``high``, whole ones where both are whole."""

    low: float
    high: float
    log: bool


Space = dict[str, Range | tuple[Value, ...]]
"""Field of the recipe → its range, or its choices."""


def load_space(recipe: str) -> Space:
    """Read ``[low, high, "log" or "linear"]`` or a list of choices for each field.

    Raises:
        TrainingError: the recipe has no such table (those that do are listed), or a row of it is
            neither.
    """
    spaces = {name: _table(name) for name in known_recipes()}
    rows = spaces.get(recipe)
    if not rows:
        able = ", ".join(name for name, rows in spaces.items() if rows)
        raise TrainingError(
            f"The recipe {recipe} has no [{SEARCH}] table to sweep over; these have: {able}."
        )
    return {field: _choices(recipe, field, row) for field, row in rows.items()}


def suggest(trial: Trial, space: Space) -> dict[str, Value]:
    """A value for each field, as the study's sampler chooses."""
    return {field: _suggest(trial, field, values) for field, values in space.items()}


def _suggest(trial: Trial, field: str, values: Range | tuple[Value, ...]) -> Value:
    if not isinstance(values, Range):
        chosen = trial.suggest_categorical(field, values)
        assert isinstance(chosen, Value)  # it is one of them
        return chosen
    if isinstance(values.low, int) and isinstance(values.high, int):
        return trial.suggest_int(field, values.low, values.high, log=values.log)
    return trial.suggest_float(field, values.low, values.high, log=values.log)


def _table(recipe: str) -> dict[str, object]:
    path = RECIPES / f"{recipe}.toml"
    try:
        return dict(tomllib.loads(path.read_text("utf-8")).get(SEARCH, {}))
    except tomllib.TOMLDecodeError as error:
        raise TrainingError(f"{path} is not valid TOML ({error}); mend that line.") from None


def _choices(recipe: str, field: str, row: object) -> Range | tuple[Value, ...]:
    match row:
        case [int() | float() as low, int() | float() as high, str(scale)] if (
            scale in SCALES and low < high and (low > 0 or scale == "linear")
        ):
            return Range(low, high, log=scale == "log")
        case [_, *_] if row[-1] not in SCALES:
            values = tuple(value for value in row if isinstance(value, Value))
            if len(values) == len(row):
                return values
    raise TrainingError(
        f"`{field}` of [{SEARCH}] in recipe {recipe} is neither [low, high, "
        f"{' or '.join(map(repr, SCALES))}] nor a list of choices."
    )
