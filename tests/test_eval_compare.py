"""Two reports paired: differences, conclusions over dimensions, the questions that moved most."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from reports import GROUPS, make_report

from eval.compare import compare
from eval.conclusions import conclude
from eval.evalset import EvalSet
from eval.metrics import METRICS, means
from eval.movers import movers, movers_text
from eval.report import Report
from eval.statistics import holm, paired_difference
from eval.tables import comparison_table, conclusions_text
from rag_app.errors import DataError


def random_report(model: str, seed: int, means_of: dict[str, float]) -> Report:
    """Scores scattered around a mean a system; 60 questions about 12 companies."""
    rng = np.random.default_rng(seed)
    groups = {str(number): f"C{number % 12}" for number in range(60)}
    per_query = {
        system: {
            metric: dict(zip(groups, np.round(rng.normal(mean, 0.1, 60), 4).tolist(), strict=True))
            for metric in ("ndcg@10", "recall@1")
        }
        for system, mean in means_of.items()
    }
    return dataclasses.replace(
        make_report(model, 0.0),
        queries=60,
        groups=groups,
        per_query=per_query,
        metrics={system: means(values) for system, values in per_query.items()},
    )


DIMS = {"384": 0.6, "128": 0.5, "64": 0.4}
BASE = random_report("minilm", 1, DIMS | {"pca@64": 0.35, "bm25": 0.5})
TUNED = random_report("mine", 2, {"384": 0.65, "128": 0.6, "64": 0.58, "bm25": 0.5})


def test_compare_pairs_by_query_id() -> None:
    base, tuned = make_report("minilm", 0.1), make_report("mine", 0.2)
    shuffled = {
        system: {metric: dict(reversed(by_query.items())) for metric, by_query in scores.items()}
        for system, scores in tuned.per_query.items()
    }
    comparison = compare(base, dataclasses.replace(tuned, per_query=shuffled))
    assert [(row.system, row.metric) for row in comparison.rows] == [
        (system, metric) for metric in METRICS for system in ("128", "64")
    ]
    for row in comparison.rows:
        # Every query gains .1, so that pairing by place would widen the interval.
        assert row.difference.low == pytest.approx(0.1)
        assert row.difference.high == pytest.approx(0.1)
        assert (row.difference.wins, row.difference.losses) == (12, 0)
        assert row.relative_percent == pytest.approx(100 * 0.1 / row.base)


def test_p_values_are_adjusted_over_the_dimensions_of_a_metric() -> None:
    comparison = compare(BASE, TUNED)
    for metric in ("ndcg@10", "recall@1"):
        rows = [row for row in comparison.rows if row.metric == metric]
        assert [row.system for row in rows] == ["384", "128", "64"]  # no baseline among them
        assert [row.p_holm for row in rows] == holm([row.difference.p for row in rows])


def test_the_same_model_run_twice_shows_no_difference() -> None:
    comparison = compare(BASE, dataclasses.replace(BASE, created="another day"))
    for row in comparison.rows:
        gain = row.difference
        assert (gain.mean, gain.low, gain.high, gain.p, row.p_holm) == (0, 0, 0, 1, 1)
        assert gain.ties == 60
    assert movers(BASE, BASE, "64", "ndcg@10", (None, None)) == ([], [])


def test_compare_refuses_what_cannot_be_paired() -> None:
    base = make_report("minilm", 0.1)
    other = dataclasses.replace(base, protocol="questions")
    with pytest.raises(DataError, match=r"two protocols \(notebook and questions\)"):
        compare(base, other)
    with pytest.raises(DataError, match="two evaluation sets"):
        conclude(base, dataclasses.replace(base, evalset_sha256="0" * 64), "ndcg@10")
    with pytest.raises(DataError, match=r"share no dimension .*128, 64; mine: 768"):
        compare(base, make_report("mine", 0.1, ("768",)))


def test_metrics_that_one_report_lacks_are_left_out() -> None:
    """A report from before recall@20 pairs with one of today."""
    before = dataclasses.replace(
        BASE,
        metrics={name: {"recall@1": values["recall@1"]} for name, values in BASE.metrics.items()},
    )
    assert {row.metric for row in compare(before, TUNED).rows} == {"recall@1"}
    with pytest.raises(DataError, match="share no metric"):
        compare(dataclasses.replace(BASE, metrics={name: {} for name in BASE.metrics}), TUNED)


def test_dimensions_that_only_one_has_are_named() -> None:
    comparison = compare(
        make_report("minilm", 0.1, ("384", "64", "128", "64|filter")),
        make_report("mine", 0.2, ("512", "64", "128", "64|filter")),
    )
    assert (comparison.only_base, comparison.only_tuned) == (("384",), ("512",))
    table = comparison_table(comparison).splitlines()
    named = [line.split("|")[1].strip() for line in table[2:5]]
    assert named == ["128", "64", "64, filter"]
    assert "Left out, scored for minilm only: 384." in table
    assert "Left out, scored for mine only: 512." in table


def test_table_shows_every_column() -> None:
    comparison = compare(make_report("minilm", 0.1), make_report("mine", 0.2))
    table = comparison_table(comparison, "recall@5")
    row = next(r for r in comparison.rows if (r.system, r.metric) == ("64", "recall@5"))
    assert (
        f"| 64 | {row.base:.4f} | {row.tuned:.4f} | +0.1000 | +0.1000 to +0.1000 "
        f"| {row.relative_percent:+.1f}% | 0.0005 | 0.0010 | 12 / 0 / 0 |"
    ) in table
    assert "12 questions paired; interval by bootstrap and p by sign flips over 12 quest" in table
    assert "12 companies" in comparison_table(compare(BASE, TUNED))
    assert "narrower than it should be" in comparison_table(compare(BASE, TUNED))
    assert "would be found four times out of five" in comparison_table(compare(BASE, TUNED))


def test_conclusions_are_the_notebooks_with_intervals() -> None:
    (found,) = conclude(BASE, TUNED, "ndcg@10")
    gains = {dim: TUNED.metrics[dim]["ndcg@10"] - BASE.metrics[dim]["ndcg@10"] for dim in DIMS}
    assert found.average.mean == pytest.approx(sum(gains.values()) / 3)
    assert (found.largest_at, found.largest.mean) == ("64", pytest.approx(gains["64"]))
    plain = paired_difference(
        BASE.per_query["64"]["ndcg@10"], TUNED.per_query["64"]["ndcg@10"], BASE.groups
    )
    assert found.largest.low < plain.low < plain.high < found.largest.high
    narrowest = found.kept[-1]
    assert [(kept.system, kept.storage_factor) for kept in found.kept] == [("128", 3), ("64", 6)]
    full = BASE.metrics["384"]["ndcg@10"]
    assert narrowest.base.value == pytest.approx(BASE.metrics["64"]["ndcg@10"] / full)
    assert narrowest.base.low < narrowest.base.value < narrowest.base.high
    assert narrowest.tuned.value > narrowest.base.value
    against = {(row.system, row.other): row.difference.mean for row in found.against}
    assert against["64", "384"] == pytest.approx(TUNED.metrics["64"]["ndcg@10"] - full)
    assert against.keys() == {
        *((dim, other) for dim in DIMS for other in ("384", "bm25")),
        ("64", "pca@64"),
    }


def test_conclusions_text_shows_all_of_it() -> None:
    (found,) = conclude(BASE, TUNED, "ndcg@10")
    text = conclusions_text(found)
    assert f"on average over dimensions {found.average.mean:+.4f} (" in text
    assert f"at most {found.largest.mean:+.4f} (" in text
    assert f"| 64 | 1/6 | {found.kept[-1].base.value:.1%} (" in text
    assert "| 64 | pca@64 |" in text


def test_conclusions_need_two_dimensions_and_come_with_the_filter_too() -> None:
    one = random_report("minilm", 1, {"64": 0.5})
    assert conclude(one, one, "ndcg@10") == ()
    filtered = {f"{dim}|filter": mean for dim, mean in DIMS.items()}
    both = random_report("minilm", 1, DIMS | filtered)
    assert [found.kept[-1].system for found in conclude(both, both, "ndcg@10")] == [
        "64",
        "64|filter",
    ]
    nothing = random_report("minilm", 1, DIMS)
    nothing.metrics["384"]["ndcg@10"] = 0.0
    assert conclude(nothing, nothing, "ndcg@10") == ()


def moved() -> tuple[Report, Report]:
    """Question 3 gains most, then 1; question 2 loses."""
    base = make_report("minilm", 0.0)
    tuned = make_report("mine", 0.0)
    for query_id, gain in (("1", 0.25), ("3", 0.5), ("2", -0.25)):
        tuned.per_query["64"]["ndcg@10"][query_id] += gain
    gold = {query_id: (f"p{query_id}",) for query_id in GROUPS}
    return dataclasses.replace(base, gold=gold), dataclasses.replace(tuned, gold=gold)


RUNS = (
    {"3": {"x": 0.9, "y": 0.8, "p3": 0.7}, "2": {"p2": 0.9}},
    {"3": {"p3": 0.9, "x": 0.8}, "2": {"x": 0.9, "y": 0.4}},
)


def test_movers_are_ordered_and_say_where_the_passage_ranked() -> None:
    gained, lost = movers(*moved(), "64", "ndcg@10", RUNS)
    assert [mover.query for mover in gained] == ["3", "1"]
    assert [mover.query for mover in lost] == ["2"]
    assert gained[0].gain == pytest.approx(0.5)
    assert (gained[0].base.rank, gained[0].tuned.rank) == (3, 1)
    assert (lost[0].base.rank, lost[0].tuned.rank, lost[0].tuned.first) == (1, None, "x")
    assert gained[1].base.depth == 0
    assert len(movers(*moved(), "64", "ndcg@10", RUNS, count=1)[0]) == 1
    with pytest.raises(DataError, match=r"no ndcg@10 of 32; it has 128, 64"):
        movers(*moved(), "32", "ndcg@10", RUNS)


def test_movers_are_shown_with_their_passages() -> None:
    gained, lost = movers(*moved(), "64", "ndcg@10", RUNS)
    evalset = EvalSet(
        name="notebook",
        queries={query_id: f"Question {query_id}?" for query_id in GROUPS},
        corpus={"x": "long " * 200, "y": "", **{f"p{id_}": f"Passage {id_}." for id_ in GROUPS}},
        qrels={},
        groups=GROUPS,
    )
    text = movers_text(gained, evalset)
    assert "- **3** (C3) +0.5000: " in text
    assert "rank 3 → " in text
    assert "  - asked: Question 3?" in text
    assert "  - right [p3]: Passage 3." in text
    assert "  - base's first [x]: long long" in text
    assert " …\n" in text
    assert "  - tuned's first [p3], which is right" in text
    assert "not in the first 2" in movers_text(lost, None)
    assert "asked" not in movers_text(lost, None)
    assert movers_text([], None) == "None."
