"""The rows of ``eval bench`` at tiny sizes: figures that fit each other, and what is written."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path

import numpy as np
import pytest
from hashed import DIM, SPEC, WIDTH, HashedEmbedder, small_library
from tiny import write_filing

from eval.__main__ import main
from eval.benches.build import time_build
from eval.benches.clocks import Clocks, percentiles_ms, run_child
from eval.benches.cold import time_command
from eval.benches.growth import time_growth
from eval.benches.ingest import time_ingest
from eval.benches.measured import Aim, Measured, shown
from eval.benches.query import time_query
from eval.benches.questions import questions_of
from eval.benches.resampled import (
    FEW,
    library_passages,
    resampled_vectors,
    write_resampled,
)
from eval.benches.search import time_filter, time_search
from eval.benches.swap import time_swap
from eval.benches.workbench import Sizes, Workbench, copy_filings
from eval.benches.written import check_record, row_record, write_record
from eval.commands.bench import ROWS
from rag_app.errors import DataError, LibraryError
from rag_app.index.embedder import Embedder, truncate
from rag_app.library import Library
from rag_app.records import Filters
from rag_app.settings import Settings

needs_llama = pytest.mark.skipif(
    importlib.util.find_spec("llama_index.embeddings") is None,
    reason="the extra [bench] is not installed",
)
needs_hnswlib = pytest.mark.skipif(
    importlib.util.find_spec("hnswlib") is None, reason="the extra [bench] is not installed"
)


class Named(HashedEmbedder):
    """Rows name the encoder that they time."""

    class _Encoder:
        name, precision = "hashed", "f32"

    @property
    def encoder(self) -> _Encoder:  # type: ignore[override]
        return self._Encoder()


def sizes(**changed: object) -> Sizes:
    tiny = {
        "chunks": 4,
        "rounds": 1,
        "filings": None,
        "filing_count": 1,
        "questions": 6,
        "rows": 1_000,
        "build_rows": 300,
        "growth": (30, 60),
    }
    return Sizes(**{**tiny, **changed})  # type: ignore[arg-type]


def workbench(
    library: Library, embedder: Embedder, dim: int, scratch: Path, **changed: object
) -> Workbench:
    settings = Settings(home=library.home)
    return Workbench(settings, library, embedder, dim, scratch, sizes(**changed))


@pytest.fixture(scope="module")
def hashed_library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return small_library(tmp_path_factory.mktemp("bench"))


@pytest.fixture
def hashed(hashed_library: Library, tmp_path: Path) -> Workbench:
    return workbench(hashed_library, Named(), DIM, tmp_path / "scratch")


@pytest.fixture
def real(sample_home: Path, minilm: Embedder, tmp_path: Path) -> Workbench:
    return workbench(Library(sample_home), minilm, 64, tmp_path / "scratch")


def files_of(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_search_finds_what_exact_search_finds_and_leaves_nothing(
    hashed_library: Library, tmp_path: Path
) -> None:
    hashed = workbench(hashed_library, Named(), WIDTH, tmp_path / "scratch")
    before = files_of(hashed.library.home)
    measured = time_search(hashed)
    assert set(measured.sides) == {"Chroma", "ours", "ours / Chroma"}
    assert measured.sides["ours"]["recall@10"] >= 0.99
    assert 0.9 < measured.sides["Chroma"]["recall@10"] <= 1
    ratio = measured.sides["ours"]["p50, ms"] / measured.sides["Chroma"]["p50, ms"]
    assert measured.sides["ours / Chroma"]["p50, ms"] == measured.aims[0].figure == ratio
    assert measured.aims[1].figure == measured.sides["ours"]["recall@10"]
    assert files_of(hashed.library.home) == before
    assert not list(hashed.scratch.iterdir())


def test_filter_is_exact_within_the_few_rows_it_admits(hashed: Workbench) -> None:
    measured = time_filter(hashed)
    assert "admits 2 of them (0.20%)" in measured.what
    assert measured.sides["ours"]["recall@10"] == 1.0
    assert measured.sides["Chroma"]["recall@10"] == 1.0


def test_swap_counts_every_chunk(hashed: Workbench) -> None:
    measured = time_swap(hashed)
    chunks = sum(stored.chunk_count for stored in hashed.library.filings().values())
    assert measured.what.startswith(f"{chunks} chunks, hashed")
    sides = measured.sides
    ratio = sides["encoding"]["seconds"] / sides["swap"]["seconds"]
    assert sides["encoding / swap"]["seconds"] == pytest.approx(ratio)


def test_a_copy_leaves_every_file_of_the_library_alone(
    hashed_library: Library, tmp_path: Path
) -> None:
    def stamps() -> dict[Path, int]:
        files = (path for path in hashed_library.root.rglob("*") if path.is_file())
        return {path: path.stat().st_mtime_ns for path in files}

    before = stamps()
    copy = copy_filings(hashed_library, tmp_path / "copy", SPEC.fingerprint)
    assert copy.passages() == hashed_library.passages()
    assert stamps() == before
    with pytest.raises(LibraryError, match="is not encoded with this model"):
        copy_filings(hashed_library, tmp_path / "other", "unknown")


@needs_hnswlib
def test_build_reports_both_speeds(hashed: Workbench) -> None:
    measured = time_build(hashed)
    assert measured.what.startswith(f"300 vectors of hashed at {DIM} dimensions")
    speeds = [measured.sides[name]["vectors a second"] for name in ("ours", "hnswlib")]
    assert measured.aims[0].figure == pytest.approx(speeds[0] / speeds[1])


@needs_llama
def test_query_asks_both_sides_in_turns(real: Workbench) -> None:
    measured = time_query(real)
    assert measured.sides["stock"]["hits a question"] == real.settings.k
    assert 0 < measured.sides["ours"]["hits a question"] <= 2 * real.settings.k
    assert [aim.limit for aim in measured.aims] == [0.4, 0.4]
    for aim, name in zip(measured.aims, ("p50, ms", "p95, ms"), strict=True):
        assert aim.figure == measured.sides["ours"][name] / measured.sides["stock"][name]
    assert not list(real.scratch.iterdir())


@needs_llama
def test_ingest_reads_the_same_files(real: Workbench, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write_filing(tmp_path / "in" / "a.html")
    bench = workbench(real.library, real.embedder, real.dim, real.scratch, filings=tmp_path / "in")
    measured = time_ingest(bench)
    assert measured.what.startswith("1 filings, 0.0 MB of HTML, minilm")
    assert min(measured.sides[name]["chunks"] for name in ("ours", "stock")) >= 1
    assert not list(real.scratch.iterdir())


def test_ingest_says_which_filings_are_wanted(real: Workbench, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="name a folder of HTML filings with --filings"):
        time_ingest(real)
    (tmp_path / "a.html").write_text("<p>no filing</p>")
    few = workbench(real.library, real.embedder, 64, tmp_path, filings=tmp_path, filing_count=2)
    with pytest.raises(DataError, match="holds 1 HTML filings and 2 are to be ingested"):
        time_ingest(few)


def test_growth_measures_every_size_in_processes_of_their_own(real: Workbench) -> None:
    bench = workbench(real.library, real.embedder, 64, real.scratch, growth=(60,), questions=3)
    measured = time_growth(bench)
    figures = measured.sides["60"]
    assert figures["own MB"] < figures["resident MB"]
    assert figures["index MB"] > 0.2
    assert figures["p95, ms"] >= figures["p50, ms"] > 0
    assert measured.aims[0].figure == 1.0  # one size grows from itself


def test_a_command_is_held_to_the_modules_that_it_imports(
    hashed: Workbench, tmp_path: Path
) -> None:
    environment = dict(os.environ) | {"RAG_HOME": str(hashed.library.home)}
    modules = tmp_path / "modules.json"
    measured = time_command(["status", "--json"], environment, modules, 1, "status")
    assert {"rag_app.status", "rag_app.library"} <= set(json.loads(modules.read_text()))
    assert measured.aims[0].figure == measured.sides["whole / imports"]["seconds"]
    assert min(measured.sides[name]["processor seconds"] for name in ("whole", "imports")) > 0.05


def test_a_failed_child_is_one_sentence() -> None:
    with pytest.raises(DataError, match="ended with 3: no such thing"):
        run_child(["-c", "import sys; sys.stderr.write('no such thing'); sys.exit(3)"], os.environ)


def test_resampled_vectors_are_the_own_then_unit_means() -> None:
    own = truncate(np.random.default_rng(3).standard_normal((50, WIDTH), dtype=np.float32), WIDTH)
    vectors = resampled_vectors(own, 1_000)
    assert np.allclose(vectors[:50], own, atol=1e-6)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    # Each further one is near two of the own, and no two are the same.
    nearest = np.sort(vectors[50:] @ own.T, axis=1)[:, -2:]
    assert (nearest > 0.4).mean() > 0.95
    assert len(np.unique(vectors.round(5), axis=0)) == 1_000
    assert np.array_equal(resampled_vectors(own, 20), vectors[:20])


def test_a_resampled_library_counts_and_its_few_are_a_five_hundredth(
    hashed_library: Library, tmp_path: Path
) -> None:
    passages = library_passages(hashed_library, SPEC.fingerprint)
    library = write_resampled(passages, tmp_path, SPEC.fingerprint, 2_000)
    counts = {key: stored.chunk_count for key, stored in library.filings().items()}
    assert sum(counts.values()) == 2_000 == len(library.passages())
    few = [s.chunk_count for s in library.filings().values() if Filters(FEW).admits(s.filing)]
    assert few == [4]
    texts = list(library.passages().values())
    assert len(set(texts)) > len(passages.texts)  # joined, not repeated


def test_questions_are_the_same_for_the_same_library(hashed_library: Library) -> None:
    questions = questions_of(hashed_library, 20)
    assert questions == questions_of(hashed_library, 20)
    assert len(set(questions)) > 5
    assert all(question.startswith("What does Quillfeather Pumps") for question in questions)


@pytest.mark.parametrize(
    ("aim", "met", "says"),
    [
        (Aim("share", 0.5, 0.5, at_most=True), True, "share 0.5, at most 0.5: met"),
        (Aim("share", 0.51, 0.5, at_most=True), False, "at most 0.5: **missed**"),
        (Aim("times", 4, 4), True, "times 4, at least 4: met"),
        (Aim("recall", 0.98999, 0.99), False, "at least 0.99: **missed**"),
    ],
)
def test_an_aim_is_met_at_its_limit(aim: Aim, met: bool, says: str) -> None:
    assert aim.met is met
    assert says in str(aim)


def test_a_figure_close_to_one_is_not_rounded_to_it() -> None:
    assert [shown(figure) for figure in (0.99996, 1.0, 12345.6, 3.14159, 456.78)] == [
        "0.99996",
        "1",
        "12,346",
        "3.14",
        "456.8",
    ]


def test_clocks_compare_and_percentiles_order() -> None:
    assert Clocks(6, 3) / Clocks(2, 1.5) == (3, 2)
    figures = percentiles_ms([0.001 * n for n in range(1, 101)])
    assert figures == pytest.approx({"p50, ms": 50.5, "p95, ms": 95})


def test_the_record_keeps_older_rows_and_its_page_is_made_of_all(tmp_path: Path) -> None:
    out = tmp_path / "bench.json"
    for name, figure in (("one", 1.0), ("two", 2.0), ("one", 3.0)):
        measured = Measured(f"{name} was run.", {"ours": {"seconds": figure}}, (Aim("x", 1, 2),))
        page = write_record(out, {name: row_record(measured, "python -m eval bench")})
    rows = json.loads(out.read_text())["rows"]
    assert {name: row["sides"]["ours"]["seconds"] for name, row in rows.items()} == {
        "one": 3.0,
        "two": 2.0,
    }
    assert rows["one"]["machine"]["versions"]["chromadb"] != "none"
    text = page.read_text()
    assert page == tmp_path / "bench.md"
    assert text.count("## ") == 2
    assert "| seconds | 3 |" in text
    assert "x 1, at least 2: **missed**" in text
    out.write_text("[1]")
    with pytest.raises(DataError, match="no record of `eval bench`"):
        check_record(out)


def test_the_command_runs_rows_and_writes_them(
    sample_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("RAG_HOME", str(sample_home))
    out = tmp_path / "results" / "bench.json"
    command = ["bench", "encoding", "--chunks", "2", "--rounds", "1", "--json", "--dim", "64"]
    assert main([*command, "--out", str(out), "--scratch", str(tmp_path)]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads(out.read_text())
    row = printed["rows"]["encoding"]
    assert row["what"].startswith("2 chunks of")
    aims = {aim["what"]: aim for aim in row["aims"]}
    assert aims["smallest cosine"]["figure"] > 0.9999  # both sides are torch in the tests
    assert row["command"].startswith("python -m eval bench encoding --dim 64 --chunks 2")
    assert "## encoding" in out.with_suffix(".md").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sprint"], f"bench has no row sprint; name some of {', '.join(ROWS)}."),
        (["swap", "--questions", "0"], "--questions counts from 1"),
        (["growth", "--growth", "10,0"], "--growth counts from 1"),
        (["swap", "--dim", "100"], "choose one of 384, 256, 128, 64"),
        (["swap", "--out", "bench.md"], "name it with .json"),
        (["ingest", "--dim", "64"], "name a folder of HTML filings"),
    ],
)
def test_wrong_arguments_are_one_sentence(
    arguments: list[str],
    message: str,
    sample_home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("RAG_HOME", str(sample_home))
    assert main(["bench", *arguments]) == 2
    assert message in capsys.readouterr().err
