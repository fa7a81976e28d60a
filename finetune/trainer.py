"""sentence-transformers' trainer with our checkpoints, our dev score, and a stop at bad losses."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import torch
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer
from torch.utils.data import DataLoader

from finetune.batches import SharedBatches
from finetune.checkpoints import (
    MEGABYTE,
    SPENT_FILE,
    WEIGHTS_FILE,
    forget_old,
    seal_checkpoint,
    what_is_kept,
    writing,
)
from finetune.dev import Judge
from finetune.processes import Processes
from finetune.watch import DEV_KEY
from finetune.weights import all_finite, load_trained, save_trained, trained_parameters
from rag_app.errors import TrainingError

TEXTS_NAMED = 3


class RetrieverTrainer(SentenceTransformerTrainer):
    """Differs from its parent in what it writes, how it scores, and when it stops.

    It writes no model card, for which the parent asks the hub, and no pickled arguments.
    """

    model: SentenceTransformer

    def __init__(self, *, judge: Judge | None, processes: Processes, **options: Any) -> None:
        super().__init__(**options)
        self._run = Path(str(self.args.output_dir))
        self._judge = judge
        self._processes = processes
        self._began = time.perf_counter()
        self.earlier_s = 0.0  # that the run took before it was resumed
        self._tokens = 0
        self._real_tokens: torch.Tensor | int = 0

    @property
    def seconds(self) -> float:
        """What the run took so far."""
        return self.earlier_s + time.perf_counter() - self._began

    @property
    def padding(self) -> float:
        """The share of the tokens computed so far that was padding."""
        return 1 - int(self._real_tokens) / self._tokens if self._tokens else 0.0

    def go_on_from(self, checkpoint: Path) -> None:
        """Take a checkpoint's weights, and count on from what had been spent by then."""
        load_trained(self.model, checkpoint / WEIGHTS_FILE)
        if (checkpoint / SPENT_FILE).exists():  # it was not always written
            spent = json.loads((checkpoint / SPENT_FILE).read_text("utf-8"))
            self.earlier_s = spent["seconds"]
            self._tokens, self._real_tokens = spent["tokens"], spent["real_tokens"]

    def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
        """Add none."""

    def get_train_dataloader(self) -> DataLoader[Any]:
        """This process's part of every batch.

        accelerate shares out batches of full size alone, and behind its own sampler ours is not
        told the epoch of a resumed run: where there are several processes, we share them out.

        Raises:
            TrainingError: there are too few pairs for a batch.
        """
        if self._processes.count == 1:
            return super().get_train_dataloader()
        from accelerate.data_loader import prepare_data_loader

        args = self.args
        # For the types: ours, which the parent's declarations do not know.
        dataset: Any = self.train_dataset
        whole: Any = self.get_batch_sampler(
            dataset,
            batch_size=args.train_batch_size,
            drop_last=args.dataloader_drop_last,
            valid_label_columns=self.data_collator.valid_label_columns,
            generator=torch.Generator().manual_seed(args.seed),
            seed=args.seed,
        )
        if not len(whole):
            raise TrainingError(
                f"{len(dataset)} pairs make no batch of {args.train_batch_size}, which is that of "
                f"all {self._processes.count} processes; lower `batch_size`, or start fewer."
            )
        loader = DataLoader(
            dataset,
            batch_sampler=SharedBatches(whole, self._processes),
            collate_fn=self.data_collator,
            pin_memory=args.dataloader_pin_memory,
        )
        prepared: DataLoader[Any] = prepare_data_loader(
            loader,
            device=self.accelerator.device,
            num_processes=1,
            process_index=0,
            put_on_device=True,
        )
        return prepared

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """The loss of one batch.

        Raises:
            TrainingError: it is not a finite number; the message names the batch's first texts.
        """
        for name, mask in inputs.items():
            if name.endswith("attention_mask"):
                self._tokens += mask.numel()
                self._real_tokens = self._real_tokens + mask.sum()
        # It has no outputs to return: the parent's are empty too.
        loss: Any = super().compute_loss(model, inputs, False, num_items_in_batch)
        if not torch.isfinite(loss):
            step = self.state.global_step
            # The weights that gave this loss are no good, though they may be finite numbers.
            shutil.rmtree(self._run / f"checkpoint-{step}", ignore_errors=True)
            raise TrainingError(
                f"The loss is {float(loss.detach())} in step {step + 1}, in the batch that begins "
                f"with {self._first_texts(inputs)}; look for odd rows there, or lower "
                f"`learning_rate`. {what_is_kept(self._run)}"
            )
        return (loss, {}) if return_outputs else loss

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """The dev score, found by the leader, known to all."""
        from accelerate.utils import broadcast_object_list

        score = 0.0
        if self._judge is not None and self._processes.leads:
            number = sum(DEV_KEY in entry for entry in self.state.log_history)
            score = self._judge.score(self.model, number)
        metrics = {DEV_KEY: float(broadcast_object_list([score])[0])}
        self.log(dict(metrics))
        # Without it the request stands, and the last step of an epoch is scored twice.
        self.control = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, metrics
        )
        return metrics

    def _first_texts(self, inputs: dict[str, Any]) -> str:
        ids = next(value for name, value in inputs.items() if name.endswith("input_ids"))
        texts = self.model.tokenizer.batch_decode(ids[:TEXTS_NAMED], skip_special_tokens=True)
        return "; ".join(json.dumps(text) for text in texts)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Write a checkpoint, seal it, and forget older ones.

        Raises:
            TrainingError: the weights are no longer finite numbers, or the disk is full.
        """
        if not all_finite(self.model):
            raise TrainingError(
                f"The weights are no longer finite numbers after step {self.state.global_step}; "
                f"lower `learning_rate`. {what_is_kept(self._run)}"
            )
        with writing(self._run, checkpoint_bytes(self.model)):
            super()._save_checkpoint(model, trial)
            self._processes.wait()
            if self._processes.leads:
                self._note_spent(self._run / f"checkpoint-{self.state.global_step}")
                seal_checkpoint(self._run / f"checkpoint-{self.state.global_step}")
                forget_old(self._run, self.state.best_model_checkpoint)

    def _note_spent(self, checkpoint: Path) -> None:
        spent = {
            "seconds": round(self.seconds, 1),
            "tokens": self._tokens,
            "real_tokens": int(self._real_tokens),
        }
        (checkpoint / SPENT_FILE).write_text(json.dumps(spent), "utf-8")

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        """Write the weights that train, as safetensors, and nothing else."""
        folder = Path(output_dir or self._run)
        folder.mkdir(parents=True, exist_ok=True)
        save_trained(self.model, folder / WEIGHTS_FILE)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        self.go_on_from(Path(resume_from_checkpoint))


def checkpoint_bytes(model: SentenceTransformer) -> int:
    """About what a checkpoint takes: the weights that train, and Adam's two means of each."""
    weights = trained_parameters(model).values()
    return 3 * sum(weight.numel() * weight.element_size() for weight in weights) + MEGABYTE
