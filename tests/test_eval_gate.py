"""The gate: planted regressions, each caught; what it cannot judge; new questions; updates."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from llama_index.core.schema import TextNode
from soft_prompt import write_prompted_model

import eval.commands.gate
import rag_app.filings.batch
import rag_app.index.build
import rag_app.index.retriever
import rag_app.index.snapshot
from eval.__main__ import main
from eval.baseline import Baseline, baseline_of, load_baseline, save_baseline
from eval.gate import Verdict, gate_table, judge
from eval.held import load_held
from eval.served import Measured, measure
from rag_app.errors import DataError
from rag_app.filings.chunks import make_chunks
from rag_app.index.build import build_index
from rag_app.index.embedder import Embedder, Vectors
from rag_app.index.models import resolve_model
from rag_app.ingest import ingest
from rag_app.library import Library
from rag_app.sealed import writer_lock
from rag_app.settings import Settings

QUESTIONS = Path(__file__).parent / "retrieval/questions.jsonl"
STALE, FIRST = "TSLT_10-K_2024-06-30", "LKSP_10-K_2023-12-31"


class Remembering(Embedder):
    """The real model; a question that was encoded once is not encoded again."""

    known: dict[str, Vectors]

    def encode_queries(self, queries: list[str]) -> Vectors:  # type: ignore[override]
        for query in queries:
            if query not in self.known:
                self.known[query] = super().encode_queries([query])[0]
        return np.stack([self.known[query] for query in queries])


@pytest.fixture(scope="module")
def embedder(minilm: Embedder) -> Embedder:
    remembering = Remembering(minilm.spec)
    remembering._model, remembering.known = minilm.model, {}
    return remembering


def measured_at(
    home: Path,
    embedder: Embedder,
    dim: int,
    questions: Path = QUESTIONS,
    settings: Settings = Settings(),  # noqa: B008 - frozen
) -> Measured:
    library = Library(home)
    return measure(library, embedder, dim, load_held(questions, library), settings)


@pytest.fixture(scope="module")
def healthy(sample_home: Path, embedder: Embedder) -> Measured:
    return measured_at(sample_home, embedder, 384)


def baseline(measured: Measured) -> Baseline:
    return baseline_of(measured, "as it was", None)


def verdict_on(before: Measured, now: Measured) -> Verdict:
    return judge(baseline(before), now, Path("b.json"))


def worse(verdict: Verdict) -> set[tuple[str, str]]:
    return {(row.retriever, row.metric) for row in verdict.rows if row.worse}


def only(home: Path, prefix: str) -> None:
    """Leave those filings of a library alone."""
    for folder in (home / "filings").iterdir():
        if not folder.name.startswith(prefix):
            shutil.rmtree(folder)


def asking_of(prefix: str, folder: Path) -> Path:
    """The questions about some filings alone."""
    kept = [line for line in QUESTIONS.read_text("utf-8").splitlines() if prefix in line]
    path = folder / f"{prefix}.jsonl"
    path.write_text("\n".join(kept), "utf-8")
    return path


def test_the_same_again_is_no_worse(
    healthy: Measured, sample_home: Path, embedder: Embedder
) -> None:
    again = measured_at(sample_home, embedder, 384)
    verdict = verdict_on(healthy, again)
    assert verdict.passed
    assert all(row.difference.mean == row.difference.low == 0 for row in verdict.rows)
    assert all(row.difference.p == 1 for row in verdict.rows)
    assert not verdict.changes
    assert "Passed: no metric of" in gate_table(verdict)


def test_a_wrong_dimension_is_caught(
    healthy: Measured, home_copy: Path, embedder: Embedder
) -> None:
    verdict = verdict_on(healthy, measured_at(home_copy, embedder, 64))
    assert not verdict.passed
    assert {("dense", "ndcg@10"), ("dense", "recall@10")} <= worse(verdict)
    assert "dim 384 to 64" in verdict.changes
    assert "WORSE" in gate_table(verdict)


def test_a_setting_that_ruins_the_ranking_is_caught(
    healthy: Measured, sample_home: Path, embedder: Embedder
) -> None:
    """Words alone: hardly anything but the setting differs, and dense search not at all."""
    ruined = Settings().model_copy(update={"dense_share": 0.0})
    verdict = verdict_on(healthy, measured_at(sample_home, embedder, 384, settings=ruined))
    assert ("fused", "ndcg@10") in worse(verdict)
    assert not {metric for retriever, metric in worse(verdict) if retriever == "dense"}


def with_misses(measured: Measured, count: int) -> Measured:
    """As if the first questions that the fused search finds were not found."""
    recall = dict(measured.scores["fused"]["recall@10"])
    for question_id in [id_ for id_, value in recall.items() if value][:count]:
        recall[question_id] = 0.0
    fused = measured.scores["fused"] | {"recall@10": recall}
    return dataclasses.replace(measured, scores=measured.scores | {"fused": fused})


def test_what_chance_may_do_passes_and_what_it_may_not_fails(healthy: Measured) -> None:
    verdict = verdict_on(healthy, with_misses(healthy, 1))
    assert verdict.passed
    assert [question.id for question in verdict.lost] == ["s01"]
    assert "Found no longer: s01" in gate_table(verdict)
    assert worse(verdict_on(healthy, with_misses(healthy, 6))) == {("fused", "recall@10")}
    assert verdict_on(with_misses(healthy, 6), healthy).passed  # better is no regression


def test_a_dropped_prompt_is_caught(home_copy: Path, minilm: Embedder, tmp_path: Path) -> None:
    """Questions encoded as passages are: without the prompt that the index was made for."""

    class Dropping(Embedder):
        def encode_queries(self, queries: Sequence[str]) -> Vectors:
            return self.encode_documents(queries)

    spec = resolve_model(str(write_prompted_model(tmp_path / "prompted")), home_copy)
    assert spec.query_prompt
    for path in home_copy.glob(f"filings/*/*/vectors/{minilm.spec.fingerprint}.safetensors"):
        shutil.copy(path, path.with_stem(spec.fingerprint))  # no passage holds the prompt's letters
    prompted, dropping = Embedder(spec), Dropping(spec)
    before = measured_at(home_copy, prompted, 384)
    dropping._model = prompted.model
    verdict = verdict_on(before, measured_at(home_copy, dropping, 384))
    # Fused search hardly suffers: BM25 makes good what the weighted sum loses on these questions.
    assert {("dense", "ndcg@10"), ("dense", "recall@5")} <= worse(verdict)
    assert not verdict.passed


@pytest.fixture
def not_renormalised(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def cut(vectors: Vectors, dim: int, start: int = 0) -> Vectors:
        return np.ascontiguousarray(vectors[:, start : start + dim])

    def plant() -> None:
        for module in (rag_app.index.build, rag_app.index.snapshot, rag_app.index.retriever):
            monkeypatch.setattr(module, "truncate", cut)

    return plant


def test_vectors_that_are_not_renormalised_are_caught(
    home_copy: Path, embedder: Embedder, not_renormalised: Callable[[], None]
) -> None:
    before = measured_at(home_copy, embedder, 64)
    shutil.rmtree(home_copy / "index")
    not_renormalised()
    verdict = verdict_on(before, measured_at(home_copy, embedder, 64))
    assert not verdict.passed
    assert any("not unit length" in fault for fault in verdict.faults)


def test_an_index_stale_by_one_filing_is_caught(
    healthy: Measured, home_copy: Path, embedder: Embedder, tmp_path: Path
) -> None:
    """As an ingest leaves it that was killed after storing the sixth filing."""
    late = home_copy / "filings" / STALE
    late.rename(tmp_path / STALE)
    with writer_lock(home_copy):
        build_index(Library(home_copy), embedder, 384)
    shutil.copytree(tmp_path / STALE, late, ignore=shutil.ignore_patterns("vectors"))
    verdict = verdict_on(healthy, measured_at(home_copy, embedder, 384))
    assert {("fused", "recall@10"), ("fused", "ndcg@10")} <= worse(verdict)
    assert f"The index lacks the stored version of {STALE}." in verdict.faults
    assert {question.filing for question in verdict.lost} >= {STALE}


@pytest.fixture
def cut_by(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sample_filings: Path, embedder: Embedder
) -> Callable[[str, Callable[..., list[TextNode]]], Path]:
    def plant(name: str, chunker: Callable[..., list[TextNode]]) -> Path:
        monkeypatch.setattr(rag_app.filings.batch, "make_chunks", chunker)
        home = tmp_path / "cut"
        files = sorted(sample_filings.glob(f"{name}*"))
        ingest(files, Library(home), embedder, 384, max_file_mb=50)
        return home

    return plant


def test_chunks_that_lose_their_second_half_are_caught(
    home_copy: Path,
    embedder: Embedder,
    tmp_path: Path,
    cut_by: Callable[[str, Callable[..., list[TextNode]]], Path],
) -> None:
    def halved(*args: object) -> list[TextNode]:
        nodes = make_chunks(*args)  # type: ignore[arg-type]
        for node in nodes:
            node.text = node.text[: len(node.text) // 2]
        return nodes

    only(home_copy, "LKSP")
    questions = asking_of("LKSP", tmp_path)
    before = measured_at(home_copy, embedder, 384, questions)
    home = cut_by("LKSP", halved)
    verdict = verdict_on(before, measured_at(home, embedder, 384, questions))
    assert {("dense", "recall@10"), ("fused", "recall@10")} <= worse(verdict)


def test_chunks_of_half_the_size_are_caught(
    home_copy: Path,
    embedder: Embedder,
    tmp_path: Path,
    cut_by: Callable[[str, Callable[..., list[TextNode]]], Path],
) -> None:
    """Their scores are no worse on the sample; that nobody said so is."""
    only(home_copy, FIRST)
    questions = asking_of("LKSP_10-K_FY2023", tmp_path)
    before = measured_at(home_copy, embedder, 384, questions)
    home = cut_by("LKSP_10-K_FY2023", functools.partial(make_chunks, max_tokens=128))
    verdict = verdict_on(before, measured_at(home, embedder, 384, questions))
    assert not verdict.passed
    assert any("raise CHUNKER_VERSION" in fault for fault in verdict.faults)


def test_a_new_version_of_the_chunker_is_judged_by_its_scores(healthy: Measured) -> None:
    built = dataclasses.replace(healthy.built, chunks_sha256="0", chunkers=("99",))
    verdict = verdict_on(healthy, dataclasses.replace(healthy, built=built))
    assert verdict.passed
    assert any(change.startswith("chunkers") for change in verdict.changes)


@pytest.fixture
def settled(
    sample_home: Path,
    embedder: Embedder,
    healthy: Measured,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Path]:
    """A baseline on disk; the command asks the sample library, with the model that is loaded."""
    monkeypatch.setenv("RAG_HOME", str(sample_home))
    monkeypatch.setattr(eval.commands.gate, "open_embedder", lambda settings: embedder)
    path = tmp_path / "baseline.json"
    save_baseline(baseline(healthy), path)
    yield path


def gate(path: Path, questions: Path = QUESTIONS, *flags: str) -> int:
    return main(["gate", "--against", str(path), "--questions", str(questions), *flags])


def with_line(folder: Path, line: dict[str, object]) -> Path:
    path = folder / "more.jsonl"
    path.write_text(QUESTIONS.read_text("utf-8") + json.dumps(line) + "\n", "utf-8")
    return path


def test_exit_0_and_1(settled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert gate(settled) == 0
    assert capsys.readouterr().out.startswith("| retriever | metric |")
    record = json.loads(settled.read_text())
    for question in record["questions"]:
        question["scores"]["dense"]["mrr@10"] = 1.0
    settled.write_text(json.dumps(record))
    assert gate(settled) == 1
    assert "| dense | mrr@10 | 1.0000 |" in capsys.readouterr().out
    assert gate(settled, QUESTIONS, "--json") == 1
    assert json.loads(capsys.readouterr().out)["passed"] is False


def test_exit_2_where_the_corpus_changed(
    settled: Path,
    home_copy: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    record = json.loads(settled.read_text())
    record["corpus"]["OTHR_10-K_2020-12-31"] = "0" * 64
    record["corpus"][FIRST] = "1" * 64
    settled.write_text(json.dumps(record))
    assert gate(settled) == 2
    error = capsys.readouterr().err
    assert f"(gone: OTHR_10-K_2020-12-31; changed: {FIRST})" in error
    assert "the library is not that of" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("question", "What else?", "the questions are not those"),
        ("filters", {"form": "10-K"}, "the questions are not those"),
        ("gold", "Larkspur", "the right passages are not those"),
    ],
)
def test_exit_2_where_a_question_changed(
    field: str,
    value: object,
    says: str,
    settled: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    first, *rest = QUESTIONS.read_text("utf-8").splitlines()
    changed = tmp_path / "changed.jsonl"
    changed.write_text("\n".join([json.dumps(json.loads(first) | {field: value}), *rest]), "utf-8")
    assert gate(settled, changed) == 2
    assert f"{says} of {settled} (changed: s01)" in capsys.readouterr().err
    changed.write_text("\n".join(rest), "utf-8")
    assert gate(settled, changed) == 2
    assert "gone: s01" in capsys.readouterr().err


def test_one_line_added_is_held(
    settled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = {
        "question": "How much free cash flow did Tessaline have in fiscal 2023?",
        "filters": {"ticker": "TSLT", "fiscal_year": 2023},
        "filing": "TSLT_10-K_FY2023.html",
        "gold": "Free cash flow $ 27,163 $ 5,919 $ (199)",
    }
    assert gate(settled, with_line(tmp_path, line)) == 0
    lost = line | {"question": "Which colour is the moon?"}
    assert gate(settled, with_line(tmp_path, lost)) == 1
    assert "NOT FOUND" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"gold": "not in there at all"}, "does not stand in TSLT_10-K_2023-06-30"),
        ({"filing": "GONE.html"}, "not in the library"),
        ({"filters": {"ticker": "LKSP"}}, "leave out TSLT_10-K_2023-06-30"),
        ({"filters": {"color": "red"}}, "filters other than ticker, form, fiscal_year"),
        ({"filters": {"fiscal_year": "x"}}, "no number"),
        ({"id": "s01"}, "holds s01 twice"),
    ],
)
def test_a_line_that_cannot_be_used_is_one_sentence(
    change: dict[str, object],
    says: str,
    settled: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    line = {"question": "?", "filing": "TSLT_10-K_FY2023.html", "gold": "Tessaline"} | change
    assert gate(settled, with_line(tmp_path, line)) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_one_line_is_one_test_of_pytest(sample_home: Path, tmp_path: Path) -> None:
    """As a user runs it, in a project of their own."""
    folder = tmp_path / "tests/retrieval"
    folder.mkdir(parents=True)
    shutil.copy(QUESTIONS.with_name("test_questions.py"), folder)
    held = json.loads(QUESTIONS.read_text("utf-8").splitlines()[0])
    lost = held | {"id": "moon", "question": "Which colour is the moon?"}
    lines = f"{json.dumps(held)}\n{json.dumps(lost)}\n"
    (folder / "questions.jsonl").write_text(lines, "utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "eval.pytest_plugin", "-v", "-k", "passage"]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(folder)],
        cwd=tmp_path,
        env=os.environ | {"RAG_HOME": str(sample_home), "RAG_MODEL": "minilm"},
        capture_output=True,
        text=True,
    )
    assert "test_the_passage_is_found[s01] PASSED" in done.stdout, done.stdout + done.stderr
    assert "test_the_passage_is_found[moon] FAILED" in done.stdout
    assert "Which colour is the moon?" in done.stdout


def test_update_keeps_its_reasons(settled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert gate(settled, QUESTIONS, "--update") == 2
    assert "--reason" in capsys.readouterr().err
    assert gate(settled, QUESTIONS, "--update", "--reason", "a better reader") == 0
    stored = load_baseline(settled)
    assert [entry["reason"] for entry in stored.history] == ["as it was", "a better reader"]
    assert gate(settled) == 0


def test_a_baseline_survives_the_disk_and_shows_a_question_a_line(
    healthy: Measured, tmp_path: Path
) -> None:
    before = baseline(healthy)
    path = tmp_path / "b.json"
    save_baseline(before, path)
    assert load_baseline(path) == before
    lines = path.read_text().splitlines()
    assert sum('"id": "s' in line for line in lines) == len(healthy.questions)
    for damaged in ("", "{}", '{"format": 9}', '{"format": 1, "questions": []}'):
        path.write_text(damaged)
        with pytest.raises(DataError, match="is not a baseline"):
            load_baseline(path)


def test_there_is_no_baseline_of_a_metric_that_is_not_measured(healthy: Measured) -> None:
    before = baseline(healthy)
    other = dataclasses.replace(before, scores=before.scores | {"reranked": before.scores["fused"]})
    with pytest.raises(DataError, match=r"reranked mrr@10.* not measured any more"):
        judge(other, healthy, Path("b.json"))
