"""Pairs and a config to a trained sentence-transformers model."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer
from sentence_transformers.sentence_transformer.training_args import (
    SentenceTransformerTrainingArguments,
)
from tqdm import tqdm
from transformers import PrinterCallback, TrainerCallback

from finetune.config import TrainConfig
from finetune.hardware import Hardware
from finetune.losses import build_loss
from finetune.pairs import Pairs
from rag_app.bars import progress_bar
from rag_app.errors import TrainingError
from rag_app.index.embedder import Embedder
from rag_app.index.models import ModelSpec


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained model, the loss of each optimizer step, and how long the steps took."""

    model: SentenceTransformer
    losses: tuple[float, ...]
    seconds: float


def train(
    spec: ModelSpec, pairs: Pairs, config: TrainConfig, hardware: Hardware, scratch: Path
) -> Trained:
    """Train a fresh copy of ``spec`` and keep its last step.

    Weights stay fp32; bf16 is autocast over them. ``scratch`` is a folder for what the trainer
    writes; nothing in it is needed afterwards.

    Raises:
        ModelError: the base does not load.
        TrainingError: the loss is no longer a finite number.
    """
    model = Embedder(spec).model.float()
    # It warns of a passage as the loss's anchor, which a recipe may choose.
    logging.getLogger("sentence_transformers.base.data_collator").setLevel(logging.ERROR)
    dims = config.trained_dims(spec.dims)
    watch = LossWatch(config)
    trainer = CardlessTrainer(
        model=model,
        args=_arguments(spec, config, hardware, scratch),
        train_dataset=pairs.dataset,
        loss=build_loss(config.loss, model, dims),
        callbacks=[watch],
    )
    trainer.remove_callback(PrinterCallback)
    started = time.perf_counter()
    try:
        trainer.train()
    finally:
        watch.close()
    return Trained(model, tuple(watch.losses), time.perf_counter() - started)


class CardlessTrainer(SentenceTransformerTrainer):
    """The trainer without its model card, for which it asks the hub; ``card.py`` writes ours."""

    def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
        """Add none."""


class LossWatch(TrainerCallback):
    """Draws the progress bar, keeps each step's loss, and stops at one that is not finite."""

    def __init__(self, config: TrainConfig) -> None:
        self.losses: list[float] = []
        self._config = config
        self._bar: tqdm[NoReturn] | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Count in batches: on a processor an optimizer step of 16 takes most of a minute."""
        epoch, accumulation = len(kwargs["train_dataloader"]), args.gradient_accumulation_steps
        # The last step of an epoch takes the batches that are left.
        epochs, steps = divmod(state.max_steps, math.ceil(epoch / accumulation))
        batches = epochs * epoch + min(steps * accumulation, epoch)
        self._bar = progress_bar("Training", batches, "batches")

    def on_substep_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """A batch whose gradients are only added up."""
        self._advance()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """A batch after which the weights change."""
        self._advance()

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Read the step's mean loss.

        Raises:
            TrainingError: it is not finite.
        """
        logs = kwargs["logs"]
        if "loss" not in logs:
            return
        loss = float(logs["loss"])
        if not math.isfinite(loss):
            raise TrainingError(
                f"The loss is {loss} at step {state.global_step}, so nothing was kept; look for "
                f"odd rows in {self._config.data} or lower the learning rate "
                f"({self._config.learning_rate})."
            )
        self.losses.append(loss)
        if self._bar is not None:
            self._bar.set_postfix(
                step=f"{state.global_step}/{state.max_steps}", loss=f"{loss:.3f}", refresh=False
            )

    def close(self) -> None:
        """Leave the bar as it stands."""
        if self._bar is not None:
            self._bar.close()

    def _advance(self) -> None:
        if self._bar is not None:
            self._bar.update(1)


def _arguments(
    spec: ModelSpec, config: TrainConfig, hardware: Hardware, scratch: Path
) -> SentenceTransformerTrainingArguments:
    prompts = {"anchor": spec.query_prompt, "positive": spec.document_prompt}
    return SentenceTransformerTrainingArguments(
        output_dir=str(scratch),
        num_train_epochs=config.epochs,
        max_steps=config.max_steps or -1,
        per_device_train_batch_size=config.batch_size,
        gradient_accumulation_steps=config.accumulation_steps,
        batch_sampler=config.batch_sampler,
        # The trainer reads these, the encoder reads model.prompts: Embedder has set those.
        prompts={column: prompt for column, prompt in prompts.items() if prompt},
        optim=config.optimizer,
        learning_rate=config.learning_rate,
        lr_scheduler_type=config.schedule,
        warmup_steps=config.warmup_share,
        max_grad_norm=config.max_grad_norm,
        seed=config.seed,
        use_cpu=hardware.device == "cpu",
        bf16=hardware.bf16,
        tf32=hardware.tf32 or None,
        dataloader_pin_memory=hardware.device == "cuda",
        logging_steps=1,
        # The filter would log the running mean in place of a loss that is not a number.
        logging_nan_inf_filter=False,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
