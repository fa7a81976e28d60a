"""Intervals, sign-flip p-values, Holm, and what could have been detected, against known answers."""

from __future__ import annotations

import math
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from eval.report import load_report
from eval.statistics import Clusters, holm, paired_difference, ratio_of_means, sign_flip_p
from rag_app.errors import DataError

RESULTS = Path(__file__).parent.parent / "eval/results"


def companies(count: int, questions: int) -> dict[str, str]:
    return {f"{c}-{q}": f"C{c}" for c in range(count) for q in range(questions)}


def test_interval_of_a_constant_difference_is_that_difference() -> None:
    groups = companies(12, 4)
    base = {query_id: number / 100 for number, query_id in enumerate(groups)}
    tuned = {query_id: value + 0.25 for query_id, value in reversed(base.items())}
    result = paired_difference(base, tuned, groups)
    assert (result.mean, result.low, result.high) == pytest.approx((0.25, 0.25, 0.25))
    assert (result.queries, result.clusters, result.clustered_by) == (48, 12, "company")
    assert (result.wins, result.ties, result.losses) == (48, 0, 0)
    assert result.p == 2 / 2**12  # of all flips, only none and all are as far from zero
    assert result.detectable == pytest.approx(0, abs=1e-9)


def test_interval_covers_a_known_difference() -> None:
    """Company effects and noise around a true gain of .05, 200 times over."""
    rng = np.random.default_rng(7)
    groups = companies(60, 10)
    clusters = Clusters.of(list(groups), groups)
    covered = 0
    for _ in range(200):
        gains = 0.05 + np.repeat(rng.normal(0, 0.1, 60), 10) + rng.normal(0, 0.2, 600)
        column = clusters.column(dict(zip(groups, gains.tolist(), strict=True)))
        result = ratio_of_means(clusters, column, np.ones(600), samples=500)
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
    assert result.detectable == pytest.approx(2.8016 * drawn.std(ddof=1) / 20, rel=1e-3)
    # The t statistic's two-sided normal p; the two tests agree for many independent questions.
    t = abs(drawn.mean()) / (drawn.std(ddof=1) / 20)
    assert result.p == pytest.approx(math.erfc(t / math.sqrt(2)), abs=0.015)


def test_a_detectable_difference_is_found_four_times_out_of_five() -> None:
    rng = np.random.default_rng(2)
    groups = companies(40, 5)
    zero = dict.fromkeys(groups, 0.0)

    def drawn(gain: float) -> dict[str, float]:
        values = gain + np.repeat(rng.normal(0, 0.1, 40), 5) + rng.normal(0, 0.2, 200)
        return dict(zip(groups, values.tolist(), strict=True))

    estimates = [paired_difference(zero, drawn(0.0), groups).detectable or 0.0 for _ in range(20)]
    detectable = float(np.mean(estimates))
    assert detectable == pytest.approx(2.8016 * math.sqrt(0.01 / 40 + 0.04 / 200), rel=0.1)
    clusters = Clusters.of(list(groups), groups)
    found = [sign_flip_p(clusters, clusters.column(drawn(detectable))) < 0.05 for _ in range(150)]
    assert 0.68 <= np.mean(found) <= 0.90


def test_questions_of_one_company_are_not_independent() -> None:
    groups = companies(20, 10)
    base = dict.fromkeys(groups, 0.0)
    tuned = {query_id: float(int(group[1:]) % 2) for query_id, group in groups.items()}
    clustered = paired_difference(base, tuned, groups)
    alone = paired_difference(base, tuned, {query_id: query_id for query_id in groups})
    ratio = (clustered.high - clustered.low) / (alone.high - alone.low)
    assert ratio == pytest.approx(math.sqrt(10), rel=0.2)


def test_few_companies_are_resampled_by_query_and_say_so() -> None:
    base = {"1": 0.0, "2": 0.0, "3": 0.0}
    result = paired_difference(base, {"1": 0.0, "2": 1.0, "3": 0.5}, dict.fromkeys(base, "NVDA"))
    assert (result.clustered_by, result.clusters) == ("query", 3)
    assert (result.wins, result.ties, result.losses) == (2, 1, 0)
    assert result.low < result.mean < result.high
    for count, by in ((9, "query"), (10, "company")):
        groups = companies(count, 2)
        scores = dict.fromkeys(groups, 0.5)
        assert paired_difference(scores, scores, groups).clustered_by == by


