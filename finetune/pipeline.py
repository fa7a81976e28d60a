"""TRAIN PATH on one screen: rows → split → pairs → base scored → train → tuned scored → folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from eval.evalset import EvalSet, notebook_evalset
from eval.report import Comparison, Report, compare, save_report
from eval.retrieval import evaluate
from eval.rows import QaRow, load_qa_rows
from eval.splits import notebook_split
from finetune.card import model_card
from finetune.config import TrainConfig
from finetune.hardware import detect_hardware
from finetune.model_folder import (
    BASE_REPORT,
    CARD_FILE,
    CONFIG_FILE,
    TUNED_REPORT,
    new_model,
    write_json,
    write_model,
)
from finetune.pairs import Pairs, build_pairs
from finetune.provenance import DataTrace, RunTrace, rows_sha256
from finetune.samples import KeepingEmbedder, Sample, draw_samples
from rag_app.bars import progress_bar
from rag_app.index.models import resolve_model

SAMPLE_DIM = 128


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
    query_prompt: str | None = None,
    document_prompt: str | None = None,
    say: Callable[[str], None],
) -> Tuned:
    """Train ``config.base`` and leave it as ``home/models/NAME``, whole or not at all.

    The prompts are as in ``resolve_model``; the trained model carries them. ``say`` is told, in a
    sentence, what is being done.

    Raises:
        RagError: data, base or name cannot be used, or training failed; the message says which.
    """
    with new_model(home, name) as draft:
        rows = load_qa_rows(config.data)
        train_rows, test_rows = notebook_split(rows)
        pairs = build_pairs(train_rows, config.columns)
        evalset = notebook_evalset(rows)
        trace = _trace_data(rows, train_rows, test_rows, pairs)
        say(_data_sentence(config, trace))

        spec = resolve_model(
            config.base, home, query_prompt=query_prompt, document_prompt=document_prompt
        )
        dims = config.trained_dims(spec.dims)
        base = KeepingEmbedder(spec)
        base_report = _score(base, evalset, dims)

        hardware = detect_hardware()
        say(f"Training {spec.name} at {_listed(dims)} on {hardware.device}, {hardware.precision}.")
        # Importing the trainer takes seconds; data and base have been checked before.
        from finetune.train import train

        trained = train(spec, pairs, config, hardware, draft.scratch)
        write_model(trained.model, dims, draft.model)

        # What is scored is what was written, reloaded as the app will load it.
        tuned_spec = dataclasses.replace(resolve_model(str(draft.model.resolve()), home), name=name)
        tuned = KeepingEmbedder(tuned_spec)
        tuned_report = _score(tuned, evalset, dims)
        comparison = compare(base_report, tuned_report)

        run = RunTrace(
            base_fingerprint=spec.fingerprint,
            dims=dims,
            query_prompt=spec.query_prompt,
            document_prompt=spec.document_prompt,
            data=trace,
            device=hardware.device,
            precision=hardware.precision,
            training_s=round(trained.seconds, 1),
            losses=trained.losses,
        )
        save_report(base_report, draft.model / BASE_REPORT)
        save_report(tuned_report, draft.model / TUNED_REPORT)
        write_json(
            draft.model / CONFIG_FILE,
            {"config": dataclasses.asdict(config), "run": dataclasses.asdict(run)},
        )
        card = model_card(name, config, run, tuned_report, comparison)
        (draft.model / CARD_FILE).write_text(card, "utf-8")
        sample_dim = SAMPLE_DIM if SAMPLE_DIM in dims else dims[-1]
        samples = draw_samples(base, tuned, evalset, sample_dim)
        draft.publish()
    return Tuned(name, draft.target, dims, comparison, samples)


def _score(embedder: KeepingEmbedder, evalset: EvalSet, dims: tuple[int, ...]) -> Report:
    with progress_bar(f"Scoring {embedder.spec.name}", len(evalset.corpus), "passages") as bar:

        def advance(count: int) -> None:
            bar.update(count)

        return evaluate(embedder, evalset, dims, on_progress=advance)


def _trace_data(
    rows: list[QaRow], train_rows: list[QaRow], test_rows: list[QaRow], pairs: Pairs
) -> DataTrace:
    return DataTrace(
        rows=len(rows),
        train_rows=len(train_rows),
        test_rows=len(test_rows),
        pairs=len(pairs.dataset),
        dropped=pairs.dropped,
        data_sha256=rows_sha256(rows),
        train_sha256=rows_sha256(train_rows),
        test_sha256=rows_sha256(test_rows),
    )


def _data_sentence(config: TrainConfig, trace: DataTrace) -> str:
    return (
        f"{config.data}: {trace.rows} rows, {trace.test_rows} held out as questions; "
        f"{trace.pairs} training pairs, {trace.dropped} rows left out for a blank text."
    )


def _listed(dims: tuple[int, ...]) -> str:
    return f"{', '.join(map(str, dims))} dimensions"
