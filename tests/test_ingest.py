"""The write path: twice is once, an amended file replaces, a killed run loses nothing."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hashed import HashedEmbedder, small_library
from hashed import add as add_hashed
from tiny import write_filing

import rag_app.ingest as write_path
from rag_app.__main__ import _workers, main
from rag_app.errors import FilingError, LibraryError
from rag_app.filings import batch
from rag_app.filings.read import read_filing
from rag_app.index.build import BuildReport, build_index, index_root
from rag_app.index.embedder import Embedder
from rag_app.index.passport import Passport
from rag_app.index.retriever import FilingsRetriever
from rag_app.index.serving import open_snapshot
from rag_app.ingest import IngestReport, find_files, ingest
from rag_app.library import Library, StoredFiling
from rag_app.progress import describe
from rag_app.records import CoverFlags, Filters, ParsedFiling
from rag_app.sealed import current, writer_lock

DIM = 64


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "home")


def add(library: Library, embedder: Embedder, *paths: Path) -> IngestReport:
    return ingest(paths, library, embedder, DIM, max_file_mb=10, flags=CoverFlags(ticker="QPI"))


def texts(library: Library, embedder: Embedder, question: str) -> list[str]:
    snapshot = open_snapshot(library, embedder, DIM)
    return [hit.text for hit in FilingsRetriever(snapshot, k=50).retrieve(question)]


def test_the_same_file_twice_changes_nothing(
    library: Library, minilm: Embedder, tmp_path: Path
) -> None:
    path = write_filing(tmp_path / "a.html")
    first = add(library, minilm, path)
    assert [file.outcome for file in first.files] == ["added"]
    assert first.encoded == first.chunk_count > 0
    before = sorted((p, p.stat().st_mtime_ns) for p in library.home.rglob("*") if p.is_file())
    second = add(library, minilm, path)
    assert [file.outcome for file in second.files] == ["unchanged"]
    assert second.encoded == 0
    after = sorted((p, p.stat().st_mtime_ns) for p in library.home.rglob("*") if p.is_file())
    assert [p for p in after if p[0].name != "writer.lock"] == [
        p for p in before if p[0].name != "writer.lock"
    ]


def test_an_unchanged_file_is_known_by_its_bytes_and_not_parsed(
    library: Library, minilm: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, new = write_filing(tmp_path / "a.html"), write_filing(tmp_path / "b.html", year=2022)
    first = ingest([known], library, minilm, DIM, max_file_mb=10)
    parsed: list[Path] = []

    def read_and_note(path: Path, **options: Any) -> ParsedFiling:
        parsed.append(path)
        return read_filing(path, **options)

    monkeypatch.setattr(write_path, "read_fetched", read_and_note)
    copy = tmp_path / "copy.html"
    copy.write_bytes(known.read_bytes())
    report = ingest([known, new, copy], library, minilm, DIM, max_file_mb=10)
    assert [file.outcome for file in report.files] == ["unchanged", "added", "unchanged"]
    assert parsed == [new]
    (before,) = first.files
    again = report.files[0]
    assert (again.key, again.chunk_count, again.health) == (
        before.key,
        before.chunk_count,
        before.health,
    )
    monkeypatch.setattr(write_path, "CHUNKER_VERSION", "another")
    ingest([known], library, minilm, DIM, max_file_mb=10)
    assert parsed == [new, known], "another chunker cuts it anew"
    add(library, minilm, known)
    assert parsed == [new, known, known], "flags may say that it is another filing"


def test_the_library_is_listed_no_more_often_for_many_files_than_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed, list_all = [0], Library.filings

    def list_and_count(library: Library) -> dict[str, StoredFiling]:
        listed[-1] += 1
        return list_all(library)

    monkeypatch.setattr(Library, "filings", list_and_count)
    for years in ((2023,), (2020, 2021, 2022, 2023)):
        small_library(tmp_path / f"{len(years)}", years)
        listed.append(0)
    assert listed[0] == listed[1] > 0


def test_the_seconds_are_those_of_encoding_alone(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    took = 0.0

    def build_slowly(*args: Any) -> BuildReport:
        nonlocal took
        began = time.perf_counter()
        time.sleep(1)
        built = build_index(*args)
        took = time.perf_counter() - began
        return built

    monkeypatch.setattr(write_path, "build_index", build_slowly)
    path = write_filing(tmp_path / "a.html")
    report = ingest([path], library, HashedEmbedder(), 16, max_file_mb=10)
    assert 0 < report.seconds < took


def test_the_same_bytes_under_another_year_are_changed(
    library: Library, minilm: Embedder, tmp_path: Path
) -> None:
    path = write_filing(tmp_path / "a.html")

    def outcome(flags: CoverFlags) -> str:
        (file,) = ingest([path], library, minilm, DIM, max_file_mb=10, flags=flags).files
        return file.outcome

    assert outcome(CoverFlags()) == "added"
    assert outcome(CoverFlags(fiscal_year=2022)) == "replaced"
    (stored,) = library.filings().values()
    assert stored.filing.fiscal_year == 2022
    chunk = next(iter(library.chunks(stored.filing.key, stored.version).values()))
    assert chunk.metadata["fiscal_year"] == 2022
    assert outcome(CoverFlags(fiscal_year=2022)) == "unchanged"
    assert outcome(CoverFlags()) == "unchanged", "a run without flags undoes none"


def ids_of(library: Library) -> dict[str, list[str]]:
    return {key: list(library.chunks(key, v)) for key, v in library.versions().items()}


def test_workers_give_what_one_process_gives(
    minilm: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for year in range(2018, 2024):
        write_filing(folder / f"{year}.html", year=year)
    (folder / "2020.html").write_text("not a filing")
    write_filing(folder / "2024.html", year=2023, product="an amended file's pumps")
    alone, shared = Library(tmp_path / "alone"), Library(tmp_path / "shared")
    one = ingest([folder], alone, minilm, DIM, max_file_mb=10)
    monkeypatch.setattr(batch, "BYTES_A_WORKER", 1)
    two = ingest([folder], shared, minilm, DIM, max_file_mb=10, workers=2)
    assert two.files == one.files
    assert [file.outcome for file in two.files].count("refused") == 1
    assert two.files[-1].outcome == "replaced"
    assert ids_of(shared) == ids_of(alone)
    assert shared.versions() == alone.versions()


def test_little_work_starts_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "ProcessPoolExecutor", None)
    paths = [write_filing(tmp_path / f"{year}.html", year=year) for year in (2021, 2022)]
    read = functools.partial(read_filing, max_bytes=10**6)
    assert [file.path for file in batch.read_files(paths, read, 8)] == paths


def test_the_threads_that_are_granted_are_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert (_workers(None), _workers(7)) == (3, 7)


def test_no_workers_at_all_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_filing(tmp_path / "a.html")
    assert main(["ingest", str(path), "--workers", "0"]) == 2
    assert "give 1 or more" in capsys.readouterr().err


def read_or_die(path: Path) -> ParsedFiling:
    """What a worker runs that the kernel kills for want of memory."""
    if path.name == "2022.html":
        time.sleep(1)  # the files before it are through by then
        os.kill(os.getpid(), signal.SIGKILL)
    return read_filing(path, max_bytes=10**6)


def test_a_killed_worker_is_one_error_and_what_was_stored_stays(
    library: Library, minilm: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [write_filing(tmp_path / f"{year}.html", year=year) for year in (2021, 2022, 2023)]
    monkeypatch.setattr(batch, "BYTES_A_WORKER", 1)
    with monkeypatch.context() as patched:
        patched.setattr(write_path, "partial", lambda *_args, **_options: read_or_die)
        with pytest.raises(FilingError, match="was killed, perhaps for want of memory"):
            ingest(paths, library, minilm, DIM, max_file_mb=10, workers=2)
    assert set(library.versions()) <= {"Quillfeather-Pumps-Inc_10-K_2021-12-31"}
    assert not list(library.home.rglob("*.part"))
    ingest(paths, library, minilm, DIM, max_file_mb=10, workers=2)
    assert len(library.versions()) == 3


@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_ingest_leaves_no_worker_behind(blow: signal.Signals, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for year in range(2000, 2020):
        product = " ".join(f"pump {year}-{n} for hospitals." for n in range(20_000))
        write_filing(folder / f"{year}.html", year=year, product=product)
    command = [sys.executable, "-m", "rag_app", "ingest", str(folder), "--workers", "2"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell's background job ignores Ctrl-C, and so would all that it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        deadline = time.monotonic() + 60
        while not (workers := children(process.pid)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert workers
        time.sleep(1)
        if blow == signal.SIGINT:
            os.killpg(process.pid, blow)  # as a terminal does on Ctrl-C
            _, err = process.communicate(timeout=60)
            assert process.returncode == 130
            assert err.splitlines() == [
                "Stopped; what was finished is kept. Run the command again."
            ]
        else:
            process.kill()
    deadline = time.monotonic() + 20
    while any(alive(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [pid for pid in workers if alive(pid)]


def children(pid: int) -> list[int]:
    """The worker processes of a process, without multiprocessing's resource tracker."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in listed if "spawn_main" in command_of(int(child))]


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def alive(pid: int) -> bool:
    return "spawn_main" in command_of(pid)


