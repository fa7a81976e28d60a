"""TRAIN PATH on one screen: rows → split → pairs → base scored → train → tuned scored → folder."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eval.compare import Comparison, compare
from eval.evalset import EvalSet
from eval.report import save_report
from eval.retrieval import evaluate
from eval.rows import Columns, load_qa_rows
from finetune.card import model_card
from finetune.checkpoints import writing
from finetune.config import TrainConfig
from finetune.curves import PICTURE, draw_curves
from finetune.dev import METRIC, Judge
from finetune.feedback_rows import NO_FEEDBACK, accepted_rows, feedback_for
from finetune.hardware import detect_hardware
from finetune.held_out import dev_evalset, split_for, test_evalset
from finetune.leakage import LEAKAGE_FILE, leakage_report
from finetune.material import training_pairs
from finetune.model_folder import (
    ADAPTER_FOLDER,
    BASE_REPORT,
    CARD_FILE,
    CONFIG_FILE,
    TUNED_REPORT,
    Draft,
    draft_of,
    new_model,
    write_json,
    write_model,
)
from finetune.processes import Processes, join_processes
from finetune.provenance import DataTrace, RunTrace, trace_data
from finetune.samples import KeepingEmbedder, Sample, draw_samples
from finetune.scoring import scored
from finetune.seen import Exam, Record, Seen, seen_by, write_record
from rag_app.errors import TrainingError
from rag_app.index.embedder import Embedder
from rag_app.index.encoders import TORCH, encoder_cache
from rag_app.index.models import resolve_model

if TYPE_CHECKING:
    from finetune.train import Trained

LOGS = "tensorboard"
"""Folder of the home: TensorBoard's logs, one folder a model, outside what may be published."""


@dataclass(frozen=True, slots=True)
class Tuned:
    """A model that is in its place, beside what it was before."""

    name: str
    folder: Path
    dims: tuple[int, ...]
    comparison: Comparison
    samples: tuple[Sample, ...]


def finetune(
    config: TrainConfig,
    home: Path,
    name: str,
    *,
    resume: bool = False,
    columns: Columns = Columns(),  # noqa: B008 - frozen
    query_prompt: str | None = None,
    document_prompt: str | None = None,
    encoder: str = TORCH,
    say: Callable[[str], None],
) -> Tuned | None:
    """Train ``config.base`` and leave it as ``home/models/NAME``, whole or not at all.

    The prompts are as in ``resolve_model``; the trained model carries them. ``encoder`` scores it
    and its base, as ``Embedder`` says. ``resume`` goes on with a run that was stopped. ``say`` is
    told, in a sentence, what is being done. Under ``torchrun`` one process leads; the others help
    it to train and return None.

    Raises:
        RagError: data, base or name cannot be used, or training failed; the message says which.
    """
    hardware = detect_hardware()
    processes = join_processes(hardware)
    say = say if processes.leads else _nothing
    with _draft(home, name, processes, resume, say) as draft:
        if config.feedback_share:
            accepted_rows(home)  # without any nothing needs to be read, or fetched from the hub
        rows = load_qa_rows(config.data, columns)
        split = split_for(rows, config)
        test = test_evalset(rows, split, config.fold)
        feedback = feedback_for(split, home) if config.feedback_share else NO_FEEDBACK
        learned = feedback.added_to(split)
        leakage = str(leakage_report(learned))
        say(leakage)

        spec = resolve_model(
            config.base, home, query_prompt=query_prompt, document_prompt=document_prompt
        )
        guide = resolve_model(config.guide, home) if config.guide else None
        if spec.starts:
            raise TrainingError(
                f"{spec.name} has a projection for each dimension, so it is no Matryoshka base; "
                "train it with --recipe numeric, or give another --base."
            )
        dims = config.trained_dims(spec.dims)
        if config.evaluations and config.served_dim not in dims:
            raise TrainingError(
                f"Dev is judged at served_dim = {config.served_dim}, and trained are "
                f"{_listed(dims)}; add --set served_dim={dims[-1]}, or that dimension to dims."
            )
        pairs = training_pairs(split.train, config, spec, home, say, feedback)
        trace = trace_data(rows, learned, pairs, len(feedback.rows))
        say(_data_sentence(config, trace))
        exam = Exam.of(test, by_company=split.name.startswith("company"))
        before = seen_by(spec)
        say(_seen_sentence(spec.name, before, exam))
        dev = dev_evalset(split) if config.evaluations else None
        judge = Judge(spec, dev, config.served_dim) if dev else None
        if processes.leads:
            draft.hold_to(_about(config, spec.fingerprint, trace))
            # A report travels with the model; the folders of a base do not.
            named = dataclasses.replace(spec, name=Path(spec.name).name)
            base = KeepingEmbedder(named, encoder=encoder, cache=encoder_cache(home))
            base_report = scored(base, test, dims)

        say(f"Training {spec.name} at {_listed(dims)} on {hardware.device}, {hardware.precision}.")
        # Importing the trainer takes seconds; data and base have been checked before.
        from finetune.run import Workplace
        from finetune.train import train

        workplace = Workplace(draft.scratch, home / LOGS / name, hardware, processes, guide)
        trained = train(spec, pairs, config, workplace, judge=judge, say=say)
        if not processes.leads:
            return None
        seen = Seen.of([*learned.train, *learned.dev]).joined(before)
        _write(draft, trained, dims, Record(seen, exam))

        # What is scored is what was written, reloaded as the app will load it.
        tuned_spec = dataclasses.replace(resolve_model(str(draft.model.resolve()), home), name=name)
        tuned = KeepingEmbedder(tuned_spec, encoder=encoder, cache=encoder_cache(home))
        dev_score = _dev_score(tuned, dev, config.served_dim, trained, say) if dev else None
        tuned_report = scored(tuned, test, dims)
        comparison = compare(base_report, tuned_report)

        run = RunTrace(
            base_fingerprint=spec.fingerprint,
            dims=dims,
            query_prompt=spec.query_prompt,
            document_prompt=spec.document_prompt,
            data=trace,
            device=hardware.device,
            precision=hardware.precision,
            processes=processes.count,
            encoder=base.encoder.name,
            training_s=round(trained.seconds, 1),
            padding=round(trained.padding, 4),
            curves=trained.curves,
            dev_score=dev_score,
        )
        save_report(base_report, draft.model / BASE_REPORT)
        save_report(tuned_report, draft.model / TUNED_REPORT)
        write_json(
            draft.model / CONFIG_FILE,
            {
                "config": dataclasses.asdict(config),
                "columns": dataclasses.asdict(columns),
                "run": dataclasses.asdict(run),
            },
        )
        draw_curves(trained.curves, f"dev {METRIC} at {config.served_dim}", draft.model / PICTURE)
        card = model_card(name, config, run, tuned_report, comparison)
        (draft.model / CARD_FILE).write_text(card, "utf-8")
        (draft.model / LEAKAGE_FILE).write_text(f"{leakage}\n", "utf-8")
        sample_dim = config.served_dim if config.served_dim in dims else dims[-1]
        samples = draw_samples(base, tuned, test, sample_dim)
        draft.publish()
    return Tuned(name, draft.target, dims, comparison, samples)


