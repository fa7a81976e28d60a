"""Callbacks of the trainer: what is shown of a run, and when it is scored and saved."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any, NoReturn

from tqdm import tqdm
from transformers import TrainerCallback

from finetune.dev import METRIC
from finetune.processes import Processes
from rag_app.bars import progress_bar

DEV_KEY = f"eval_{METRIC}"
"""Under this name the trainer looks for the dev score that chooses the checkpoint."""


class Display(TrainerCallback):
    """Draws the progress bar and writes TensorBoard's log; only the leader has one.

    Read the log with ``tensorboard --logdir`` on the folder above ``logs``: one run a folder.
    """

    def __init__(self, logs: Path, pairs_a_batch: int) -> None:
        from tensorboardX import SummaryWriter

        self._writer = SummaryWriter(str(logs))
        self._pairs = pairs_a_batch
        self._bar: tqdm[NoReturn] | None = None
        self._shown: dict[str, str] = {}
        self._started = time.perf_counter()
        self._batches = 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Count in batches: on a processor an optimizer step of 16 takes most of a minute."""
        epoch, accumulation = len(kwargs["train_dataloader"]), args.gradient_accumulation_steps

        def batches(steps: int) -> int:
            # The last step of an epoch takes the batches that are left.
            epochs, rest = divmod(steps, math.ceil(epoch / accumulation))
            return int(epochs * epoch + min(rest * accumulation, epoch))

        self._bar = progress_bar("Training", batches(state.max_steps), "batches")
        self._bar.update(batches(state.global_step))
        self._started = time.perf_counter()

    def on_substep_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """A batch whose gradients are only added up."""
        self._advance()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """A batch after which the weights change."""
        self._advance()

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Show a step's mean loss and learning rate, or a dev score."""
        logs = kwargs["logs"]
        for key, name, form in (
            ("loss", "loss", ".3f"),
            ("learning_rate", "lr", ".1e"),
            (DEV_KEY, f"dev {METRIC}", ".4f"),
        ):
            if key in logs:
                self._shown[name] = format(logs[key], form)
                self._writer.add_scalar(name.replace(" ", "/"), logs[key], state.global_step)
        if self._bar is not None:
            speed = self._batches * self._pairs / (time.perf_counter() - self._started)
            step = f"{state.global_step}/{state.max_steps}"
            shown = {"step": step, **self._shown, "pairs/s": f"{speed:.0f}"}
            self._bar.set_postfix(shown, refresh=False)

    def close(self) -> None:
        """Leave the bar as it stands."""
        self._writer.close()
        if self._bar is not None:
            self._bar.close()

    def _advance(self) -> None:
        self._batches += 1
        if self._bar is not None:
            self._bar.update(1)


class Milestones(TrainerCallback):
    """Asks for a dev score at ``evaluations`` equal distances, the last step among them, and for a
    checkpoint after each score and every few minutes."""

    def __init__(self, evaluations: int, checkpoint_minutes: float, processes: Processes) -> None:
        self._evaluations = evaluations
        self._seconds = checkpoint_minutes * 60
        self._processes = processes
        self._saved = time.monotonic()
        self._scored: set[int] = set()

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Choose the steps to score."""
        parts = range(1, self._evaluations + 1)
        self._scored = {max(1, state.max_steps * part // self._evaluations) for part in parts}
        self._saved = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Ask for what is due."""
        due = self._processes.agree(time.monotonic() - self._saved >= self._seconds)
        if state.global_step in self._scored:
            control.should_evaluate = control.should_save = True
        elif due:
            control.should_save = True

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Count the minutes from here."""
        self._saved = time.monotonic()
