"""Dense, BM25, fused, cited answer: base beside tuned at every stage, and where a gain is lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from eval.answers import ANSWER, Answering, answer_stage
from eval.evalset import EvalSet
from eval.searches import STAGES, Progress, Scored, Stage, narrowings, rank_stages
from eval.statistics import Difference, paired_difference
from eval.stored import AskedEmbedder, check_encoded, open_stored
from rag_app.answer import QUOTE_MODE
from rag_app.index.embedder import Embedder
from rag_app.index.lexical import lexical_of
from rag_app.library import Library


@dataclass(frozen=True, slots=True)
class StageRow:
    """Base beside tuned at a stage, over the questions that have the metric of both."""

    name: str
    system: str
    metric: str
    base: float
    tuned: float
    difference: Difference
    by_model: bool


@dataclass(frozen=True, slots=True)
class Followed:
    """Two models followed over the same questions; ``answered`` of them up to the answer."""

    base: str
    tuned: str
    protocol: str
    evalset_sha256: str
    questions: int
    answered: int
    llm: str
    rows: tuple[StageRow, ...]


def follow(
    evalset: EvalSet,
    library: Library,
    models: tuple[Embedder, Embedder],
    dims: Sequence[int],
    metric: str,
    answering: Answering | None,
    on_asked: Progress = lambda count: None,
    stages: Mapping[str, Stage] = STAGES,
) -> Followed:
    """Ask base and tuned, in this order, at every stage, and pair them question by question.

    Raises:
        LibraryError: a model has not encoded the library, or that is damaged.
        LLMError: the LLM server failed.
    """
    for model in models:
        check_encoded(library, model.spec)
    of_models = {name: stage for name, stage in stages.items() if stage.by_model}
    common_stages = {name: stage for name, stage in stages.items() if not stage.by_model}
    questions = list(evalset.queries.values())
    common: Scored = {}
    scored: list[Scored] = []
    with lexical_of(evalset.corpus) as lexical:
        for model in models:
            asked = AskedEmbedder(model, library.home, questions)
            snapshots = open_stored(library, asked, dims, evalset.corpus, lexical)
            common = common or rank_stages(snapshots, evalset, common_stages, on_asked)
            found = common | rank_stages(snapshots, evalset, of_models, on_asked)
            if answering:
                found |= answer_stage(snapshots[answering.dim], evalset, answering, on_asked)
            scored.append(found)
    return Followed(
        base=models[0].spec.name,
        tuned=models[1].spec.name,
        protocol=evalset.name,
        evalset_sha256=evalset.sha256,
        questions=len(questions),
        answered=len(answering.query_ids) if answering else 0,
        llm=answering.llm.name if answering and answering.llm else QUOTE_MODE,
        rows=pair_stages(scored[0], scored[1], evalset.groups, metric, stages),
    )


def turns(
    evalset: EvalSet,
    dims: Sequence[int],
    answering: Answering | None,
    stages: Mapping[str, Stage] = STAGES,
) -> int:
    """How many questions ``follow`` asks, each counted at every stage and of each model."""
    by_model = sum(stage.by_model for stage in stages.values())
    ranked = len(stages) - by_model + 2 * len(dims) * by_model
    answered = len(answering.query_ids) if answering else 0
    return len(evalset.queries) * len(narrowings(evalset)) * ranked + 2 * answered


def pair_stages(
    base: Scored,
    tuned: Scored,
    groups: Mapping[str, str],
    metric: str,
    stages: Mapping[str, Stage] = STAGES,
) -> tuple[StageRow, ...]:
    """One row a stage and system by ``metric``, and one a metric of the answer.

    They are in the order of the way; a metric that no question has of both is left out.
    """
    order = [*stages, ANSWER]
    return tuple(
        row
        for (name, system), metrics in sorted(base.items(), key=lambda kv: order.index(kv[0][0]))
        for wanted in (metrics if name == ANSWER else (metric,))
        for row in _paired(
            name, system, wanted, metrics[wanted], tuned[name, system][wanted], groups, stages
        )
    )


def _paired(
    name: str,
    system: str,
    metric: str,
    base: Mapping[str, float],
    tuned: Mapping[str, float],
    groups: Mapping[str, str],
    stages: Mapping[str, Stage],
) -> Iterator[StageRow]:
    shared = sorted(base.keys() & tuned.keys())
    if not shared:
        return
    one, other = ({id_: values[id_] for id_ in shared} for values in (base, tuned))
    yield StageRow(
        name=name,
        system=system,
        metric=metric,
        base=float(np.mean(list(one.values()))),
        tuned=float(np.mean(list(other.values()))),
        difference=paired_difference(one, other, groups),
        by_model=name not in stages or stages[name].by_model,
    )
