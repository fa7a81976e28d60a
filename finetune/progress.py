"""Callback of the trainer that notes each step in a file, for whoever looks on."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from finetune.watch import DEV_KEY
from rag_app.training import PROGRESS_FILE


class Notes(TrainerCallback):
    """Writes ``progress.jsonl`` into a seed's folder; only the leader has one."""

    def __init__(self, run: Path, seed: int, pairs_a_step: int) -> None:
        self._file = run / PROGRESS_FILE
        self._seed = seed
        self._pairs = pairs_a_step
        self._began = time.perf_counter()
        self._begun_at = 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Count time and steps from here: a resumed run has taken some already."""
        self._began, self._begun_at = time.perf_counter(), state.global_step

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Note a step's loss, or a dev score."""
        logs, at = kwargs["logs"], {"seed": self._seed, "step": state.global_step}
        if "loss" in logs:
            done = state.global_step - self._begun_at
            seconds = time.perf_counter() - self._began
            self._note(
                at
                | {
                    "of": state.max_steps,
                    "loss": round(logs["loss"], 5),
                    "lr": logs["learning_rate"],
                    "pairs_per_s": round(done * self._pairs / seconds, 1),
                    "left_s": round((state.max_steps - state.global_step) * seconds / done, 1),
                }
            )
        elif DEV_KEY in logs:
            self._note(at | {"dev": round(logs[DEV_KEY], 5)})

    def _note(self, record: dict[str, Any]) -> None:
        with suppress(OSError):  # a full disk stops the run at its next checkpoint, and is said
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
