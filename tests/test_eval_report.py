"""Reports and rankings on disk, of this format and the one before."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import json
from pathlib import Path

import ir_measures
import pytest
from reports import GROUPS, make_report

from eval.metrics import METRICS, means, per_query
from eval.report import Report, load_report, load_run, save_report
from eval.runs import RUN_DEPTH, ranked, read_run, write_run
from eval.tables import scores_table
from rag_app.errors import DataError

SYSTEMS = ("128", "64|filter")
RESULTS = Path(__file__).parent.parent / "eval/results"


def with_runs(report: Report) -> Report:
    """Two passages a query, the second of them right."""
    run = {query_id: {"wrong one": 0.75, f"p{query_id}": 0.5} for query_id in GROUPS}
    return dataclasses.replace(
        report,
        gold={query_id: (f"p{query_id}",) for query_id in GROUPS},
        runs=dict.fromkeys(SYSTEMS, run),
    )


def test_a_report_survives_the_disk(tmp_path: Path) -> None:
    report = with_runs(make_report("minilm", 0.25, SYSTEMS))
    path = tmp_path / "new" / "folder" / "base.json"
    save_report(report, path)
    assert load_report(path) == report
    assert sorted(file.name for file in path.parent.iterdir()) == [
        "base.json",
        "base.queries.jsonl",
        "base.runs",
    ]
    record = json.loads(path.read_text())
    assert record["metrics"]["128"]["ndcg@10"] == pytest.approx(report.metrics["128"]["ndcg@10"])
    assert record["per_query_file"] == "base.queries.jsonl"
    lines = (path.parent / "base.queries.jsonl").read_text().splitlines()
    assert len(lines) == 12
    first = json.loads(lines[0])
    assert (first["query"], first["gold"]) == ("0", ["p0"])
    assert (
        first["scores"]["64|filter"]["recall@5"] == report.per_query["64|filter"]["recall@5"]["0"]
    )


def test_rankings_are_kept_in_trec_format_and_score_the_same(tmp_path: Path) -> None:
    report = with_runs(make_report("mini lm", 0.25, SYSTEMS))
    path = tmp_path / "base.json"
    save_report(report, path)
    for system in SYSTEMS:
        assert load_run(path, system) == report.runs[system]
    assert load_run(path, "32") is None
    file = tmp_path / "base.runs/64-filter.trec.gz"
    first, second, *_ = gzip.decompress(file.read_bytes()).decode().splitlines()
    assert first == "0 Q0 wrong%20one 1 0.750000 mini%20lm@64|filter"
    assert second == "0 Q0 p0 2 0.500000 mini%20lm@64|filter"
    # Another program reads it: ir_measures, in its own way.
    theirs = list(ir_measures.read_trec_run(gzip.decompress(file.read_bytes()).decode()))
    qrels = {query_id: {f"p{query_id}": 1} for query_id in GROUPS}
    scored = ir_measures.calc_aggregate([ir_measures.RR @ 10], qrels, theirs)
    assert scored[ir_measures.RR @ 10] == 0.5
    assert per_query(load_run(path, "128") or {}, qrels)["mrr@10"] == dict.fromkeys(GROUPS, 0.5)


def test_a_run_is_the_same_bytes_whatever_the_order_of_ties(tmp_path: Path) -> None:
    one = {"q": dict.fromkeys(["b", "a", "c"], 0.5)}
    other = {"q": dict.fromkeys(["c", "b", "a"], 0.5)}
    for name, run in (("one", one), ("other", other)):
        write_run(tmp_path / name, run, "tag")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
    assert (tmp_path / "one").read_bytes()[4:8] == bytes(4)  # gzip's time stamp
    assert ranked(other["q"]) == ["a", "b", "c"]
    many = {"q": {f"p{number:02}": -float(number) for number in range(50)}}
    write_run(tmp_path / "many", many, "tag")
    assert list(read_run(tmp_path / "many")["q"]) == ranked(many["q"])[:RUN_DEPTH]


@pytest.mark.parametrize("content", [b"one two", b"\x1f\x8bx", b"q Q0 p 1 high tag", b"\xff\xfe"])
def test_what_is_no_run_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "r").write_bytes(content)
    with pytest.raises(DataError, match="is not a run in TREC's format"):
        read_run(tmp_path / "r")
    with pytest.raises(DataError, match="There is no file"):
        read_run(tmp_path / "gone")


def test_a_report_of_the_format_before_is_read(tmp_path: Path) -> None:
    """One line a query and dimension, fewer metrics, no version, no rankings."""
    lines = [
        {"query": query_id, "group": group, "dim": dim, "ndcg@10": 0.5, "recall@1": dim / 512}
        for dim in (128, 64)
        for query_id, group in GROUPS.items()
    ]
    content = "".join(f"{json.dumps(line)}\n" for line in lines)
    (tmp_path / "old.queries.jsonl").write_text(content)
    metrics = {str(dim): {"ndcg@10": 0.5, "recall@1": dim / 512} for dim in (128, 64)}
    record = {
        "model": "minilm",
        "fingerprint": "0",
        "protocol": "notebook",
        "evalset_sha256": "f",
        "queries": 12,
        "corpus": 100,
        "metrics": metrics,
        "timings_s": {},
        "versions": {},
        "created": "2026-11-01T00:00:00+00:00",
        "per_query_file": "old.queries.jsonl",
        "per_query_sha256": hashlib.sha256(content.encode()).hexdigest(),
    }
    (tmp_path / "old.json").write_text(json.dumps(record))
    report = load_report(tmp_path / "old.json")
    assert report.per_query["64"]["recall@1"] == dict.fromkeys(GROUPS, 0.125)
    assert (report.gold, report.runs) == ({}, {})
    assert load_run(tmp_path / "old.json", "64") is None


def test_the_reports_that_ship_are_readable() -> None:
    found = [path for path in RESULTS.glob("*.json") if "per_query_file" in path.read_text("utf-8")]
    assert found
    for path in found:
        report = load_report(path)
        for system, metrics in report.metrics.items():
            for metric, mean in means(report.per_query[system]).items():
                assert mean == pytest.approx(metrics[metric], abs=1e-4), (path, system, metric)


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


def test_scores_table_names_model_and_metrics() -> None:
    report = make_report("minilm", 0.1)
    lines = scores_table(report).splitlines()
    assert lines[0] == f"| minilm, dimension | {' | '.join(METRICS)} |"
    assert lines[2].startswith(f"| 128 | {report.metrics['128']['ndcg@10']:.4f} |")
