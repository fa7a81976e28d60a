"""One report: a model on a protocol, its baselines and, if asked for, the stock parts beside it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from eval.baseline_systems import Bases, add_baselines, unprompted_spec
from eval.cache import CachedEmbedder
from eval.metrics import means
from eval.protocols import build_evalset, find_protocol
from eval.protocols.choices import Choices
from eval.protocols.filings import asked_rows
from eval.report import Report
from eval.retrieval import evaluate
from eval.stock import library_sources, stock_scores
from eval.training_record import base_of, check_unseen
from rag_app.bars import counting_bar
from rag_app.cli import open_embedder
from rag_app.errors import ModelError
from rag_app.index.embedder import Embedder
from rag_app.index.served import MINILM
from rag_app.library import Library
from rag_app.settings import Settings, load_settings


def full_report(
    embedder: Embedder,
    protocol: str,
    data: str,
    choices: Choices,
    dims: Sequence[int],
    settings: Settings,
    *,
    baselines: bool,
) -> Report:
    """Score the model; vectors that the library or the cache has are not encoded.

    Raises:
        DataError, LibraryError: see ``build_evalset``.
        DataError: the model was trained on the fold that it is to be tested on.
        ModelError: the model, or the one that it was tuned from, cannot be had.
    """
    if choices.fold:
        check_unseen(embedder.spec, choices.fold)
    evalset = build_evalset(protocol, data, settings.home, choices)
    library = Library(settings.home) if find_protocol(protocol).over_library else None
    model = CachedEmbedder(embedder, settings.home, library)
    with encoding_bar(embedder.spec.name, len(evalset.corpus)) as advance:
        report = evaluate(model, evalset, dims, on_progress=advance)
    if baselines:
        bases = _bases(embedder, model, settings, library)
        with encoding_bar("the baselines", None) as advance:
            report = add_baselines(report, evalset, bases, dims, on_progress=advance)
    if choices.stock:
        report = _with_stock(report, data, choices, settings)
    return report


def _bases(
    embedder: Embedder, model: CachedEmbedder, settings: Settings, library: Library | None
) -> Bases:
    name = base_of(embedder.spec)
    tuned = name != embedder.spec.name
    try:
        base = open_embedder(load_settings(model=name)) if tuned else embedder
    except ModelError as error:
        raise ModelError(
            f"{embedder.spec.name} was tuned from {name}, to be scored beside it. {error} Or leave "
            "it out with --no-baselines."
        ) from None
    bare = unprompted_spec(base.spec)
    return Bases(
        base=CachedEmbedder(base, settings.home, library) if tuned else model,
        tuned=tuned,
        # The library's vectors were made with the prompts.
        unprompted=CachedEmbedder(Embedder(bare), settings.home) if bare else None,
    )


def _with_stock(report: Report, data: str, choices: Choices, settings: Settings) -> Report:
    asked = asked_rows(data, choices)
    sources = library_sources(Library(settings.home))
    if choices.corpus == "asked":
        files = {question.file for question in asked}
        sources = {name: source for name, source in sources.items() if name in files}
    minilm = CachedEmbedder(open_embedder(load_settings(model=MINILM)), settings.home)
    with encoding_bar("stock LlamaIndex", None) as advance:
        scores = stock_scores(asked, sources, minilm, on_progress=advance)
    return dataclasses.replace(
        report,
        metrics=report.metrics | {system: means(values) for system, values in scores.items()},
        per_query=report.per_query | scores,
    )


def encoding_bar(what: str, total: int | None) -> AbstractContextManager[Callable[[int], None]]:
    """A bar of passages encoded; gives the function that moves it on."""
    return counting_bar(f"Encoding for {what}", total, "passages")
