"""`index --all-dims`, `--gc`, `--verify`, `ingest --repair`; a switch is quick and readers hold."""

from __future__ import annotations

import dataclasses
import json
import shutil
import time
from pathlib import Path

import psutil
import pytest
from hashed import DIM, SPEC, HashedEmbedder, add, build, small_library, source

from rag_app.__main__ import main
from rag_app.cli import Opened
from rag_app.errors import IndexMismatch
from rag_app.filings.chunks import CHUNKER_VERSION
from rag_app.index import serving
from rag_app.index.build import index_root, is_current
from rag_app.index.collect import Removed, collect
from rag_app.index.passport import FILE, Passport
from rag_app.index.serving import open_snapshot
from rag_app.index.snapshot import Snapshot
from rag_app.index.verify import verify_index
from rag_app.index.wholeness import hold_library
from rag_app.library import LAYOUT, Library
from rag_app.repair import repair
from rag_app.sealed import current, writer_lock
from rag_app.serve.engine import Engine
from rag_app.settings import load_settings


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return small_library(tmp_path)


def folder_of(library: Library, dim: int = DIM) -> Path:
    folder = current(index_root(library.home, SPEC, dim))
    assert folder is not None
    return folder


def gc(library: Library) -> list[Removed]:
    return collect(library, SPEC, load_settings(home=library.home))


