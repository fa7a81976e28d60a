"""Whether a tuned model is served: paired with the serving one on the same held-out questions.

Questions that either model was trained on are left out where enough others are there
(``finetune/ground.py``). Where not, those of the serving model stay: then it is favoured, and a
promotion is the harder for it, never the easier.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from eval.evalset import EvalSet
from eval.report import Report, load_report, save_report
from eval.rows import Columns
from finetune.config import TrainConfig
from finetune.ground import common_ground
from finetune.held_out import held_out_evalset
from finetune.model_folder import BASE_REPORT, CONFIG_FILE, TUNED_REPORT, write_json
from finetune.scoring import scored
from finetune.seen import record_of, seen_by
from finetune.verdict import Verdict, judge
from rag_app.errors import DataError, TrainingError
from rag_app.index.embedder import Embedder
from rag_app.index.encoders import TORCH, encoder_cache
from rag_app.index.models import ModelSpec, resolve_model, trained_models
from rag_app.index.served import serve, served_model
from rag_app.training import VERDICT_FILE

SERVING_REPORT = "report_serving.json"


def promote(
    home: Path,
    name: str,
    *,
    query_prompt: str | None = None,
    document_prompt: str | None = None,
) -> Verdict:
    """Serve ``home/models/NAME`` if it is not worse than what is served now.

    The questions that its report is of are asked of the serving model, unless a report of that
    lies beside the tuned one: by the encoder that scored the tuned model, with the prompts that
    the serving model is served with. The verdict is kept in the model's folder.

    Raises:
        TrainingError: there is no such trained model, it is served already, or it was changed
            since it was scored.
        RagError: a model or a report cannot be read, or the questions are no longer the same.
    """
    now = served_model(home)
    if name == now:
        raise TrainingError(f"{name} is served already; promote another, or use --rollback.")
    if name not in trained_models(home):
        raise TrainingError(
            f"There is no trained model {name} to promote; these are: "
            f"{', '.join(trained_models(home)) or 'none yet, run `python -m finetune`'}."
        )
    tuned_spec = resolve_model(name, home)
    folder = tuned_spec.folder
    tuned = load_report(folder / TUNED_REPORT)
    if tuned.fingerprint != tuned_spec.fingerprint:
        raise TrainingError(
            f"{folder} is not the model that {TUNED_REPORT} in it is of; train it again."
        )
    serving_spec = resolve_model(
        now, home, query_prompt=query_prompt, document_prompt=document_prompt
    )
    serving = _kept_report(folder, serving_spec, tuned)
    if serving is None:
        trained = _trained(folder)
        questions = _questions(trained, tuned)
        encoder = trained["run"].get("encoder", TORCH)
        embedder = Embedder(serving_spec, encoder=encoder, cache=encoder_cache(home))
        asked = scored(embedder, questions, serving_spec.dims, ", which is served")
        save_report(asked, folder / SERVING_REPORT)
        # Read back, so that both are rounded alike: else equal scores would differ by a hair.
        serving = load_report(folder / SERVING_REPORT)
    ground = common_ground(
        frozenset(tuned.groups), record_of(folder), seen_by(serving_spec), now=now, name=name
    )
    verdict = dataclasses.replace(
        judge(serving, tuned, ground.queries),
        serving=now,
        tuned=name,
        note=ground.note,
        barred=ground.barred,
    )
    write_json(
        folder / VERDICT_FILE,
        {"promoted": verdict.promoted, "why": str(verdict), **dataclasses.asdict(verdict)},
    )
    if verdict.promoted:
        serve(home, name)
    return verdict


def _kept_report(folder: Path, serving: ModelSpec, tuned: Report) -> Report | None:
    """A report of the serving model on the tuned one's questions; None where none is at hand."""
    for name in (BASE_REPORT, SERVING_REPORT):
        if (folder / name).exists():
            report = load_report(folder / name)
            wanted = (serving.fingerprint, tuned.evalset_sha256)
            if (report.fingerprint, report.evalset_sha256) == wanted:
                return report
    return None


def _trained(folder: Path) -> dict[str, Any]:
    """The record of a run, which holds ``config``, ``columns`` and ``run``."""
    path = folder / CONFIG_FILE
    try:
        record = json.loads(path.read_text("utf-8"))
        config = TypeAdapter(TrainConfig).validate_python(record["config"])
        return {"config": config, "columns": Columns(**record["columns"]), "run": record["run"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(
            f"{path} does not say what the model was trained on ({type(error).__name__}); train "
            "it again."
        ) from None


def _questions(trained: dict[str, Any], tuned: Report) -> EvalSet:
    """The held-out questions, read and split anew as the model's record says."""
    config: TrainConfig = trained["config"]
    evalset = held_out_evalset(config, trained["columns"])
    if evalset.sha256 != tuned.evalset_sha256:
        raise DataError(
            f"{config.data} has changed since {tuned.model} was scored on it; train it again."
        )
    return evalset
