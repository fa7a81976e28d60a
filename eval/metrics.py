"""Ranking metrics per query."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

METRICS = {
    "ndcg@10": "nDCG@10",
    "mrr@10": "RR@10",
    "recall@1": "R@1",
    "recall@5": "R@5",
    "recall@10": "R@10",
    "recall@20": "R@20",
}
"""Our name of a metric → its name in ir_measures, which computes it (through pytrec_eval)."""


def per_query(
    run: Mapping[str, Mapping[str, float]], qrels: Mapping[str, Mapping[str, int]]
) -> dict[str, dict[str, float]]:
    """Score a run: metric → query id → value, for every query of ``qrels``.

    A query that was not run, or that no passage answers, scores 0.

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


def _places(scores: Mapping[str, float]) -> dict[str, float]:
    ranked = sorted(scores, key=lambda passage_id: (-scores[passage_id], passage_id))
    return {passage_id: float(len(ranked) - place) for place, passage_id in enumerate(ranked)}
