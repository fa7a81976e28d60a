"""Filings taken out: gone from every index and from the disk, whatever happens on the way."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hashed import DIM, SPEC, WIDTH, HashedEmbedder, add, build, small_library, source

from rag_app.__main__ import main
from rag_app.cli import Opened
from rag_app.errors import LibraryError
from rag_app.filings.chunks import passage_text
from rag_app.index.build import index_root
from rag_app.index.collect import collect
from rag_app.index.passport import Passport
from rag_app.index.serving import open_snapshot
from rag_app.library import Library
from rag_app.remove import remove_filings
from rag_app.sealed import current
from rag_app.serve.engine import Engine
from rag_app.settings import load_settings
from rag_app.uploads import UPLOADS, keep_upload

KEY = "QPI_10-K_2022-12-31"
OTHERS = ["QPI_10-K_2021-12-31", "QPI_10-K_2023-12-31"]
PRODUCT = b"garden hoses"  # of 2022 alone


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Three filings, one of them uploaded, indexed at both dimensions."""
    library = small_library(tmp_path, (2021, 2023))
    data = source(tmp_path, 2022, PRODUCT.decode()).read_bytes()
    add(library, keep_upload(library.home, "2022.html", data))
    build(library, WIDTH)
    return library


def remove(library: Library, *keys: str) -> int:
    return remove_filings(library, HashedEmbedder(), DIM, keys)


def files_with(home: Path, words: bytes) -> list[str]:
    return [str(path) for path in home.rglob("*") if path.is_file() and words in path.read_bytes()]


def served(library: Library, dim: int = DIM) -> list[str]:
    return sorted(open_snapshot(library, HashedEmbedder(), dim).passport.filings)


def test_nothing_of_a_filing_stays_on_the_disk(library: Library) -> None:
    assert files_with(library.home, PRODUCT)
    count = remove(library, KEY)
    folder = current(index_root(library.home, SPEC, DIM))
    assert folder is not None
    assert Passport.load(folder).chunk_count == count > 0
    assert not files_with(library.home, PRODUCT)
    assert not (library.root / KEY).exists() or not any((library.root / KEY).iterdir())
    assert not any((library.home / UPLOADS).iterdir())
    assert served(library) == served(library, WIDTH) == OTHERS


def test_who_reads_the_old_index_reads_on(library: Library) -> None:
    snapshot = open_snapshot(library, HashedEmbedder(), DIM)
    version = library.versions()[KEY]
    remove(library, KEY)
    nodes = Library(library.home).chunks(KEY, version)
    assert any("garden hoses" in passage_text(node) for node in nodes.values())
    assert served(library) == OTHERS
    del snapshot
    add(library, source(library.home.parent, 2024, "rain gauges"))
    build(library, rebuild=True)
    assert not files_with(library.home, PRODUCT)


@pytest.mark.parametrize("wrong", ["QPI_10-K_1999-12-31", "../index/{index}", "", "."])
def test_an_unknown_key_removes_nothing(library: Library, wrong: str) -> None:
    root = index_root(library.home, SPEC, DIM)
    before = library.versions()
    with pytest.raises(LibraryError, match=r"There is no filing .* lists what there is"):
        remove(library, KEY, wrong.format(index=root.name))
    assert library.versions() == before
    assert current(root) is not None


def test_a_server_holds_nothing_of_a_library_that_is_empty(library: Library) -> None:
    settings = load_settings()
    engine = Engine(Opened(settings, library, HashedEmbedder(), DIM), None)
    assert KEY in engine.snapshot().passport.filings
    remove(library, *library.versions())
    assert files_with(library.home, PRODUCT)
    with pytest.raises(LibraryError, match="is empty"):
        engine.snapshot()
    collect(library, SPEC, settings)
    assert not files_with(library.home, PRODUCT)


def test_a_damaged_filing_can_be_removed(library: Library) -> None:
    next((library.root / KEY).glob("*/filing.json")).write_text("{")
    remove(library, KEY)
    assert served(library) == OTHERS


def test_the_last_filing_leaves_an_empty_library(library: Library) -> None:
    assert remove(library, KEY, *OTHERS, KEY) == 0
    with pytest.raises(LibraryError, match="is empty"):
        served(library)
    assert not files_with(library.home, b"Quillfeather")
    assert not list((library.home / "index").glob("*/build-*"))
    add(library, source(library.home.parent, 2022, "rain gauges"))
    assert served(library) == [KEY]


def test_the_upload_of_another_filing_stays(library: Library) -> None:
    remove(library, OTHERS[0])
    assert len(list((library.home / UPLOADS).iterdir())) == 1


@pytest.mark.parametrize("point", ["_drop_indexes", "build_index", "prune", "forget_upload"])
def test_kill_9_leaves_it_gone_and_an_index_serving(library: Library, point: str) -> None:
    script = f"""
import os, signal, sys
from pathlib import Path
from hashed import DIM, HashedEmbedder
from rag_app import remove
from rag_app.library import Library
remove.{point} = lambda *args, **more: os.kill(os.getpid(), signal.SIGKILL)
remove.remove_filings(Library(Path(sys.argv[1])), HashedEmbedder(), DIM, [{KEY!r}])
"""
    tests = Path(__file__).parent
    ran = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tests)!r})\n{script}",
         str(library.home)], check=False, capture_output=True
    )  # fmt: skip
    assert ran.returncode == -signal.SIGKILL, ran.stderr.decode()
    assert sorted(library.filings()) == OTHERS
    assert served(library) == served(library, WIDTH) == OTHERS


def test_the_command_line_says_what_there_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAG_HOME", str(tmp_path))
    assert main(["remove", KEY]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: There is no filing {KEY}")