def test_verify_and_all_dims_on_the_command_line(
    home_copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAG_HOME", str(home_copy))
    model = ["--model", "minilm"]
    assert main(["index", "--all-dims", *model]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[3] for line in lines] == ["384", "256", "128", "64"]
    assert "at 384 dimensions was current already" in lines[0]
    assert all("0 encoded" in line for line in lines)
    assert main(["index", "--verify", "--all-dims", *model]) == 0
    assert capsys.readouterr().out.count("is whole") == 4
    assert main(["index", "--gc", *model]) == 0
    assert "0 things removed" in capsys.readouterr().out
    next((home_copy / "index").glob("*-64/build-*/bm25/vocab.index.json")).write_text("{}")
    assert main(["index", "--verify", "--dim", "64", *model]) == 1
    captured = capsys.readouterr()
    assert "is damaged (bm25/vocab.index.json); run `python -m rag_app index" in captured.err
    assert main(["ingest", "--repair", *model]) == 0
    assert "0 filings repaired" in capsys.readouterr().out


def test_one_thing_is_said_as_one(
    library: Library, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAG_HOME", str(library.home))
    monkeypatch.setattr("rag_app.cli.open_embedder", lambda settings: HashedEmbedder())
    (library.home / "index" / ".build-1.abcd.part").mkdir()
    assert main(["index", "--gc"]) == 0
    assert "1 thing removed" in capsys.readouterr().out
    stored = next(iter(library.filings().values()))
    (stored.folder / "chunks.jsonl").write_text("")
    assert main(["ingest", "--repair", "--dim", str(DIM)]) == 0
    assert "1 filing repaired, 0 could not be." in capsys.readouterr().out


def test_verify_of_an_empty_library_says_to_ingest_first(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["index", "--verify"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "is empty; add filings with `python -m rag_app ingest PATH`" in line


def test_verify_asks_for_what_was_not_built(library: Library) -> None:
    with pytest.raises(IndexMismatch, match=r"There is no index of hashed at 32 dimensions; run"):
        verify_index(library, SPEC, 32)


def test_gc_removes_what_nothing_needs_and_says_how_much(library: Library) -> None:
    build(library, rebuild=True)
    served = folder_of(library)
    root = served.parent
    (root / ".build-1.abcd.part" / "chroma").mkdir(parents=True)
    other = Path(shutil.copytree(root, root.with_name("gone-ffffffffffff-16")))
    for path in other.glob(f"build-*/{FILE}"):
        record = json.loads(path.read_text())
        path.write_text(json.dumps(record | {"model": "gone", "fingerprint": "f" * 12}))
    version = library.versions()["QPI_10-K_2022-12-31"]
    vectors = library.vectors_path("QPI_10-K_2022-12-31", version, "f" * 12)
    vectors.write_bytes(b"0" * 1000)
    add(library, source(library.home.parent / "sources", 2021, "other things"))
    before = used(library.home)
    removed = gc(library)
    assert sorted(one.what for one in removed) == [
        "index of a model that is gone or has changed",
        "leftover of a killed build",
        "replaced build",
        "replaced build",
        "unused filing version",
        "vectors of a model that is gone or has changed",
    ]
    assert sum(one.bytes for one in removed) == pytest.approx(before - used(library.home), abs=200)
    assert not other.exists()
    assert not vectors.exists()
    assert gc(library) == []
    verify_index(library, SPEC, DIM)


def used(home: Path) -> int:
    inodes = {path.stat().st_ino: path.stat().st_size for path in home.rglob("*") if path.is_file()}
    return sum(inodes.values())


def test_what_a_reader_holds_outlives_rebuilds_and_gc(library: Library) -> None:
    snapshot = open_snapshot(library, HashedEmbedder(), DIM)
    sources = library.home.parent / "sources"
    for round_ in range(3):
        add(library, source(sources, 2022, f"amended things {round_}"))
    gc(library)
    assert snapshot.folder.is_dir()
    vector = HashedEmbedder().encode_queries(["valves"])[0, :DIM]
    texts = [snapshot.chunk(id_).text for id_, _ in snapshot.dense.query(vector, 18)]
    assert len(texts) == 18
    assert not any("amended" in text for text in texts)
    del snapshot
    assert {one.what for one in gc(library)} == {"replaced build", "unused filing version"}


def engine_of(library: Library) -> Engine:
    return Engine(Opened(load_settings(home=library.home), library, HashedEmbedder(), DIM), None)


def test_an_engine_that_answers_from_an_older_index_takes_the_new_one_once_it_can(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_of(library)
    monkeypatch.setattr(serving, "RETRY_S", 1e9)
    with writer_lock(library.home):  # as an ingest holds it
        library.remove("QPI_10-K_2022-12-31")
        older = engine.snapshot()
    assert older.passport.filings != library.versions()
    assert engine.snapshot() is older, "it is not opened anew at every request"
    monkeypatch.setattr(serving, "RETRY_S", 0.0)
    assert engine.snapshot().passport.filings == library.versions()


def test_replaced_indexes_are_closed_once_nothing_reads_them(library: Library) -> None:
    engine = engine_of(library)
    vector = HashedEmbedder().encode_queries(["pumps"])[0, :DIM]
    for _ in range(4):
        engine.snapshot().dense.query(vector, 3)
        served = folder_of(library).name
        until = time.monotonic() + 10  # Chroma closes a database in a thread of its own
        while open_builds(library.home) != {served} and time.monotonic() < until:
            time.sleep(0.01)
        assert open_builds(library.home) == {served}
        build(library, rebuild=True)


def open_builds(home: Path) -> set[str]:
    """The indexes of which this process has files open."""
    files = (Path(file.path) for file in psutil.Process().open_files())
    inside = (path.relative_to(home).parts for path in files if path.is_relative_to(home))
    return {part for parts in inside for part in parts if part.startswith("build-")}


def test_a_switch_to_a_built_dimension_takes_under_a_second(library: Library) -> None:
    build(library, 32)
    began = time.process_time()
    for dim in (32, DIM, 32):
        assert open_snapshot(library, HashedEmbedder(), dim).passport.dim == dim
    assert (time.process_time() - began) / 3 < 1


def test_reading_an_index_changes_no_byte_of_it(library: Library) -> None:
    folder = folder_of(library)
    files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for _ in range(2):
        snapshot = open_snapshot(library, HashedEmbedder(), DIM)
        snapshot.dense.query(HashedEmbedder().encode_queries(["pumps"])[0, :DIM], 18)
        snapshot.dense.close()
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == files


def test_the_passport_refuses_another_model_of_the_same_dimension(library: Library) -> None:
    other = dataclasses.replace(SPEC, name="other", fingerprint="f" * 12)
    with pytest.raises(IndexMismatch, match=r"fingerprint '0123.*--model other --dim 16"):
        Snapshot.open(folder_of(library), library, HashedEmbedder(other), DIM)


@pytest.mark.parametrize("field", ["query_prompt", "document_prompt"])
def test_the_passport_refuses_changed_prompts(library: Library, field: str) -> None:
    spec = dataclasses.replace(SPEC, **{field: "find: "})
    sentence = rf"{field.replace('_', ' ')} '', the settings say 'find: '; run `python -m rag_app"
    with pytest.raises(IndexMismatch, match=sentence):
        Snapshot.open(folder_of(library), library, HashedEmbedder(spec), DIM)


@pytest.mark.parametrize(
    "made_by", [f"0-{LAYOUT}", f"{CHUNKER_VERSION}-0"], ids=["chunker", "layout"]
)
def test_what_another_chunker_or_layout_made_is_refused_and_made_anew(
    library: Library, made_by: str
) -> None:
    key = "QPI_10-K_2022-12-31"
    root = library.root / key
    old = library.versions()[key]
    older = f"{old.split('-')[0]}-{made_by}"
    (root / old).rename(root / older)
    (root / "current").write_text(older)
    folder = folder_of(library)
    passport = Passport.load(folder)
    changed = dataclasses.replace(passport, filings=passport.filings | {key: older})
    with pytest.raises(IndexMismatch, match=rf"{key} cut by chunker and layout {made_by}, .*pair"):
        changed.check(SPEC, DIM)
    (one,) = repair(library, 1_000_000)
    assert (one.key, one.error) == (key, "")
    assert library.versions()[key] == old
    build(library)
    assert is_current(library, SPEC, DIM)


def test_an_index_of_a_missing_filing_is_refused(library: Library) -> None:
    snapshot_of = folder_of(library)
    key = "QPI_10-K_2022-12-31"
    version = library.versions()[key]
    shutil.move(library.root / key / version, library.home.parent / "elsewhere")
    with pytest.raises(IndexMismatch, match=rf"built with {key}.*the library lacks; run `python"):
        hold_library(snapshot_of, library)


def test_a_filing_that_was_removed_is_found_no_more(library: Library) -> None:
    library.remove("QPI_10-K_2022-12-31")
    snapshot = open_snapshot(library, HashedEmbedder(), DIM)
    assert sorted(snapshot.passport.filings) == ["QPI_10-K_2021-12-31", "QPI_10-K_2023-12-31"]
    del snapshot
    gc(library)
    gc(library)
    assert not (library.root / "QPI_10-K_2022-12-31").exists()


def test_a_file_of_the_file_system_among_the_filings_is_no_filing(library: Library) -> None:
    stray = library.root / ".DS_Store"
    stray.write_bytes(b"\0\0\0\1Bud1")
    assert len(library.versions()) == 3
    add(library, source(library.home.parent / "sources", 2022, "amended things"))
    assert [one.what for one in gc(library)] == ["replaced build", "unused filing version"]
    assert open_snapshot(library, HashedEmbedder(), DIM).passport.filings == library.versions()
    assert stray.exists()
