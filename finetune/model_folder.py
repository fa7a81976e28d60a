"""A trained model's folder: put together beside the others, then renamed into place whole."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finetune.checkpoints import WHOLE_FILE
from finetune.curves import CURVE_FILE
from rag_app.errors import TrainingError
from rag_app.index.models import TRAINED_DIMS_FILE
from rag_app.index.served import MINILM, TUNED_MINILM
from rag_app.sealed import write_whole, writer_lock
from rag_app.training import CARD_FILE as CARD_FILE
from rag_app.training import workspace_of

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

CONFIG_FILE = "train_config.json"
ADAPTER_FOLDER = "adapter"
BASE_REPORT = "report_base.json"
TUNED_REPORT = "report_tuned.json"
ABOUT_FILE = "about.json"
SHIPPED_NAMES = (MINILM, TUNED_MINILM)


@dataclass(frozen=True, slots=True)
class Draft:
    """A model in the making: ``model`` becomes ``target``; ``scratch`` is the trainer's."""

    model: Path
    scratch: Path
    target: Path

    def hold_to(self, about: dict[str, Any]) -> None:
        """Note what the run is of; a resumed one must be of the same.

        Raises:
            TrainingError: what is there to be resumed is of something else; the message names it.
        """
        record = self.scratch / ABOUT_FILE
        about = json.loads(json.dumps(about))
        if record.exists():
            before = json.loads(record.read_text("utf-8"))
            differing = sorted(key for key in about | before if about.get(key) != before.get(key))
            if differing:
                raise TrainingError(
                    f"The stopped run differs in {', '.join(differing)}; resume it with what it "
                    f"began with, or remove {self.scratch.parent} to start over."
                )
        else:
            write_whole(record, json.dumps(about).encode())

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
def new_model(
    home: Path,
    name: str,
    *,
    resume: bool = False,
    say: Callable[[str], None] = lambda sentence: None,
) -> Iterator[Draft]:
    """A draft of ``home/models/NAME``.

    What was not published is gone afterwards, but for the checkpoints of a run that stopped: these
    stay, and with ``resume`` the draft begins with them. ``say`` is told so.

    Raises:
        TrainingError: the name cannot be a folder's, is taken by a model, or by a run that can be
            resumed and ``resume`` was not asked for.
        LibraryError: another process trains a model of this name, or the disk is not writable.
    """
    draft = draft_of(home, name)
    workspace = draft.scratch.parent
    if draft.target.exists():
        raise TrainingError(
            f"There is already a model at {draft.target}; choose another --out, or remove that "
            "folder."
        )
    with writer_lock(workspace):
        if not _resumable(draft):
            if resume:
                say(f"Nothing of {name} is there to go on with; it is trained from the start.")
            _clear(workspace)
        elif not resume:
            raise TrainingError(
                f"A run of {name} was stopped and can go on: add --resume, or remove {workspace} "
                "to start over."
            )
        shutil.rmtree(draft.model, ignore_errors=True)
        try:
            yield draft
        except BaseException as failure:
            if not _resumable(draft):
                shutil.rmtree(workspace, ignore_errors=True)
                if isinstance(failure, KeyboardInterrupt):
                    say(f"There was no checkpoint of {name} yet, so nothing of it is kept.")
            else:
                say(f"What was trained of {name} is kept; add --resume to go on with it.")
            raise
        shutil.rmtree(workspace, ignore_errors=True)


def draft_of(home: Path, name: str) -> Draft:
    """Where a model of that name is made; nothing is touched.

    Raises:
        TrainingError: the name cannot be a folder's.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name) or name in SHIPPED_NAMES:
        raise TrainingError(
            f"A model cannot be called {name!r}; give --out a name of letters, digits, dots, "
            f"dashes and underscores that is not {' or '.join(SHIPPED_NAMES)}."
        )
    workspace = workspace_of(home, name)
    return Draft(
        model=workspace / "model", scratch=workspace / "scratch", target=home / "models" / name
    )


def _resumable(draft: Draft) -> bool:
    """Whether a checkpoint, or the end of a seed's run, is there to go on from."""
    return any(draft.scratch.glob(f"seed-*/checkpoint-*/{WHOLE_FILE}")) or any(
        draft.scratch.glob(f"seed-*/{CURVE_FILE}")
    )


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
