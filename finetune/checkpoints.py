"""Checkpoints of a run: which are whole, how many are kept, what a full disk says."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rag_app.errors import TrainingError

WEIGHTS_FILE = "trained.safetensors"
"""In a checkpoint: the weights that train. Beside it stand the optimizer's state, the random
state and the trainer's, in torch's format; they are read with ``weights_only``."""
SPENT_FILE = "spent.json"
"""In a checkpoint: the seconds and tokens that the run had taken by then."""
WHOLE_FILE = "whole.json"
KEPT = 2
MEGABYTE = 1_000_000


def seal_checkpoint(folder: Path) -> None:
    """Note the size of each of its files, last of all: without this it counts as cut short."""
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    (folder / WHOLE_FILE).write_text(json.dumps(sizes), "utf-8")


def is_whole(folder: Path) -> bool:
    """Whether a checkpoint was written to its end and nothing of it was cut since."""
    try:
        sizes = json.loads((folder / WHOLE_FILE).read_text("utf-8"))
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, AttributeError):
        return False


def step_of(folder: Path) -> int:
    """The optimizer step after which a checkpoint was written."""
    return int(folder.name.rsplit("-", 1)[-1])


def checkpoints(run: Path) -> list[Path]:
    """The checkpoints of a run, whole or not, oldest step first."""
    return sorted(run.glob("checkpoint-*"), key=step_of)


def last_whole(run: Path, say: Callable[[str], None]) -> Path | None:
    """The newest whole checkpoint of a run; those that are not are said, and removed."""
    found = None
    for folder in checkpoints(run):
        if is_whole(folder):
            found = folder
        else:
            say(f"The checkpoint of step {step_of(folder)} was cut short and is left out.")
            shutil.rmtree(folder)
    return found


def what_is_kept(run: Path) -> str:
    """For whoever is told that a run cannot go on: which step can be had still, and how."""
    checkpoint = last_whole(run, lambda sentence: None)
    if checkpoint is None:
        return "No step was kept yet."
    step = step_of(checkpoint)
    return (
        f"The model as it was after step {step} is kept: add --resume --set max_steps={step} "
        "to have it, or --resume alone to go on from there."
    )


def forget_old(run: Path, best: str | None) -> None:
    """Remove all but the newest ``KEPT`` checkpoints and the best one."""
    for folder in checkpoints(run)[:-KEPT]:
        if best is None or folder != Path(best):
            shutil.rmtree(folder)


def check_space(folder: Path, needed: int) -> None:
    """Hold the disk to have ``needed`` bytes left.

    Raises:
        TrainingError: it has less; the message says how much of each.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise TrainingError(
            f"The disk of {folder} has {free / MEGABYTE:.0f} MB left and this run needs "
            f"{needed / MEGABYTE:.0f} MB for the model and its checkpoints; free some space."
        )


@contextmanager
def writing(folder: Path, needed: int) -> Iterator[None]:
    """Turn a failure to write into one sentence; ``needed`` is what is written, in bytes.

    Raises:
        TrainingError: the disk is full or read-only; what was whole before stands.
    """
    from safetensors import SafetensorError

    try:
        yield
    # torch.save raises RuntimeError where its file cannot be written.
    except (OSError, SafetensorError, RuntimeError) as error:
        free = shutil.disk_usage(folder).free / MEGABYTE
        raise TrainingError(
            f"{folder} could not be written ({error}): {needed / MEGABYTE:.0f} MB are needed and "
            f"{free:.0f} MB are free. The models that were there, and the last whole checkpoint, "
            "are untouched; free some space and go on with --resume."
        ) from error
