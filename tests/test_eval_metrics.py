"""Metrics against brute force, ties, and the interval of a paired difference."""

from __future__ import annotations

import math

import numpy as np
import pytest

from eval.metrics import METRICS, means, paired_difference, per_query
from rag_app.errors import DataError


def brute_force(ranked: list[str], relevant: set[str]) -> dict[str, float]:
    """The metrics of one ranking by their definitions (binary gain, log2 discount)."""
    hits = [document in relevant for document in ranked[:10]]
    gain = sum(1 / math.log2(place + 2) for place, hit in enumerate(hits) if hit)
    ideal = sum(1 / math.log2(place + 2) for place in range(min(10, len(relevant))))
    return {
        "ndcg@10": gain / ideal,
        "mrr@10": 1 / (hits.index(True) + 1) if any(hits) else 0.0,
        **{f"recall@{k}": len(set(ranked[:k]) & relevant) / len(relevant) for k in (1, 5, 10)},
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


def companies(count: int, questions: int) -> dict[str, str]:
    return {f"{c}-{q}": f"C{c}" for c in range(count) for q in range(questions)}


def test_interval_of_a_constant_difference_is_that_difference() -> None:
    groups = companies(5, 4)
    base = {query_id: number / 100 for number, query_id in enumerate(groups)}
    tuned = {query_id: value + 0.25 for query_id, value in reversed(base.items())}
    result = paired_difference(base, tuned, groups)
    assert (result.mean, result.low, result.high) == pytest.approx((0.25, 0.25, 0.25))
    assert (result.queries, result.clusters, result.clustered_by) == (20, 5, "company")


def test_interval_covers_a_known_difference() -> None:
    """Company effects and noise around a true gain of .05, 200 times over."""
    rng = np.random.default_rng(7)
    groups = companies(60, 10)
    covered = 0
    for _ in range(200):
        gains = 0.05 + np.repeat(rng.normal(0, 0.1, 60), 10) + rng.normal(0, 0.2, 600)
        tuned = dict(zip(groups, gains.tolist(), strict=True))
        result = paired_difference(dict.fromkeys(groups, 0.0), tuned, groups, samples=500)
        covered += result.low <= 0.05 <= result.high
    # A true 95% gives 190, standard deviation 3; 60 clusters cost about a point.
    assert 176 <= covered <= 199


def test_interval_is_the_normal_one_where_questions_are_independent() -> None:
    drawn = np.random.default_rng(5).standard_normal(400)
    tuned = {str(number): value for number, value in enumerate(drawn.tolist())}
    groups = {query_id: query_id for query_id in tuned}
    result = paired_difference(dict.fromkeys(tuned, 0.0), tuned, groups)
    assert result.mean == pytest.approx(drawn.mean())
    width = 2 * 1.96 * drawn.std() / math.sqrt(400)
    assert result.high - result.low == pytest.approx(width, rel=0.07)


def test_questions_of_one_company_are_not_independent() -> None:
    groups = companies(20, 10)
    base = dict.fromkeys(groups, 0.0)
    tuned = {query_id: float(int(group[1:]) % 2) for query_id, group in groups.items()}
    clustered = paired_difference(base, tuned, groups)
    alone = paired_difference(base, tuned, {query_id: query_id for query_id in groups})
    ratio = (clustered.high - clustered.low) / (alone.high - alone.low)
    assert ratio == pytest.approx(math.sqrt(10), rel=0.2)


def test_one_company_is_resampled_by_query_and_says_so() -> None:
    base = {"1": 0.0, "2": 0.0, "3": 0.0}
    result = paired_difference(base, {"1": 0.0, "2": 1.0, "3": 0.5}, dict.fromkeys(base, "NVDA"))
    assert (result.clustered_by, result.clusters) == ("query", 3)
    assert result.low < result.mean < result.high


def test_same_seed_same_interval() -> None:
    groups = companies(10, 3)
    tuned = {query_id: len(query_id) / 10 + hash_free(query_id) for query_id in groups}
    base = dict.fromkeys(groups, 0.1)
    one, two = (paired_difference(base, tuned, groups, seed=seed) for seed in (3, 3))
    other = paired_difference(base, tuned, groups, seed=4)
    assert one == two
    assert (one.low, one.high) != (other.low, other.high)


def hash_free(query_id: str) -> float:
    """A value that differs by query and not by run of Python."""
    return sum(map(ord, query_id)) % 7 / 7


def test_unpaired_queries_are_refused() -> None:
    with pytest.raises(DataError, match="different queries"):
        paired_difference({"1": 0.0}, {"2": 0.0}, {"1": "A", "2": "A"})
    with pytest.raises(DataError, match="different queries"):
        paired_difference({}, {}, {})
    with pytest.raises(DataError, match="no company"):
        paired_difference({"1": 0.0}, {"1": 0.0}, {})