@contextmanager
def _draft(
    home: Path, name: str, processes: Processes, resume: bool, say: Callable[[str], None]
) -> Iterator[Draft]:
    """The leader's draft; the others look at the same folders and change nothing."""
    if processes.leads:
        with new_model(home, name, resume=resume, say=say) as draft:
            yield draft
    else:
        yield draft_of(home, name)


def _write(draft: Draft, trained: Trained, dims: tuple[int, ...], record: Record) -> None:
    needed = sum(weight.numel() * weight.element_size() for weight in trained.model.parameters())
    with writing(draft.model, needed):
        write_model(trained.model, dims, draft.model)
        write_record(draft.model, record)
        if trained.adapter:
            shutil.copytree(trained.adapter, draft.model / ADAPTER_FOLDER)
            write_record(draft.model / ADAPTER_FOLDER, record)


def _dev_score(
    tuned: Embedder, dev: EvalSet, dim: int, trained: Trained, say: Callable[[str], None]
) -> float:
    """nDCG@10 on dev of the weights as they were written."""
    score = evaluate(tuned, dev, (dim,)).metrics[str(dim)][METRIC]
    steps = ", ".join(str(curve.kept_step) for curve in trained.curves)
    before = trained.curves[0].dev[0][1]
    say(
        f"Kept step {steps}; reloaded, dev {METRIC} at {dim} dimensions is {score:.4f}, before "
        f"the first step {before:.4f}."
    )
    if score <= before:
        say("note: on dev the training did not help; more rows, or a lower learning_rate, may.")
    return score


def _about(config: TrainConfig, fingerprint: str, trace: DataTrace) -> dict[str, object]:
    """What a resumed run must have in common with the one that was stopped."""
    fields = dataclasses.asdict(config)
    # A run may be cut shorter, or saved more often, than it began.
    del fields["max_steps"], fields["checkpoint_minutes"]
    if trace.feedback_rows:
        fields["feedback"] = trace.train_sha256
    return {**fields, "base's weights or prompts": fingerprint, "rows": trace.data_sha256}


def _data_sentence(config: TrainConfig, trace: DataTrace) -> str:
    return (
        f"{config.data}: {trace.rows} rows, {trace.dev_rows} for dev and {trace.test_rows} for "
        f"test questions; {trace.pairs} training pairs, {trace.dropped} rows left out for a blank "
        f"text, {trace.merged} with the passage of another."
    )


def _seen_sentence(base: str, seen: Seen, exam: Exam) -> str:
    if not seen.known:
        return f"What {base} was trained on before is not recorded; it may know test questions."
    return (
        f"The base {base} was trained before on {len(exam.known_to(seen))} of the "
        f"{len(exam.marks)} test questions or their companies, as far as is recorded."
    )


def _listed(dims: tuple[int, ...]) -> str:
    return f"{', '.join(map(str, dims))} dimensions"


def _nothing(sentence: str) -> None:
    """Said by a process that does not lead."""
