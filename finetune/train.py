"""Pairs and a config to a trained sentence-transformers model."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sentence_transformers import SentenceTransformer

from finetune.adapter import save_adapter
from finetune.config import TrainConfig
from finetune.curves import Curve
from finetune.dev import Judge
from finetune.lora import SCALE, stored_matrices
from finetune.memory import memory_told
from finetune.model_folder import ADAPTER_FOLDER
from finetune.pairs import Pairs
from finetune.run import Workplace, fresh_model, kept_weights, train_seed
from finetune.turning import AXES_FILE, write_axes
from finetune.weights import blend
from rag_app.index.adapter import apply_adapter
from rag_app.index.embedder import Embedder
from rag_app.index.models import ModelSpec


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained model, what each seed's run went through, seconds, the share of padding, and the
    folder of the adapter that was merged, if any.

    Seconds and padding are those of the whole run, before it was stopped and resumed too.
    """

    model: SentenceTransformer
    curves: tuple[Curve, ...]
    seconds: float
    padding: float
    adapter: Path | None = None


def train(
    spec: ModelSpec,
    pairs: Pairs,
    config: TrainConfig,
    workplace: Workplace,
    *,
    judge: Judge | None = None,
    say: Callable[[str], None] = lambda sentence: None,
) -> Trained:
    """Train fresh copies of ``spec``, one a seed, and blend what was kept of them.

    ``judge`` scores the dev questions ``config.evaluations`` times a run and the best step is kept;
    without one it is the last. A run that finds its checkpoints in the scratch folder goes on from
    the newest whole one.

    Raises:
        ModelError: the base does not load.
        TrainingError: the loss is no longer a finite number, memory or disk are full.
    """
    # It warns of a passage as the loss's anchor, which a recipe may choose.
    logging.getLogger("sentence_transformers.base.data_collator").setLevel(logging.ERROR)
    started = time.perf_counter()
    if config.principal_axes and workplace.processes.leads:
        write_axes(spec, pairs.dataset, workplace.scratch / AXES_FILE, config.seed)
    workplace.processes.wait()
    smaller = "mini_batch_size" if config.mini_batch_size else "batch_size"
    with memory_told(
        workplace.hardware.device,
        f"lower `{smaller}` (--set {smaller}=N), or set `mini_batch_size` to cut batches into "
        "parts that are computed one after another",
    ):
        runs = [
            train_seed(spec, pairs, config, workplace, seed, judge, say)
            for seed in range(config.seed, config.seed + config.seeds)
        ]
    workplace.processes.wait()
    model = fresh_model(spec, config, workplace.scratch)
    curves = tuple(run.curve for run in runs)
    kept = [kept_weights(workplace.scratch, curve.seed) for curve in curves]
    adapter = None
    if config.lora_rank:
        adapter = workplace.scratch / ADAPTER_FOLDER
        model = _with_matrices(model, kept[0], adapter, spec, config)
    else:
        blend(model, kept, config.base_share)
    return Trained(
        model=model,
        curves=curves,
        seconds=time.perf_counter() - started + sum(run.earlier_s for run in runs),
        padding=sum(run.padding for run in runs) / len(runs),
        adapter=adapter,
    )


def _with_matrices(
    begun: SentenceTransformer, kept: Path, folder: Path, spec: ModelSpec, config: TrainConfig
) -> SentenceTransformer:
    """Write the adapter, and add it to the base as the app does."""
    matrices = stored_matrices(begun, kept, 1 - config.base_share)
    save_adapter(folder, spec, matrices, SCALE, config.trained_dims(spec.dims))
    model = Embedder(spec).model.float()
    apply_adapter(model, folder)
    return model
