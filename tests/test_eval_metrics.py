"""Metrics against brute force, and ties."""

from __future__ import annotations

import math

import numpy as np
import pytest

from eval.metrics import METRICS, means, per_query


def brute_force(ranked: list[str], relevant: set[str]) -> dict[str, float]:
    """The metrics of one ranking by their definitions (binary gain, log2 discount)."""
    hits = [document in relevant for document in ranked[:10]]
    gain = sum(1 / math.log2(place + 2) for place, hit in enumerate(hits) if hit)
    ideal = sum(1 / math.log2(place + 2) for place in range(min(10, len(relevant))))
    return {
        "ndcg@10": gain / ideal,
        "mrr@10": 1 / (hits.index(True) + 1) if any(hits) else 0.0,
        **{f"recall@{k}": len(set(ranked[:k]) & relevant) / len(relevant) for k in (1, 5, 10, 20)},
    }


def random_task(
    seed: int, levels: int
) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, int]]]:
    """30 queries over 40 passages, 1 to 12 right each; few ``levels`` of score make ties."""
    rng = np.random.default_rng(seed)
    passages = [f"p{number}" for number in range(40)]
    run, qrels = {}, {}
    for number in range(30):
        scores = rng.integers(levels, size=40) / levels
        run[f"q{number}"] = dict(zip(rng.permutation(passages).tolist(), scores, strict=True))
        right = rng.choice(passages, size=rng.integers(1, 13), replace=False)
        qrels[f"q{number}"] = dict.fromkeys(right.tolist(), 1)
    return run, qrels


@pytest.mark.parametrize("levels", [10**9, 4], ids=["distinct", "tied"])
@pytest.mark.parametrize("seed", range(3))
def test_metrics_equal_brute_force(seed: int, levels: int) -> None:
    run, qrels = random_task(seed, levels)
    values = per_query(run, qrels)
    assert list(values) == list(METRICS)
    for query_id, scores in run.items():
        ranked = sorted(scores, key=lambda passage: (-scores[passage], passage))
        expected = brute_force(ranked, set(qrels[query_id]))
        for metric in METRICS:
            assert values[metric][query_id] == pytest.approx(expected[metric]), (query_id, metric)


def test_ties_rank_by_passage_id_in_every_metric() -> None:
    # Left to themselves the engines disagree here: one puts b first, the other a.
    for order in (["a", "b"], ["b", "a"]):
        run = {"q": dict.fromkeys(order, 0.5)}
        first, second = per_query(run, {"q": {"a": 1}}), per_query(run, {"q": {"b": 1}})
        assert first["recall@1"]["q"] == first["mrr@10"]["q"] == first["ndcg@10"]["q"] == 1
        assert second["recall@1"]["q"] == 0
        assert second["mrr@10"]["q"] == 0.5


def test_scores_closer_than_single_precision_are_not_tied() -> None:
    values = per_query({"q": {"a": 0.5, "b": 0.5 + 1e-12}}, {"q": {"b": 1}})
    assert values["recall@1"]["q"] == 1


def test_a_query_that_was_not_run_counts_zero() -> None:
    values = per_query({"q1": {"a": 1.0}}, {"q1": {"a": 1}, "q2": {"a": 1}})
    assert values["ndcg@10"] == {"q1": 1.0, "q2": 0.0}
    assert means(values)["ndcg@10"] == 0.5


def test_a_query_without_a_right_passage_counts_zero() -> None:
    values = per_query({"q1": {"a": 1.0}, "q2": {"a": 1.0}}, {"q1": {"a": 1}, "q2": {}})
    for metric in METRICS:
        assert values[metric] == {"q1": 1.0, "q2": 0.0}, metric
