"""What a stopped numeric run goes on from: weights, Adam's means, random states; no pickle."""

from __future__ import annotations

import dataclasses
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from finetune.checkpoints import (
    MEGABYTE,
    WHOLE_FILE,
    forget_old,
    seal_checkpoint,
    what_is_kept,
    writing,
)
from rag_app.errors import TrainingError

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer

    from finetune.numeric_loss import Learner

    State = dict[str, Tensor]

PROGRESS_FILE = "numeric.json"
WEIGHTS, KEPT, MEANS, RANDOM = "weights", "kept", "means", "random"
"""Stems of the safetensors of a checkpoint. ``kept`` holds the weights of the best epoch so far."""
COPIES = 4
"""A checkpoint holds two sets of weights, and Adam's two means of each."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """Mean losses of one epoch, by term; a term that is switched off is 0."""

    number: int
    train_loss: float
    dev_loss: float
    dev_huber: float
    dev_contrastive: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: optimizer steps done, and of ``epoch``, the one it is in, ``losses`` has
    one a batch done; ``epochs`` are over, and ``best`` is the number of one of them, or 0."""

    step: int = 0
    epoch: int = 1
    losses: tuple[float, ...] = ()
    seconds: float = 0.0
    epochs: tuple[Epoch, ...] = ()
    best: int = 0


def checkpoint_bytes(learner: Learner) -> int:
    """About what a checkpoint takes."""
    return COPIES * sum(p.numel() * p.element_size() for p in learner.parameters()) + MEGABYTE


def save_checkpoint(
    run: Path, learner: Learner, optimizer: Optimizer, progress: Progress, kept: State
) -> None:
    """Write a checkpoint between two optimizer steps, seal it, and forget older ones.

    Raises:
        TrainingError: the weights are no longer finite numbers, or the disk is full.
    """
    from safetensors.torch import save_file

    if not all(bool(weight.isfinite().all()) for weight in learner.parameters()):
        raise TrainingError(
            f"The weights are no longer finite numbers after step {progress.step}; lower the "
            f"learning rates. {what_is_kept(run)}"
        )
    folder = run / f"checkpoint-{progress.step}"
    means = {
        f"{number}.{name}": value
        for number, values in optimizer.state_dict()["state"].items()
        for name, value in values.items()
    }
    parts = {WEIGHTS: learner.state(), MEANS: means, RANDOM: _random_states(learner.device)}
    if progress.best:
        parts[KEPT] = kept
    with writing(run, checkpoint_bytes(learner)):
        folder.mkdir(parents=True, exist_ok=True)
        # Without its seal it counts as cut short while it is written anew.
        (folder / WHOLE_FILE).unlink(missing_ok=True)
        for stem, tensors in parts.items():
            whole = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
            save_file(whole, folder / f"{stem}.safetensors")
        record = json.dumps(dataclasses.asdict(progress))
        (folder / PROGRESS_FILE).write_text(record, "utf-8")
        seal_checkpoint(folder)
        forget_old(run, None)


def load_checkpoint(folder: Path, learner: Learner, optimizer: Optimizer) -> tuple[Progress, State]:
    """Put a whole checkpoint back: weights, means, random states; what was kept comes back too."""
    from safetensors.torch import load_file

    progress = TypeAdapter(Progress).validate_json((folder / PROGRESS_FILE).read_bytes())
    learner.restore(load_file(folder / f"{WEIGHTS}.safetensors"))
    means: dict[int, State] = {}
    for key, value in load_file(folder / f"{MEANS}.safetensors").items():
        number, _, name = key.partition(".")
        means.setdefault(int(number), {})[name] = value
    optimizer.load_state_dict(optimizer.state_dict() | {"state": means})
    _set_random_states(load_file(folder / f"{RANDOM}.safetensors"))
    kept = load_file(folder / f"{KEPT}.safetensors") if progress.best else learner.state()
    return progress, kept


def drop_unproven(run: Path, progress: Progress) -> None:
    """Remove the checkpoint of this very step, if no dev score has shown its weights to be good."""
    if progress.losses:
        shutil.rmtree(run / f"checkpoint-{progress.step}", ignore_errors=True)


def _random_states(device: str) -> State:
    import torch

    states = {"cpu": torch.get_rng_state()}
    if device != "cpu":
        states[device] = getattr(torch, device).get_rng_state()
    return states


def _set_random_states(states: State) -> None:
    import torch

    torch.set_rng_state(states.pop("cpu"))
    for device, state in states.items():
        getattr(torch, device).set_rng_state(state)
