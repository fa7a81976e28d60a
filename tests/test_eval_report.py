"""Reports on disk and two of them paired."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from eval.metrics import METRICS, means
from eval.report import (
    Report,
    compare,
    comparison_table,
    load_report,
    save_report,
    scores_table,
)
from rag_app.errors import DataError

GROUPS = {str(number): f"C{number % 4}" for number in range(12)}


def make_report(model: str, gain: float, dims: tuple[str, ...] = ("128", "64")) -> Report:
    per_query = {
        dim: {
            metric: {query_id: gain + (int(query_id) * 7 + shift) % 10 / 16 for query_id in GROUPS}
            for shift, metric in enumerate(METRICS)
        }
        for dim in dims
    }
    return Report(
        model=model,
        fingerprint="0123456789ab",
        protocol="notebook",
        evalset_sha256="f" * 64,
        queries=12,
        corpus=100,
        metrics={dim: means(values) for dim, values in per_query.items()},
        per_query=per_query,
        groups=GROUPS,
        timings_s={"score": 0.1},
    )


def test_a_report_survives_the_disk(tmp_path: Path) -> None:
    report = make_report("minilm", 0.25)
    path = tmp_path / "new" / "folder" / "base.json"
    save_report(report, path)
    assert load_report(path) == report
    assert sorted(file.name for file in path.parent.iterdir()) == [
        "base.json",
        "base.queries.jsonl",
    ]
    record = json.loads(path.read_text())
    assert record["metrics"]["128"]["ndcg@10"] == pytest.approx(report.metrics["128"]["ndcg@10"])
    assert record["per_query_file"] == "base.queries.jsonl"
    lines = (path.parent / "base.queries.jsonl").read_text().splitlines()
    assert len(lines) == 24
    assert json.loads(lines[0])["query"] == "0"


def test_values_are_rounded_and_means_are_not(tmp_path: Path) -> None:
    report = make_report("minilm", 1 / 3)
    save_report(report, tmp_path / "r.json")
    loaded = load_report(tmp_path / "r.json")
    assert loaded.metrics == report.metrics
    assert loaded.per_query["64"]["mrr@10"]["0"] == round(report.per_query["64"]["mrr@10"]["0"], 4)


def test_scores_of_another_run_are_noticed(tmp_path: Path) -> None:
    save_report(make_report("minilm", 0.3), tmp_path / "base.json")
    save_report(make_report("minilm", 0.4), tmp_path / "other.json")
    (tmp_path / "other.queries.jsonl").replace(tmp_path / "base.queries.jsonl")
    with pytest.raises(DataError, match=r"base\.queries\.jsonl is not the file"):
        load_report(tmp_path / "base.json")
    with pytest.raises(DataError, match=r"no file .*other\.queries\.jsonl"):
        load_report(tmp_path / "other.json")


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"model": "x"}', '{"per_query_file": 3, "per_query_sha256": ""}']
)
def test_what_is_no_report_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "r.json"
    path.write_text(content)
    with pytest.raises(DataError, match="is not a report"):
        load_report(path)


def test_a_report_whose_parts_disagree_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    save_report(make_report("minilm", 0.3), path)
    record = json.loads(path.read_text())
    del record["metrics"]["64"]
    path.write_text(json.dumps(record))
    with pytest.raises(DataError, match="is not a report"):
        load_report(path)


def test_a_file_in_the_way_of_the_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        save_report(make_report("minilm", 0.3), tmp_path / "taken" / "r.json")


def test_compare_pairs_by_query_id() -> None:
    base, tuned = make_report("minilm", 0.1), make_report("mine", 0.2)
    shuffled = {
        dim: {metric: dict(reversed(by_query.items())) for metric, by_query in scores.items()}
        for dim, scores in tuned.per_query.items()
    }
    comparison = compare(base, dataclasses.replace(tuned, per_query=shuffled))
    assert [(row.dim, row.metric) for row in comparison.rows] == [
        (dim, metric) for dim in ("128", "64") for metric in METRICS
    ]
    for row in comparison.rows:
        # Every query gains .1, so that pairing by place would widen the interval.
        assert row.difference.low == pytest.approx(0.1)
        assert row.difference.high == pytest.approx(0.1)
        assert row.relative_percent == pytest.approx(100 * 0.1 / row.base)


def test_compare_refuses_what_cannot_be_paired() -> None:
    base = make_report("minilm", 0.1)
    other = dataclasses.replace(base, protocol="questions")
    with pytest.raises(DataError, match=r"two protocols \(notebook and questions\)"):
        compare(base, other)
    with pytest.raises(DataError, match="two evaluation sets"):
        compare(base, dataclasses.replace(base, evalset_sha256="0" * 64))
    with pytest.raises(DataError, match=r"share no dimension .*128, 64; mine: 768"):
        compare(base, make_report("mine", 0.1, ("768",)))


def test_dimensions_that_only_one_has_are_named() -> None:
    comparison = compare(
        make_report("minilm", 0.1, ("384", "64", "128")),
        make_report("mine", 0.2, ("512", "64", "128")),
    )
    assert (comparison.only_base, comparison.only_tuned) == (("384",), ("512",))
    table = comparison_table(comparison).splitlines()
    assert [line.split("|")[1].strip() for line in table[2:4]] == ["128", "64"]
    assert "Left out, scored for minilm only: 384." in table
    assert "Left out, scored for mine only: 512." in table


def test_table_shows_every_column() -> None:
    comparison = compare(make_report("minilm", 0.1), make_report("mine", 0.2))
    table = comparison_table(comparison, "recall@5")
    row = next(r for r in comparison.rows if (r.dim, r.metric) == ("64", "recall@5"))
    assert (
        f"| 64 | {row.base:.4f} | {row.tuned:.4f} | +0.1000 | +0.1000 to +0.1000 "
        f"| {row.relative_percent:+.1f}% |"
    ) in table
    assert "12 questions paired; interval by bootstrap over 4 companies" in table
    assert "narrower than it should be" in table


def test_scores_table_names_model_and_metrics() -> None:
    report = make_report("minilm", 0.1)
    lines = scores_table(report).splitlines()
    assert lines[0] == f"| minilm, dimension | {' | '.join(METRICS)} |"
    assert lines[2].startswith(f"| 128 | {report.metrics['128']['ndcg@10']:.4f} |")
