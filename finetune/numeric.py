"""NUMERIC PATH on one screen: FinQA → parts → baselines → train → reloaded → scored → folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from finetune.checkpoints import writing
from finetune.hardware import detect_hardware
from finetune.model_folder import CARD_FILE, CONFIG_FILE, new_model, write_json
from finetune.numeric_card import numeric_card
from finetune.numeric_checkpoints import Epoch
from finetune.numeric_config import NumericConfig
from finetune.numeric_data import NumericData, load_numeric_data
from finetune.numeric_figures import figures_table, score_baselines, score_heads, verdict
from finetune.numeric_model import NumericModel, write_numeric_model
from finetune.provenance import git_revision, training_versions
from finetune.search import Value
from finetune.sweep import Objective
from rag_app.index.embedder import Embedder
from rag_app.index.models import resolve_model

FIGURES_FILE = "numeric_figures.json"


@dataclass(frozen=True, slots=True)
class TunedNumeric:
    """A numeric model that is in its place; ``table`` is Markdown, ``verdict`` a sentence."""

    name: str
    folder: Path
    dims: tuple[int, ...]
    table: str
    verdict: str


def finetune_numeric(
    config: NumericConfig,
    home: Path,
    name: str,
    *,
    resume: bool = False,
    query_prompt: str | None = None,
    document_prompt: str | None = None,
    say: Callable[[str], None],
) -> TunedNumeric:
    """Train ``config.base`` with heads and leave it as ``home/models/NAME``, whole or not at all.

    The prompts are as in ``resolve_model``; the trained model carries them. ``resume`` goes on with
    a run that was stopped. ``say`` is told, in a sentence, what is being done.

    Raises:
        RagError: data, base or name cannot be used, or training failed; the message says which.
    """
    with new_model(home, name, resume=resume, say=say) as draft:
        data = load_numeric_data(config)
        say(data.sentence())
        spec = resolve_model(
            config.base, home, query_prompt=query_prompt, document_prompt=document_prompt
        )
        run = draft.scratch / f"seed-{config.seed}"
        run.mkdir(parents=True, exist_ok=True)
        draft.hold_to(_about(config, spec.fingerprint, data))
        say(f"Scoring the baselines: the training mean, and ridge regression on {spec.name}.")
        baselines = score_baselines(data, Embedder(spec), config.dims, config.max_tokens)

        hardware = detect_hardware()
        say(f"Training {spec.name} with heads on {hardware.device}, {hardware.precision}.")
        # Importing torch takes seconds; data and base have been checked before.
        from finetune.numeric_train import train_numeric

        def tell(epoch: Epoch) -> None:
            say(
                f"Epoch {epoch.number}: loss {epoch.train_loss:.4f}, dev {epoch.dev_loss:.4f} "
                f"(Huber {epoch.dev_huber:.4f}), {epoch.seconds:.0f} s."
            )

        trained = train_numeric(spec, data, config, hardware, run=run, on_epoch=tell, say=say)
        needed = sum(one.numel() * one.element_size() for one in trained.model.parameters())
        with writing(draft.model, needed):
            write_numeric_model(
                trained.model, trained.heads, config.starts, data.scaling, draft.model
            )

        # What is scored is what was written, reloaded as the app will load it.
        reloaded = NumericModel.load(str(draft.model.resolve()), home)
        heads = score_heads(data, reloaded.predict(data.test.texts).z, baselines)
        tuned = TunedNumeric(
            name=name,
            folder=draft.target,
            dims=config.dims,
            table=figures_table(baselines, heads),
            verdict=verdict(baselines, heads),
        )
        record: dict[str, object] = {
            "config": dataclasses.asdict(config),
            "run": {
                "base_fingerprint": spec.fingerprint,
                "query_prompt": spec.query_prompt,
                "document_prompt": spec.document_prompt,
                "scaling": dataclasses.asdict(data.scaling),
                "data": data.trace(),
                "device": hardware.device,
                "precision": hardware.precision,
                "epochs": [dataclasses.asdict(epoch) for epoch in trained.epochs],
                "best_epoch": trained.best,
                "git_revision": git_revision(),
                "versions": training_versions(),
            },
        }
        rows = (baselines.mean, *baselines.ridges, *heads)
        write_json(draft.model / CONFIG_FILE, record)
        write_json(draft.model / FIGURES_FILE, {"rows": [dataclasses.asdict(row) for row in rows]})
        (draft.model / CARD_FILE).write_text(numeric_card(name, config, data, tuned.table), "utf-8")
        draft.publish()
    return tuned


def _about(config: NumericConfig, fingerprint: str, data: NumericData) -> dict[str, object]:
    """What a resumed run must have in common with the one that was stopped."""
    fields = dataclasses.asdict(config)
    # A run may be cut shorter, or saved more often, than it began.
    del fields["max_steps"], fields["checkpoint_minutes"]
    return {**fields, "base's weights or prompts": fingerprint, "rows": data.trace()}


def numeric_objective(
    config: NumericConfig,
    home: Path,
    *,
    query_prompt: str | None = None,
    document_prompt: str | None = None,
) -> Objective:
    """What a sweep minimises: dev's Huber loss of the kept epoch, in deviations; no test row.

    Raises:
        RagError: data or base cannot be used.
    """
    data = load_numeric_data(config)
    spec = resolve_model(
        config.base, home, query_prompt=query_prompt, document_prompt=document_prompt
    )
    hardware = detect_hardware()

    def run(values: dict[str, Value], report: Callable[[int, float], None]) -> float:
        from finetune.numeric_train import train_numeric

        def tell(epoch: Epoch) -> None:
            report(epoch.number, epoch.dev_huber)

        trial = dataclasses.replace(config, **values)  # type: ignore[arg-type]
        trained = train_numeric(spec, data, trial, hardware, on_epoch=tell)
        return trained.epochs[trained.best - 1].dev_huber

    about: dict[str, object] = {
        "config": dataclasses.asdict(config),
        "base_fingerprint": spec.fingerprint,
        "data": data.trace(),
    }
    return Objective("dev Huber", "minimize", about, run)
