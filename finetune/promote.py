"""Whether a tuned model is served: paired with the serving one on the same held-out questions.

The tuned model has not seen these questions' companies. The serving one may have, if it was trained
on another split: then it is favoured, and a promotion is the harder for it, never the easier.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from eval.evalset import EvalSet
from eval.report import Report, load_report, save_report
from eval.rows import Columns
from eval.statistics import Difference, paired_difference
from finetune.config import TrainConfig
from finetune.held_out import held_out_evalset
from finetune.model_folder import BASE_REPORT, CONFIG_FILE, TUNED_REPORT, write_json
from finetune.scoring import scored
from rag_app.errors import DataError, TrainingError
from rag_app.index.embedder import Embedder
from rag_app.index.models import ModelSpec, resolve_model, trained_models
from rag_app.index.served import serve, served_model
from rag_app.training import VERDICT_FILE

SERVING_REPORT = "report_serving.json"
METRIC = "ndcg@10"
TOLERATED = 0.005
"""How much lower a mean may be though its interval reaches above zero.

With few companies an interval is some .03 wide, so without this limit each of several promotions
could lose a little, unseen, and nothing would stop the sum.
"""


@dataclass(frozen=True, slots=True)
class Pairing:
    """One dimension of the tuned model beside the serving model's at ``against``."""

    dim: int
    against: int
    serving: float
    tuned: float
    difference: Difference

    @property
    def worse(self) -> bool:
        """The interval lies below zero, or the mean is lower by more than ``TOLERATED``."""
        return self.difference.high < 0 or self.difference.mean < -TOLERATED

    def __str__(self) -> str:
        gain = self.difference
        wide = "" if self.dim == self.against else f" (serving at {self.against})"
        return (
            f"{self.dim} dimensions{wide}: {METRIC} {self.serving:.4f} → {self.tuned:.4f}, "
            f"{gain.mean:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]"
            f"{', worse' if self.worse else ''}"
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """All dimensions of the tuned model, widest first, and what follows from them."""

    serving: str
    tuned: str
    protocol: str
    pairings: tuple[Pairing, ...]

    @property
    def promoted(self) -> bool:
        """Not worse at any dimension."""
        return not any(pairing.worse for pairing in self.pairings)

    def __str__(self) -> str:
        """What is served now and why, and a line for each dimension."""
        worse = ", ".join(str(pairing.dim) for pairing in self.pairings if pairing.worse)
        questions = self.pairings[0].difference.queries
        outcome = (
            f"{self.tuned} is served from now on: on {questions} held-out questions it is not "
            f"worse than {self.serving} at any dimension."
            if self.promoted
            else f"{self.serving} goes on being served: on {questions} held-out questions "
            f"{self.tuned} is worse at {worse} dimensions, so it stays beside it."
        )
        return "\n".join([outcome, *(f"  {pairing}" for pairing in self.pairings)])


def promote(
    home: Path,
    name: str,
    *,
    query_prompt: str | None = None,
    document_prompt: str | None = None,
) -> Verdict:
    """Serve ``home/models/NAME`` if it is not worse than what is served now.

    The questions that its report is of are asked of the serving model, unless a report of that
    lies beside the tuned one. The prompts are those that the serving model is served with. The
    verdict is kept in the model's folder.

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
        questions = _questions(folder, tuned)
        asked = scored(Embedder(serving_spec), questions, serving_spec.dims, ", which is served")
        save_report(asked, folder / SERVING_REPORT)
        # Read back, so that both are rounded alike: else equal scores would differ by a hair.
        serving = load_report(folder / SERVING_REPORT)
    verdict = dataclasses.replace(judge(serving, tuned), serving=now, tuned=name)
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


def _questions(folder: Path, tuned: Report) -> EvalSet:
    """The held-out questions, read and split anew as the model's record says."""
    path = folder / CONFIG_FILE
    try:
        record = json.loads(path.read_text("utf-8"))
        config = TypeAdapter(TrainConfig).validate_python(record["config"])
        columns = Columns(**record["columns"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(
            f"{path} does not say what the model was trained on ({type(error).__name__}); train "
            "it again."
        ) from None
    evalset = held_out_evalset(config, columns)
    if evalset.sha256 != tuned.evalset_sha256:
        raise DataError(
            f"{config.data} has changed since {tuned.model} was scored on it; train it again."
        )
    return evalset


def judge(serving: Report, tuned: Report) -> Verdict:
    """Pair two reports at every dimension of the tuned model.

    A dimension that the serving model lacks is held against its next wider one, or its widest: the
    tuned one has then to do as well with no more coordinates.

    Raises:
        DataError: the reports are not of the same questions.
    """
    if serving.evalset_sha256 != tuned.evalset_sha256:
        raise DataError(
            f"{serving.model} and {tuned.model} were scored on different questions; score both on "
            "the same ones."
        )
    known = sorted(_dims(serving))
    pairings = []
    for dim in sorted(_dims(tuned), reverse=True):
        against = next((wider for wider in known if wider >= dim), known[-1])
        pairings.append(
            Pairing(
                dim=dim,
                against=against,
                serving=serving.metrics[str(against)][METRIC],
                tuned=tuned.metrics[str(dim)][METRIC],
                difference=paired_difference(
                    serving.per_query[str(against)][METRIC],
                    tuned.per_query[str(dim)][METRIC],
                    tuned.groups,
                ),
            )
        )
    return Verdict(serving.model, tuned.model, tuned.protocol, tuple(pairings))


def _dims(report: Report) -> list[int]:
    """The dimensions of the model itself; baselines and filtered searches are left out."""
    return [int(system) for system in report.metrics if system.isdigit()]
