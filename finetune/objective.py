"""What a trial of a sweep trains and how it is judged: a recipe's pairs, its dev questions."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

from eval.rows import Columns, load_qa_rows
from finetune.config import TrainConfig, load_config
from finetune.dev import METRIC, Judge
from finetune.feedback_rows import NO_FEEDBACK, feedback_for
from finetune.hardware import detect_hardware
from finetune.held_out import dev_evalset, split_for
from finetune.material import training_pairs
from finetune.provenance import rows_sha256
from finetune.search import Value
from finetune.sweep import Objective
from rag_app.errors import TrainingError
from rag_app.index.models import resolve_model

SCRATCH = "scratch"
SAME = frozenset(
    {"base", "data", "split", "dev_share", "served_dim", "evaluations", "holdout", "fold"}
)
"""Fields without which dev scores of two trials could not be compared."""
MATERIAL = frozenset(
    {
        "negatives",
        "negative_ceiling",
        "serve_on",
        "columns",
        "merge_duplicates",
        "packs",
        "pack_tokens",
        "feedback_share",
        "seed",
    }
)
"""Fields that decide what the pairs are; where none of them varies, all trials share the pairs."""


def pairs_objective(
    config: TrainConfig,
    home: Path,
    folder: Path,
    *,
    columns: Columns = Columns(),  # noqa: B008 - frozen
    query_prompt: str | None = None,
    document_prompt: str | None = None,
    say: Callable[[str], None],
) -> Objective:
    """What a sweep maximises: nDCG@10 on dev, at the served dimension, of the weights kept.

    ``folder`` is the study's; a trial's checkpoints are in it while it runs.

    Raises:
        TrainingError: the recipe asks for no dev score.
        RagError: data or base cannot be used.
    """
    if not config.evaluations:
        raise TrainingError(
            f"The recipe {config.recipe} scores no dev rows, so trials cannot be judged; add "
            "--set dev_share=0.1 --set evaluations=4."
        )
    rows = load_qa_rows(config.data, columns)
    split = split_for(rows, config)
    dev = dev_evalset(split)
    spec = resolve_model(
        config.base, home, query_prompt=query_prompt, document_prompt=document_prompt
    )
    feedback = feedback_for(split, home) if config.feedback_share else NO_FEEDBACK
    pairs = training_pairs(split.train, config, spec, home, say, feedback)
    hardware = detect_hardware()
    scratch = folder / SCRATCH

    def run(values: dict[str, Value], report: Callable[[int, float], None]) -> float:
        from finetune.run import Workplace
        from finetune.train import train

        trial = _with(config, values)
        chosen = pairs
        if not MATERIAL.isdisjoint(values):
            chosen = training_pairs(split.train, trial, spec, home, say, feedback)
        shutil.rmtree(scratch, ignore_errors=True)  # of a trial that was killed
        scratch.mkdir(parents=True)
        judge = Judge(spec, dev, trial.served_dim, report)
        try:
            trained = train(spec, chosen, trial, Workplace(scratch, scratch, hardware), judge=judge)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        return Judge(spec, dev, trial.served_dim).score(trained.model, trial.evaluations)

    about: dict[str, object] = {
        "config": dataclasses.asdict(config),
        "base_fingerprint": spec.fingerprint,
        "data_sha256": rows_sha256(rows),
    }
    if feedback.rows:
        about["feedback_sha256"] = rows_sha256(feedback.rows)
    return Objective(f"dev {METRIC} at {config.served_dim}", "maximize", about, run)


def _with(config: TrainConfig, values: dict[str, Value]) -> TrainConfig:
    """The config of a trial.

    Raises:
        TrainingError: a value is wrong for its field, or the field must not vary.
    """
    same = sorted(SAME & values.keys())
    if same:
        raise TrainingError(
            f"{', '.join(same)} must be the same in every trial; take it out of the recipe's "
            "[search] table."
        )
    fields = dataclasses.asdict(config)
    return load_config(str(fields.pop("recipe")), fields | values)
