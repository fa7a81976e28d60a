"""What a trained model's folder says of its training: the base, and which rows it was kept from."""

from __future__ import annotations

import json
from typing import Any

from rag_app.errors import DataError, ModelError
from rag_app.index.adapter import Adapter
from rag_app.index.models import ModelSpec

TRAINING_RECORD = "train_config.json"
"""``finetune`` writes it beside the weights: settings under ``config``, the run under ``run``."""


def base_of(spec: ModelSpec) -> str:
    """The name of the model that a model was tuned from; its own where it is no tuned one.

    Raises:
        ModelError: the record is damaged.
    """
    if spec.adapter:
        return Adapter.load(spec.adapter).base
    base = _recorded(spec, "config", "base")
    return spec.name if base is None else str(base)


def check_unseen(spec: ModelSpec, fold: str) -> None:
    """Refuse a model that was trained on companies of the fold, such as ``2/5``.

    Companies that were held out by name are believed: the record does not list them.

    Raises:
        DataError: its record says that it was kept from other rows.
        ModelError: the record is damaged.
    """
    split = _recorded(spec, "run", "data", "split")
    number, _, count = fold.partition("/")
    if split not in (None, "company", f"company, fold {number} of {count}"):
        raise DataError(
            f"Model {spec.name} was trained on a split by {split}, so it has seen companies of the "
            f"fold {fold}; score the model of that fold, or leave out --fold."
        )


def _recorded(spec: ModelSpec, *keys: str) -> Any:
    """A value of the record; None where there is no record or it is silent."""
    path = spec.folder / TRAINING_RECORD
    if spec.adapter or not path.exists():
        return None
    try:
        value = json.loads(path.read_text("utf-8"))
        for key in keys:
            value = value.get(key) or {}
    except (OSError, ValueError, AttributeError):
        raise ModelError(f"{path} cannot be read; restore it or train the model anew.") from None
    return value or None
