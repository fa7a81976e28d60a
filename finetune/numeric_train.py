"""The numeric recipe's training loop: epochs over the questions, dev's loss keeps the best."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import torch
from sentence_transformers import SentenceTransformer
from torch import nn
from tqdm import tqdm

from finetune.checkpoints import KEPT as HELD
from finetune.checkpoints import check_space, last_whole, step_of, what_is_kept
from finetune.hardware import Hardware
from finetune.heads import RegressionHeads, add_projections
from finetune.memory import memory_told
from finetune.numeric_checkpoints import (
    Epoch,
    Progress,
    checkpoint_bytes,
    drop_unproven,
    load_checkpoint,
    save_checkpoint,
)
from finetune.numeric_config import NumericConfig
from finetune.numeric_data import NumericData
from finetune.numeric_loss import Learner, Loss, batches
from rag_app.bars import progress_bar
from rag_app.errors import TrainingError
from rag_app.index.embedder import Embedder
from rag_app.index.models import ModelSpec

RATE = "rate"
"""Of a parameter group: its learning rate at the height of the schedule."""


@dataclass(frozen=True, slots=True)
class TrainedNumeric:
    """Model and heads of the epoch that dev chose (``best``, from 1), and all epochs' losses."""

    model: SentenceTransformer
    heads: RegressionHeads
    epochs: tuple[Epoch, ...]
    best: int


def train_numeric(
    spec: ModelSpec,
    data: NumericData,
    config: NumericConfig,
    hardware: Hardware,
    *,
    run: Path | None = None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
    say: Callable[[str], None] = lambda sentence: None,
) -> TrainedNumeric:
    """Train a fresh copy of ``spec`` with new projections and heads; keep dev's best epoch.

    Weights stay fp32; bf16 is autocast over them. ``on_epoch`` is told each epoch's losses; what
    it raises ends the training. ``run`` is the folder of checkpoints, from whose newest whole one
    it goes on; without one nothing is kept of a run that stops.

    Raises:
        ModelError: the base does not load.
        TrainingError: the loss is no longer a finite number, memory or disk are full.
    """
    torch.manual_seed(config.seed)
    if hardware.tf32:
        torch.set_float32_matmul_precision("high")
    advice = "lower `batch_size` (--set batch_size=N), or `max_tokens`"
    with memory_told(hardware.device, advice):
        model = add_projections(Embedder(spec).model.float(), config.dims, config.max_tokens)
        learner = Learner(model, RegressionHeads(config.dims), spec, config, hardware)
        epochs = _Epochs(learner, data, config, run)
        if run is not None:
            check_space(run, (HELD + 1) * checkpoint_bytes(learner))
            checkpoint = last_whole(run, say)
            if checkpoint is not None:
                say(f"Going on from step {step_of(checkpoint)}.")
                epochs.restore(checkpoint)
        return epochs.train(on_epoch)


