"""One seed's run: trainer, arguments, checkpoints, what is kept of it."""

from __future__ import annotations

import dataclasses
import functools
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sentence_transformers import SentenceTransformer
from sentence_transformers.base.sampler import DefaultBatchSampler, NoDuplicatesBatchSampler
from sentence_transformers.sentence_transformer.training_args import (
    SentenceTransformerTrainingArguments,
)
from transformers import PrinterCallback

from finetune.batches import LengthBatchSampler, token_lengths
from finetune.checkpoints import (
    WEIGHTS_FILE,
    check_space,
    checkpoints,
    last_whole,
    step_of,
    writing,
)
from finetune.config import TrainConfig
from finetune.curves import CURVE_FILE, Curve
from finetune.dev import Judge
from finetune.hardware import Hardware
from finetune.lora import add_matrices
from finetune.losses import build_loss
from finetune.pairs import Pairs
from finetune.processes import ALONE, Processes
from finetune.progress import Notes
from finetune.trainer import RetrieverTrainer, checkpoint_bytes
from finetune.turning import AXES_FILE, turn
from finetune.watch import DEV_KEY, Display, Milestones
from rag_app.index.embedder import Embedder
from rag_app.index.models import ModelSpec
from rag_app.sealed import write_whole

HELD_COPIES = 4
"""So many checkpoints may be on the disk at once: two, the best one, and one in the making."""
NEVER = 1_000_000_000
"""An optimizer step that no run reaches."""


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where a run happens: ``scratch`` takes what a resumed run needs, ``logs`` TensorBoard's.

    ``guide`` judges the negatives of a guided loss; without one the untuned base does.
    """

    scratch: Path
    logs: Path
    hardware: Hardware
    processes: Processes = ALONE
    guide: ModelSpec | None = None


@dataclass(frozen=True, slots=True)
class SeedRun:
    """What one seed's run went through, the share of padding, and the seconds that it had taken
    when this process went on with it."""

    curve: Curve
    padding: float
    earlier_s: float


def train_seed(
    spec: ModelSpec,
    pairs: Pairs,
    config: TrainConfig,
    workplace: Workplace,
    seed: int,
    judge: Judge | None,
    say: Callable[[str], None],
) -> SeedRun:
    """Train one copy and keep its best or last weights on disk, with what it went through."""
    run = workplace.scratch / f"seed-{seed}"
    record = run / CURVE_FILE
    if record.exists():
        stored = json.loads(record.read_text("utf-8"))
        seconds = float(stored.get("seconds", 0))  # it was not always kept
        return SeedRun(Curve.from_record(stored["curve"]), float(stored["padding"]), seconds)
    model = fresh_model(spec, config, workplace.scratch)
    if config.lora_rank:
        add_matrices(model, config.lora_rank)
    if workplace.processes.leads:
        last_whole(run, say)
    workplace.processes.wait()
    checkpoint = last_whole(run, lambda sentence: None)
    if checkpoint is not None:
        say(f"Going on from step {step_of(checkpoint)}.")
    trainer = _build_trainer(model, spec, pairs, config, workplace, seed, judge, say)
    trainer.args.eval_on_start = judge is not None and checkpoint is None
    check_space(workplace.scratch, HELD_COPIES * checkpoint_bytes(model))
    if checkpoint is not None and step_of(checkpoint) >= (config.max_steps or NEVER):
        trainer.go_on_from(checkpoint)
        state = json.loads((checkpoint / "trainer_state.json").read_text("utf-8"))
        logs, best = state["log_history"], checkpoint
    else:
        logs, best = _run(trainer, checkpoint)
    curve = Curve.from_logs(seed, logs, DEV_KEY, step_of(best))
    if workplace.processes.leads:
        kept = {
            "curve": dataclasses.asdict(curve),
            "padding": round(trainer.padding, 4),
            "seconds": round(trainer.seconds, 1),
        }
        with writing(run, checkpoint_bytes(model)):
            shutil.copyfile(best / WEIGHTS_FILE, kept_weights(workplace.scratch, seed))
            write_whole(record, json.dumps(kept).encode())
        for folder in checkpoints(run):
            shutil.rmtree(folder)
    return SeedRun(curve, trainer.padding, trainer.earlier_s)


def fresh_model(spec: ModelSpec, config: TrainConfig, scratch: Path) -> SentenceTransformer:
    """The base in memory as training begins with it, in fp32."""
    model = Embedder(spec).model.float()
    if config.principal_axes:
        turn(model, scratch / AXES_FILE)
    return model


def _run(trainer: RetrieverTrainer, checkpoint: Path | None) -> tuple[list[dict[str, Any]], Path]:
    """Train to the end; the log, and the checkpoint to keep: the best on dev, else the last."""
    try:
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    finally:
        for callback in trainer.callback_handler.callbacks:
            if isinstance(callback, Display):
                callback.close()
    last = Path(str(trainer.args.output_dir)) / f"checkpoint-{trainer.state.global_step}"
    return trainer.state.log_history, Path(trainer.state.best_model_checkpoint or last)


def _build_trainer(
    model: SentenceTransformer,
    spec: ModelSpec,
    pairs: Pairs,
    config: TrainConfig,
    workplace: Workplace,
    seed: int,
    judge: Judge | None,
    say: Callable[[str], None],
) -> RetrieverTrainer:
    processes = workplace.processes
    # The trainer reads these, the encoder reads model.prompts: Embedder has set those.
    prompts = {
        column: spec.query_prompt if column == "anchor" else spec.document_prompt
        for column in pairs.dataset.column_names
    }
    arguments = _arguments(prompts, config, workplace, seed)
    sampler: Callable[..., DefaultBatchSampler] = functools.partial(
        NoDuplicatesBatchSampler, drop_last=processes.count > 1
    )
    if config.batch_sampler == "no_duplicates_by_length":
        sampler = functools.partial(
            LengthBatchSampler,
            lengths=token_lengths(model, pairs.dataset, prompts),
            mini_batch_size=config.mini_batch_size,
            groups=pairs.groups,
            parts=processes.count,
            drop_last=False,
        )

    def batches(dataset: Any, **options: Any) -> DefaultBatchSampler:
        # Before 6.2 the trainer tells its sampler no seed; and the last batch of several processes,
        # which it would have dropped, can be shared out.
        del options["drop_last"]
        drawn = sampler(dataset, **(options | {"seed": seed}))
        if isinstance(drawn, LengthBatchSampler) and drawn.spare:
            say(
                f"{drawn.spare} packs mix with the other pairs: batches of packs are shared out "
                f"among {processes.count} processes in equal parts."
            )
        return drawn

    arguments.batch_sampler = batches
    callbacks: list[Any] = [
        Milestones(config.evaluations if judge else 0, config.checkpoint_minutes, processes)
    ]
    if processes.leads:
        pairs_a_batch = config.batch_size * processes.count
        callbacks += [
            Display(workplace.logs, pairs_a_batch),
            Notes(Path(str(arguments.output_dir)), seed, pairs_a_batch * config.accumulation_steps),
        ]
    trainer = RetrieverTrainer(
        judge=judge,
        processes=processes,
        model=model,
        args=arguments,
        train_dataset=pairs.dataset,
        loss=build_loss(
            model,
            config,
            config.trained_dims(spec.dims),
            lambda: Embedder(workplace.guide or spec).model.float(),
            gather=processes.count > 1,
        ),
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _arguments(
    prompts: dict[str, str], config: TrainConfig, workplace: Workplace, seed: int
) -> SentenceTransformerTrainingArguments:
    hardware, processes = workplace.hardware, workplace.processes
    return SentenceTransformerTrainingArguments(
        output_dir=str(workplace.scratch / f"seed-{seed}"),
        num_train_epochs=config.epochs,
        max_steps=config.max_steps or -1,
        # The batch of all processes together, of which each takes its part: so the sampler keeps
        # texts from standing twice among all the negatives that are gathered.
        per_device_train_batch_size=config.batch_size * processes.count,
        dataloader_drop_last=processes.count > 1,
        gradient_accumulation_steps=config.accumulation_steps,
        prompts={column: prompt for column, prompt in prompts.items() if prompt},
        optim=config.optimizer,
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        lr_scheduler_type=config.schedule,
        warmup_steps=config.warmup_share,
        max_grad_norm=config.max_grad_norm,
        seed=seed,
        use_cpu=hardware.device == "cpu",
        bf16=hardware.bf16,
        tf32=hardware.tf32 or None,
        dataloader_pin_memory=hardware.device == "cuda",
        logging_steps=1,
        # The filter would log the running mean in place of a loss that is not a number.
        logging_nan_inf_filter=False,
        # The last step is saved in any case, the others when Milestones asks.
        save_strategy="steps",
        save_steps=NEVER,
        metric_for_best_model=DEV_KEY,
        greater_is_better=True,
        report_to="none",
        disable_tqdm=True,
    )


def kept_weights(scratch: Path, seed: int) -> Path:
    """Where a seed's kept weights are, once its run has ended."""
    return scratch / f"seed-{seed}" / "kept.safetensors"
