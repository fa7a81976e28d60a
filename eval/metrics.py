"""Ranking metrics per query, and the interval of a paired difference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rag_app.errors import DataError

METRICS = {
    "ndcg@10": "nDCG@10",
    "mrr@10": "RR@10",
    "recall@1": "R@1",
    "recall@5": "R@5",
    "recall@10": "R@10",
}
"""Our name of a metric → its name in ir_measures, which computes it (through pytrec_eval)."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean of tuned minus base over queries, with its 95% interval.

    ``clustered_by`` is ``"company"``, or ``"query"`` where all queries are of one company;
    ``clusters`` is how many there are: under about 30, the interval is too narrow.
    """

    mean: float
    low: float
    high: float
    queries: int
    clusters: int
    clustered_by: str


def per_query(
    run: Mapping[str, Mapping[str, float]], qrels: Mapping[str, Mapping[str, int]]
) -> dict[str, dict[str, float]]:
    """Score a run: metric → query id → value, for every query of ``qrels`` (0 where not run).

    ``run`` maps query id → passage id → score, higher is better. Equal scores rank by passage id,
    ascending by code point. The engines behind ir_measures break ties each in its own way
    (pytrec_eval by descending id, the one for RR@10 otherwise), so they are handed the place in
    this order instead of the score and never see a tie.
    """
    import ir_measures

    ours = {ir_measures.parse_measure(theirs): name for name, theirs in METRICS.items()}
    placed = {query_id: _places(scores) for query_id, scores in run.items()}
    known = {query_id: dict(relevant) for query_id, relevant in qrels.items()}
    values: dict[str, dict[str, float]] = {name: {} for name in METRICS}
    for metric in ir_measures.iter_calc(list(ours), known, placed):
        values[ours[metric.measure]][metric.query_id] = float(metric.value)
    return values


def means(values: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Metric → mean over queries, of what ``per_query`` gives."""
    return {name: float(np.mean(list(scores.values()))) for name, scores in values.items()}


def paired_difference(
    base: Mapping[str, float],
    tuned: Mapping[str, float],
    groups: Mapping[str, str],
    *,
    samples: int = 2000,
    seed: int = 0,
) -> Difference:
    """Tuned minus base on the same queries, with a bootstrap interval clustered by company.

    Questions of one company share its filing and wording, so whole companies are drawn with
    replacement, ``samples`` times, and the 2.5th and 97.5th percentile of the mean over the drawn
    queries are the interval (percentile cluster bootstrap: Cameron, Gelbach and Miller 2008).

    Raises:
        DataError: the two do not score the same queries, there are none, or one has no company.
    """
    if not base or base.keys() != tuned.keys():
        raise DataError("The two runs score different queries; run both on the same questions.")
    if not base.keys() <= groups.keys():
        raise DataError("Some queries name no company; add it to the evaluation set.")
    query_ids = sorted(base)
    differences = np.array([tuned[query_id] - base[query_id] for query_id in query_ids])
    clustered_by = "company" if len({groups[query_id] for query_id in query_ids}) > 1 else "query"
    names = [groups[id_] for id_ in query_ids] if clustered_by == "company" else query_ids
    clusters, member = np.unique(np.array(names), return_inverse=True)
    sums = np.bincount(member, weights=differences)
    sizes = np.bincount(member)
    # Row s says how often each cluster is drawn in sample s.
    drawn = np.random.default_rng(seed).multinomial(
        len(clusters), np.full(len(clusters), 1 / len(clusters)), size=samples
    )
    low, high = np.percentile((drawn @ sums) / (drawn @ sizes), [2.5, 97.5])
    return Difference(
        mean=float(differences.mean()),
        low=float(low),
        high=float(high),
        queries=len(query_ids),
        clusters=len(clusters),
        clustered_by=clustered_by,
    )


def _places(scores: Mapping[str, float]) -> dict[str, float]:
    ranked = sorted(scores, key=lambda passage_id: (-scores[passage_id], passage_id))
    return {passage_id: float(len(ranked) - place) for place, passage_id in enumerate(ranked)}