def test_an_amended_file_replaces(library: Library, minilm: Embedder, tmp_path: Path) -> None:
    add(library, minilm, write_filing(tmp_path / "a.html", product="bilge pumps"))
    report = add(library, minilm, write_filing(tmp_path / "b.html", product="fire hydrants"))
    assert [file.outcome for file in report.files] == ["replaced"]
    assert len(library.filings()) == 1
    found = texts(library, minilm, "What does the company make?")
    assert any("fire hydrants" in text for text in found)
    assert not any("bilge pumps" in text for text in found)


def write_cut(path: Path) -> Path:
    """The same filing as ``write_filing`` writes, broken off before Item 8."""
    whole = write_filing(path).read_text("utf-8")
    path.write_text(whole[: whole.index("<p><b>Item 8")], "utf-8")
    return path


def test_a_file_that_breaks_off_never_replaces_a_whole_one(
    library: Library, tmp_path: Path
) -> None:
    whole, cut = write_filing(tmp_path / "a.html"), write_cut(tmp_path / "cut.html")
    add_hashed(library, whole)
    before = library.versions()
    report = add_hashed(library, cut)
    (refused,) = report.refused
    assert refused.error.endswith(
        "cut.html breaks off before its end, and the library holds QPI_10-K_2023-12-31 whole; "
        "download it again."
    )
    assert library.versions() == before
    assert not report.broken_off


