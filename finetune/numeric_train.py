"""The numeric recipe's training loop: epochs over the questions, dev's loss keeps the best."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from sentence_transformers import SentenceTransformer
from torch import nn

from finetune.hardware import Hardware
from finetune.heads import RegressionHeads, add_projections
from finetune.numeric_config import NumericConfig
from finetune.numeric_data import NumericData, NumericPart
from finetune.numeric_loss import Learner, Loss, batches
from rag_app.bars import progress_bar
from rag_app.errors import TrainingError
from rag_app.index.embedder import Embedder
from rag_app.index.models import ModelSpec


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
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> TrainedNumeric:
    """Train a fresh copy of ``spec`` with new projections and heads; keep dev's best epoch.

    Weights stay fp32; bf16 is autocast over them. ``on_epoch`` is told each epoch's losses; what
    it raises ends the training.

    Raises:
        ModelError: the base does not load.
        TrainingError: the loss is no longer a finite number.
    """
    torch.manual_seed(config.seed)
    if hardware.tf32:
        torch.set_float32_matmul_precision("high")
    model = add_projections(Embedder(spec).model.float(), config.dims, config.max_tokens)
    learner = Learner(model, RegressionHeads(config.dims), spec, config, hardware)
    per_epoch = math.ceil(
        math.ceil(len(data.train.texts) / config.batch_size) / config.accumulation_steps
    )
    steps = min(config.epochs * per_epoch, config.max_steps or config.epochs * per_epoch)
    optimizer, schedule = _optimizer(learner, config, steps)
    order = torch.Generator().manual_seed(config.seed)
    epochs: list[Epoch] = []
    best, kept = 0, learner.state()
    with progress_bar("Training", steps, "steps") as bar:

        def step() -> bool:
            nn.utils.clip_grad_norm_(learner.parameters(), config.max_grad_norm)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            bar.update(1)
            return schedule.last_epoch < steps

        for number in range(1, math.ceil(steps / per_epoch) + 1):
            started = time.perf_counter()
            rows = torch.randperm(len(data.train.texts), generator=order).tolist()
            train_loss = _run_epoch(learner, data, config, number, rows, step)
            huber, contrastive = learner.mean_losses(data.dev, data.z(data.dev))
            weighted = config.numeric_weight * huber + config.contrastive_weight * contrastive
            seconds = round(time.perf_counter() - started, 1)
            epochs.append(Epoch(number, train_loss, weighted, huber, contrastive, seconds))
            bar.set_postfix(epoch=number, dev=f"{weighted:.4f}")
            on_epoch(epochs[-1])
            if weighted <= min(epoch.dev_loss for epoch in epochs):
                best, kept = number, learner.state()
    learner.restore(kept)
    return TrainedNumeric(learner.model, learner.heads, tuple(epochs), best)


def _run_epoch(
    learner: Learner,
    data: NumericData,
    config: NumericConfig,
    number: int,
    rows: Sequence[int],
    step: Callable[[], bool],
) -> float:
    """Mean loss of one pass; ``step`` changes the weights and says whether to go on.

    Raises:
        TrainingError: a batch's loss is not finite.
    """
    learner.set_training(True)
    z = data.z(data.train)
    losses: list[float] = []
    parts = list(batches(rows, config.batch_size))
    for place, batch in enumerate(parts, start=1):
        loss = learner.loss(data.train, z, batch)
        _check_finite(loss, number, place, data.train, batch, config)
        torch.autograd.backward(loss.total / config.accumulation_steps)
        losses.append(loss.total.item())
        if place % config.accumulation_steps and place < len(parts):
            continue
        if not step():
            break
    return sum(losses) / len(losses)


def _check_finite(
    loss: Loss,
    epoch: int,
    place: int,
    part: NumericPart,
    rows: Sequence[int],
    config: NumericConfig,
) -> None:
    if math.isfinite(loss.total.item()):
        return
    ids = ", ".join(part.examples[row].id for row in rows)
    raise TrainingError(
        f"The loss is not a finite number in batch {place} of epoch {epoch} (questions {ids}), so "
        f"nothing was kept; look at those rows or lower the learning rates "
        f"({config.learning_rate:g} and {config.head_learning_rate:g})."
    )


def _optimizer(
    learner: Learner, config: NumericConfig, steps: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """AdamW with two rates; each rises linearly, then falls along a cosine to 0."""
    new = learner.new_parameters()
    known = {id(parameter) for parameter in new}
    encoder = [parameter for parameter in learner.parameters() if id(parameter) not in known]
    optimizer = torch.optim.AdamW(
        [
            {"params": encoder, "lr": config.learning_rate},
            {"params": new, "lr": config.head_learning_rate},
        ],
        weight_decay=config.weight_decay,
    )
    warmup = math.ceil(config.warmup_share * steps)

    def share(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))

    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, share)
