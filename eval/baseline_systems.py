"""What a model is measured beside: BM25, its base, the base's prompts left out, and plain cuts.

``bm25``; ``base@128``, the model that was tuned; ``no-prompt@128``, the base without its prompts,
where it has any; ``pca@128`` and ``random@128``, the base's vectors brought to 128 coordinates by
principal components and by drawing coordinates, for what Matryoshka training buys over that.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from eval.axes import principal_axes
from eval.evalset import EvalSet
from eval.metrics import means
from eval.report import Report, Scores
from eval.retrieval import Encoder, judge, score
from eval.systems import FILTER
from rag_app.index.embedder import Vectors
from rag_app.index.lexical import lexical_of
from rag_app.index.models import ModelSpec

Pair = tuple[Vectors, Vectors]
"""Vectors of queries and of passages."""
DEPTH = 100
"""Hits of BM25 that are judged, as many as ``score`` ranks."""


@dataclass(frozen=True, slots=True)
class Bases:
    """The untuned model; ``tuned`` says that it is another one than the reported.

    ``unprompted`` is the same without its prompts, None where it has none.
    """

    base: Encoder
    tuned: bool
    unprompted: Encoder | None


def unprompted_spec(spec: ModelSpec) -> ModelSpec | None:
    """The same model without its prompts; None where it has none."""
    if not spec.query_prompt and not spec.document_prompt:
        return None
    return dataclasses.replace(spec, query_prompt="", document_prompt="")


def add_baselines(
    report: Report,
    evalset: EvalSet,
    bases: Bases,
    dims: Sequence[int],
    *,
    on_progress: Callable[[int], None] | None = None,
) -> Report:
    """The report with its baselines at the same dimensions, as far as the base has them.

    ``on_progress`` is called as by ``evaluate``, for every model that encodes the corpus.
    """
    query_ids, corpus_ids = list(evalset.queries), list(evalset.corpus)

    def encoded(encoder: Encoder) -> Pair:
        return (
            encoder.encode_queries([evalset.queries[id_] for id_ in query_ids]),
            encoder.encode_documents([evalset.corpus[id_] for id_ in corpus_ids], on_progress),
        )

    def scored(kind: str, pair: Pair, kept: Sequence[int], spec: ModelSpec | None) -> Scores:
        start_of = spec.start_of if spec else lambda dim: 0
        return score(*pair, query_ids, corpus_ids, evalset, kept, kind=kind, start_of=start_of)

    spec = bases.base.spec
    had = [dim for dim in dims if dim in spec.dims]
    scores = bm25_scores(evalset)
    pair = encoded(bases.base)
    if bases.tuned:
        scores |= scored("base", pair, had, spec)
    for kind, cut in CUTS.items():
        scores |= scored(kind, cut(*pair), [dim for dim in dims if dim < spec.width], None)
    if bases.unprompted:
        scores |= scored("no-prompt", encoded(bases.unprompted), had, spec)
    return dataclasses.replace(
        report,
        metrics=report.metrics | {system: means(values) for system, values in scores.items()},
        per_query=report.per_query | scores,
    )


def bm25_scores(evalset: EvalSet, name: str = "bm25") -> Scores:
    """BM25 over the corpus, with the company filter too where the set has one."""
    with lexical_of(evalset.corpus) as index:
        run = {id_: dict(index.query(text, DEPTH)) for id_, text in evalset.queries.items()}
        scores = {name: judge(run, evalset)}
        if evalset.admitted:
            among = {company: set(ids) for company, ids in evalset.admitted.items()}
            run = {
                id_: dict(index.query(text, DEPTH, among.get(evalset.groups[id_], set())))
                for id_, text in evalset.queries.items()
            }
            scores[name + FILTER] = judge(run, evalset)
    return scores


def principal(queries: Vectors, corpus: Vectors) -> Pair:
    """Both turned to the principal axes of the corpus, widest first, from its mean."""
    axes = principal_axes(corpus)
    return axes.turned(queries), axes.turned(corpus)


def drawn(queries: Vectors, corpus: Vectors, seed: int = 0) -> Pair:
    """Both with their coordinates in one random order."""
    order = np.random.default_rng(seed).permutation(corpus.shape[1])
    return queries[:, order], corpus[:, order]


CUTS: dict[str, Callable[[Vectors, Vectors], Pair]] = {"pca": principal, "random": drawn}