def test_a_new_file_that_breaks_off_is_kept_and_not_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = write_cut(tmp_path / "cut.html")
    monkeypatch.setattr("rag_app.cli.open_embedder", lambda settings: HashedEmbedder())
    assert main(["ingest", str(cut), "--dim", "16"]) == 2
    line, _, last = capsys.readouterr().out.splitlines()
    assert line.startswith("added ")
    assert line.count("9C") == 1, "what is missing is named once"
    assert last == "1 filing breaks off and may lack Items: cut.html; download that file again."
    whole = write_filing(tmp_path / "a.html")
    assert main(["ingest", str(whole), "--dim", "16"]) == 0
    assert "replaced" in capsys.readouterr().out


def test_what_a_folder_holds_beside_filings_is_named_once(tmp_path: Path) -> None:
    write_filing(tmp_path / "a.html")
    for name in ("more.zip", ".hidden", "a.html.origin.json"):
        (tmp_path / name).touch()
    over: list[Path] = []
    assert find_files([tmp_path], on_passed_over=over.append) == [tmp_path / "a.html"]
    said = describe(IngestReport((), 0, 0, 0.0, passed_over=tuple(over))).split("\n")[1]
    assert said == "Passed over 1 file that is no filing by its name: more.zip."


def test_another_year_stands_beside(library: Library, minilm: Embedder, tmp_path: Path) -> None:
    add(library, minilm, write_filing(tmp_path / "a.html", year=2022))
    add(library, minilm, write_filing(tmp_path / "b.html", year=2023))
    assert [stored.filing.fiscal_year for stored in library.filings().values()] == [2022, 2023]


def test_a_bad_file_is_named_and_the_others_go_on(
    library: Library, minilm: Embedder, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.html"
    empty.touch()
    binary = tmp_path / "photo.html"
    binary.write_bytes(bytes(range(256)) * 40)
    report = add(library, minilm, empty, write_filing(tmp_path / "good.html"), binary)
    assert [file.outcome for file in report.files] == ["refused", "added", "refused"]
    assert "empty" in report.files[0].error
    assert len(library.filings()) == 1


def test_find_files_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FilingError, match="does not exist"):
        find_files([tmp_path / "nowhere"])
    with pytest.raises(FilingError, match="holds no filing"):
        find_files([tmp_path])