class _Epochs:
    """The epochs of one run: what is done of them, and the weights of dev's best so far."""

    def __init__(
        self, learner: Learner, data: NumericData, config: NumericConfig, run: Path | None
    ) -> None:
        self._learner, self._data, self._config, self._run = learner, data, config, run
        parts = math.ceil(len(data.train.texts) / config.batch_size)
        self._per_epoch = math.ceil(parts / config.accumulation_steps)
        whole = config.epochs * self._per_epoch
        self._steps = min(whole, config.max_steps or whole)
        self._optimizer = _optimizer(learner, config)
        self._progress = Progress()
        self._kept = learner.state()
        self._saved = time.monotonic()

    def restore(self, checkpoint: Path) -> None:
        """Begin where a checkpoint was written."""
        self._progress, self._kept = load_checkpoint(checkpoint, self._learner, self._optimizer)

    def train(self, on_epoch: Callable[[Epoch], None]) -> TrainedNumeric:
        """Go through the epochs that are left."""
        order = torch.Generator().manual_seed(self._config.seed)
        with progress_bar("Training", self._steps, "steps") as bar:
            bar.update(min(self._progress.step, self._steps))
            for number in range(1, math.ceil(self._steps / self._per_epoch) + 1):
                # Drawn for epochs that are over too: the next ones are then those of a whole run.
                rows = torch.randperm(len(self._data.train.texts), generator=order).tolist()
                if number == self._progress.epoch:
                    epoch = self._run_epoch(rows, bar)
                    bar.set_postfix(epoch=number, dev=f"{epoch.dev_loss:.4f}")
                    on_epoch(epoch)
        self._learner.restore(self._kept)
        done = self._progress
        return TrainedNumeric(self._learner.model, self._learner.heads, done.epochs, done.best)

    def _run_epoch(self, rows: Sequence[int], bar: tqdm[NoReturn]) -> Epoch:
        """One pass, or what is left of it, and its dev score."""
        config, learner = self._config, self._learner
        started = time.perf_counter() - self._progress.seconds
        learner.set_training(True)
        z = self._data.z(self._data.train)
        losses = list(self._progress.losses)
        parts = list(batches(rows, config.batch_size))
        for place in range(len(losses) + 1, len(parts) + 1):
            if self._progress.step >= self._steps:
                break
            loss = learner.loss(self._data.train, z, parts[place - 1])
            self._check_finite(loss, place, parts[place - 1])
            torch.autograd.backward(loss.total / config.accumulation_steps)
            losses.append(loss.total.item())
            if place % config.accumulation_steps and place < len(parts):
                continue
            self._step()
            bar.update(1)
            self._progress = dataclasses.replace(
                self._progress,
                step=self._progress.step + 1,
                losses=tuple(losses),
                seconds=time.perf_counter() - started,
            )
            if place < len(parts):
                self._save_if_due()
        return self._end_epoch(losses, started)

    def _step(self) -> None:
        nn.utils.clip_grad_norm_(self._learner.parameters(), self._config.max_grad_norm)
        share = _rate_share(self._progress.step, self._steps, self._config.warmup_share)
        for group in self._optimizer.param_groups:
            group["lr"] = group[RATE] * share
        self._optimizer.step()
        self._optimizer.zero_grad()

    def _end_epoch(self, losses: Sequence[float], started: float) -> Epoch:
        """Score dev, keep the weights if they are the best, and write a checkpoint."""
        before, config = self._progress, self._config
        huber, contrastive = self._learner.mean_losses(self._data.dev, self._data.z(self._data.dev))
        weighted = config.numeric_weight * huber + config.contrastive_weight * contrastive
        if not math.isfinite(weighted):
            raise TrainingError(
                f"The dev loss is not a finite number after epoch {before.epoch}. {self._advice()}"
            )
        epoch = Epoch(
            number=before.epoch,
            train_loss=sum(losses) / len(losses),
            dev_loss=weighted,
            dev_huber=huber,
            dev_contrastive=contrastive,
            seconds=round(time.perf_counter() - started, 1),
        )
        best = before.best
        if weighted <= min((one.dev_loss for one in before.epochs), default=math.inf):
            best, self._kept = epoch.number, self._learner.state()
        self._progress = Progress(
            step=before.step, epoch=epoch.number + 1, epochs=(*before.epochs, epoch), best=best
        )
        self._save()
        return epoch

    def _save_if_due(self) -> None:
        if time.monotonic() - self._saved >= self._config.checkpoint_minutes * 60:
            self._save()

    def _save(self) -> None:
        if self._run is not None:
            save_checkpoint(self._run, self._learner, self._optimizer, self._progress, self._kept)
        self._saved = time.monotonic()

    def _check_finite(self, loss: Loss, place: int, rows: Sequence[int]) -> None:
        if math.isfinite(loss.total.item()):
            return
        ids = ", ".join(self._data.train.examples[row].id for row in rows)
        raise TrainingError(
            f"The loss is not a finite number in batch {place} of epoch {self._progress.epoch} "
            f"(questions {ids}): look for odd rows there, or else: {self._advice()}"
        )

    def _advice(self) -> str:
        config = self._config
        rates = f"({config.learning_rate:g} and {config.head_learning_rate:g})"
        kept = "Nothing was kept."
        if self._run is not None:
            drop_unproven(self._run, self._progress)
            kept = what_is_kept(self._run)
        return f"Lower the learning rates {rates}. {kept}"


def _optimizer(learner: Learner, config: NumericConfig) -> torch.optim.Optimizer:
    """AdamW with two rates."""
    new = learner.new_parameters()
    known = {id(parameter) for parameter in new}
    encoder = [parameter for parameter in learner.parameters() if id(parameter) not in known]
    return torch.optim.AdamW(
        [
            {"params": encoder, RATE: config.learning_rate},
            {"params": new, RATE: config.head_learning_rate},
        ],
        weight_decay=config.weight_decay,
    )


def _rate_share(step: int, steps: int, warmup_share: float) -> float:
    """The share of a rate after ``step`` steps: it rises linearly, then falls to 0 by cosine."""
    warmup = math.ceil(warmup_share * steps)
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))
