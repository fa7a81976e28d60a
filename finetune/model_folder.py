"""A trained model's folder: put together beside the others, then renamed into place whole."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rag_app.errors import TrainingError
from rag_app.index.models import DEFAULT_MODEL, TRAINED_DIMS_FILE
from rag_app.sealed import writer_lock

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

CONFIG_FILE = "train_config.json"
BASE_REPORT = "report_base.json"
TUNED_REPORT = "report_tuned.json"
CARD_FILE = "README.md"


@dataclass(frozen=True, slots=True)
class Draft:
    """A model in the making: ``model`` becomes ``target``; ``scratch`` is the trainer's."""

    model: Path
    scratch: Path
    target: Path

    def publish(self) -> None:
        """Rename the finished folder into place.

        Raises:
            TrainingError: another run has taken the name meanwhile.
        """
        try:
            self.model.rename(self.target)
        except OSError as error:
            raise TrainingError(
                f"{self.target} cannot be put in place ({error.strerror}); choose another --out."
            ) from None


@contextmanager
def new_model(home: Path, name: str) -> Iterator[Draft]:
    """A draft of ``home/models/NAME``; what was not published is gone afterwards.

    Raises:
        TrainingError: the name cannot be a folder's, or is taken by a model.
        LibraryError: another process trains a model of this name, or the disk is not writable.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name) or name == DEFAULT_MODEL:
        raise TrainingError(
            f"A model cannot be called {name!r}; give --out a name of letters, digits, dots, "
            f"dashes and underscores that is not {DEFAULT_MODEL}."
        )
    target = home / "models" / name
    workspace = home / "models" / f".training-{name}"
    if target.exists():
        raise TrainingError(
            f"There is already a model at {target}; choose another --out, or remove that folder."
        )
    draft = Draft(model=workspace / "model", scratch=workspace / "scratch", target=target)
    with writer_lock(workspace):
        _clear(workspace)
        try:
            yield draft
        finally:
            shutil.rmtree(workspace, ignore_errors=True)


def _clear(workspace: Path) -> None:
    """Remove what a killed run left; whoever calls holds the lock, so nobody else is at it."""
    for path in workspace.iterdir():
        if path.is_dir():
            shutil.rmtree(path)


def write_model(model: SentenceTransformer, dims: tuple[int, ...], folder: Path) -> None:
    """Write weights (safetensors only), tokenizer, modules, prompts, and the trained dimensions."""
    model.save_pretrained(str(folder), create_model_card=False, safe_serialization=True)
    write_json(folder / TRAINED_DIMS_FILE, {"dims": list(dims)})


def write_json(path: Path, record: dict[str, object]) -> None:
    """Write a record so that a person can read it."""
    path.write_text(json.dumps(record, indent=2) + "\n", "utf-8")