def test_two_writers_never_meet(library: Library, minilm: Embedder, tmp_path: Path) -> None:
    path = write_filing(tmp_path / "a.html")
    with (
        writer_lock(library.home),
        pytest.raises(LibraryError, match=f"pid {os.getpid()}"),
    ):
        add(library, minilm, path)


def test_a_new_dimension_is_derived_without_the_encoder(
    library: Library, minilm: Embedder, tmp_path: Path
) -> None:
    add(library, minilm, write_filing(tmp_path / "a.html"))
    silent = Embedder(minilm.spec)

    def encode(*_: object) -> None:
        raise AssertionError("the encoder was asked")

    silent.encode_documents = encode  # type: ignore[method-assign, assignment]
    snapshot = open_snapshot(library, silent, 128)
    assert snapshot.passport.dim == 128
    assert snapshot.dense.count() == snapshot.passport.chunk_count


def test_an_older_index_answers_while_chunks_wait_for_the_encoder(
    library: Library, minilm: Embedder, tmp_path: Path
) -> None:
    """What a process killed between storing and encoding leaves behind."""
    add(library, minilm, write_filing(tmp_path / "a.html", year=2022))
    add(library, minilm, write_filing(tmp_path / "b.html", year=2023))
    root = index_root(library.home, minilm.spec, DIM)
    builds = sorted(path.name for path in root.glob("build-*"))
    (root / "current").write_text(f"{builds[0]}\n")
    newest = library.filings()["QPI_10-K_2023-12-31"]
    library.vectors_path("QPI_10-K_2023-12-31", newest.version, minilm.spec.fingerprint).unlink()
    notes: list[str] = []
    snapshot = open_snapshot(library, minilm, DIM, on_note=notes.append)
    assert list(snapshot.passport.filings) == ["QPI_10-K_2022-12-31"]
    assert "older index" in notes[0]
    assert FilingsRetriever(snapshot, k=3).retrieve("What does the company make?")
    assert add(library, minilm, tmp_path / "b.html").encoded == newest.chunk_count


@pytest.mark.parametrize("delay_s", [0.1, 0.5, 1.2])
def test_kill_9_during_ingest_leaves_an_index_serving(
    delay_s: float, library: Library, minilm: Embedder, tmp_path: Path
) -> None:
    """Killed at once, while reading, storing or indexing: old or new answers, never a mixture."""
    add(library, minilm, write_filing(tmp_path / "a.html", product="bilge pumps"))
    folder = tmp_path / "new"
    folder.mkdir()
    write_filing(folder / "a.html", product="fire hydrants")
    for year in range(2000, 2020):
        write_filing(folder / f"{year}.html", product=f"model {year} pumps", year=year)
    script = (
        "import sys; from pathlib import Path\n"
        "from rag_app.cli import open_embedder\n"
        "from rag_app.ingest import ingest\n"
        "from rag_app.records import CoverFlags\n"
        "from rag_app.library import Library\n"
        "from rag_app.settings import load_settings\n"
        "embedder = open_embedder(load_settings())\n"
        "embedder.encode_queries(['load'])\n"
        "print('ready', flush=True)\n"
        "ingest([Path(sys.argv[1])], Library(Path(sys.argv[2])), embedder, 64, max_file_mb=10,"
        " flags=CoverFlags(ticker='QPI'))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(folder), str(library.home)],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(delay_s)
        os.kill(process.pid, signal.SIGKILL)
    snapshot = open_snapshot(library, minilm, DIM)
    hits = FilingsRetriever(
        snapshot, filters=Filters(ticker="QPI", fiscal_year=2023), k=50
    ).retrieve("What does the company make?")
    products = {
        product
        for hit in hits
        for product in ("bilge pumps", "fire hydrants")
        if product in hit.text
    }
    assert len(products) == 1
    assert snapshot.dense.count() == snapshot.passport.chunk_count

    report = add(library, minilm, folder)
    assert not report.refused
    assert len(library.filings()) == 21
    folder_now = current(index_root(library.home, minilm.spec, DIM))
    assert folder_now is not None
    assert Passport.load(folder_now).filings == library.versions()
    assert not list(library.home.rglob("*.part"))