def test_same_seed_same_interval() -> None:
    groups = companies(20, 3)
    rng = np.random.default_rng(1)
    tuned = {query_id: float(value) for query_id, value in zip(groups, rng.random(60), strict=True)}
    base = dict.fromkeys(groups, 0.45)
    one, two = (paired_difference(base, tuned, groups, seed=seed) for seed in (3, 3))
    other = paired_difference(base, tuned, groups, seed=4)
    assert one == two
    assert (one.low, one.high) != (other.low, other.high)
    assert one.p != other.p


def test_unpaired_queries_are_refused() -> None:
    with pytest.raises(DataError, match="different queries"):
        paired_difference({"1": 0.0}, {"2": 0.0}, {"1": "A", "2": "A"})
    with pytest.raises(DataError, match="different queries"):
        paired_difference({}, {}, {})
    with pytest.raises(DataError, match="no company"):
        paired_difference({"1": 0.0}, {"1": 0.0}, {})


def test_one_question_gives_no_detectable_difference() -> None:
    result = paired_difference({"1": 0.0}, {"1": 1.0}, {"1": "A"})
    assert (result.p, result.detectable) == (1.0, None)


def test_sign_flips_equal_brute_force() -> None:
    groups = companies(11, 2)
    clusters = Clusters.of(list(groups), groups)
    gains = np.round(np.random.default_rng(3).normal(0.1, 0.3, 22), 1)  # sums that tie
    sums = [gains[clusters.member == cluster].sum() for cluster in range(11)]
    totals = [
        abs(sum(sign * value for sign, value in zip(signs, sums, strict=True)))
        for signs in product((1, -1), repeat=11)
    ]
    expected = np.mean([total >= abs(sum(sums)) - 1e-9 for total in totals])
    assert sign_flip_p(clusters, gains) == pytest.approx(expected)


def test_drawn_sign_flips_come_near_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = companies(12, 3)
    clusters = Clusters.of(list(groups), groups)
    gains = np.random.default_rng(8).normal(0.08, 0.3, 36)
    every = sign_flip_p(clusters, gains)
    monkeypatch.setattr("eval.statistics.EXACT_CLUSTERS", 0)
    monkeypatch.setattr("eval.statistics.CELLS", 5000)  # several blocks, the last one short
    assert 0.02 < every < 0.9
    assert sign_flip_p(clusters, gains) == pytest.approx(every, abs=0.015)


def test_holm_steps_down() -> None:
    # Worked by hand: 4 x .01, 3 x .015 raised to the .04 before it, 2 x .03, 1 x .2.
    assert holm([0.2, 0.01, 0.03, 0.015]) == pytest.approx([0.2, 0.04, 0.06, 0.045])
    assert holm([0.5, 0.6]) == [1.0, 1.0]
    assert holm([]) == []


def test_share_of_full_width_is_a_ratio_of_means() -> None:
    groups = companies(30, 4)
    clusters = Clusters.of(list(groups), groups)
    full = np.random.default_rng(4).random(120) + 0.5
    share = ratio_of_means(clusters, 0.9 * full, full)
    assert (share.value, share.low, share.high) == pytest.approx((0.9, 0.9, 0.9))
    other = ratio_of_means(clusters, full[::-1].copy(), full)
    assert other.low < other.value < other.high
    assert other.value == pytest.approx(1.0)


def test_p_values_of_equal_systems_are_uniform() -> None:
    """A/A over 200 random splits of the published questions, on real per-query scores.

    Each split hands a random half of the companies' scores to the other system, so that both are
    the same mixture of base and tuned: there is nothing to find, at the real scatter. A fair coin a
    company makes the null hypothesis of the test exactly true.
    """
    base, tuned = (
        load_report(RESULTS / f"minilm-notebook-{name}.json") for name in ("base", "tuned")
    )
    groups = base.groups
    clusters = Clusters.of(list(groups), groups)
    gains = clusters.column(tuned.per_query["64"]["ndcg@10"]) - clusters.column(
        base.per_query["64"]["ndcg@10"]
    )
    rng = np.random.default_rng(11)
    ps = []
    for split in range(200):
        swapped = 1.0 - 2.0 * rng.integers(0, 2, size=clusters.count)
        ps.append(sign_flip_p(clusters, gains * swapped[clusters.member], seed=split))
    assert 0.02 <= np.mean(np.array(ps) < 0.05) <= 0.08
    deciles = np.histogram(ps, bins=10, range=(0, 1))[0]
    assert deciles.min() >= 8
    assert deciles.max() <= 34  # 20 expected, standard deviation 4.2
    assert sign_flip_p(clusters, gains) < 0.001  # while the real difference is seen
