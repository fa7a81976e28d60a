"""Collections on a real Chroma server: as in directories; down, slow, back again; no secret out."""

from __future__ import annotations

import json
import shutil
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from chroma_run import ChromaRun, free_port
from tiny import write_filing

from rag_app.__main__ import main
from rag_app.errors import ChromaServerError, IndexMismatch, RagError
from rag_app.index import chroma_server
from rag_app.index.build import CHROMA, build_index, index_root, is_current
from rag_app.index.chroma import EMBEDDED, SERVER_RECORD
from rag_app.index.chroma_server import ChromaServer, dense_store, is_loopback
from rag_app.index.embedder import Embedder, Vectors, truncate
from rag_app.index.serving import open_snapshot
from rag_app.ingest import ingest
from rag_app.library import Library
from rag_app.sealed import current
from rag_app.settings import load_settings

DIM = 64
SECRET = "ck-a-secret-token"


@pytest.fixture(scope="module")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaRun]:
    server = ChromaRun(tmp_path_factory.mktemp("chroma"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def small_home(tmp_path_factory: pytest.TempPathFactory, minilm: Embedder) -> Path:
    """A library of three small filings, its index in a directory; copy it before you write."""
    folder = tmp_path_factory.mktemp("small")
    paths = [write_filing(folder / f"{year}.html", year=year) for year in (2021, 2022, 2023)]
    assert not ingest(paths, Library(folder / "home"), minilm, DIM, max_file_mb=10).refused
    return folder / "home"


@pytest.fixture
def home(small_home: Path, tmp_path: Path) -> Path:
    """The small library, free to be changed."""
    return Path(shutil.copytree(small_home, tmp_path / "copy"))


def store(home: Path, url: str, timeout_s: float = 30.0, **headers: str) -> ChromaServer:
    return ChromaServer(home, url, "default_tenant", "default_database", timeout_s, headers)


def unit_vectors(rows: int, width: int) -> Vectors:
    rng = np.random.default_rng(0)
    return truncate(rng.standard_normal((rows, width)).astype(np.float32), width)


def sealed(library: Library, embedder: Embedder) -> Path:
    folder = current(index_root(library.home, embedder.spec, DIM))
    assert folder is not None
    return folder


def named(folder: Path) -> str:
    return str(json.loads((folder / CHROMA / SERVER_RECORD).read_text())["collection"])


def all_named(library: Library, embedder: Embedder) -> set[str]:
    return {named(f) for f in index_root(library.home, embedder.spec, DIM).glob("build-*")}


def test_a_server_serves_what_directories_serve(
    home: Path, minilm: Embedder, chroma: ChromaRun
) -> None:
    """Built, verified, switched to; the same hits; two builds kept; back again without a server."""
    others = chroma.collections()
    query = truncate(minilm.encode_queries(["What was revenue?"]), DIM)[0]
    files = open_snapshot(Library(home), minilm, DIM)
    wanted = files.dense.query(query, 10)
    library = Library(home, store(home, chroma.url))
    assert not is_current(library, minilm.spec, DIM), "it is in directories yet"
    snapshot = open_snapshot(library, minilm, DIM)
    assert is_current(library, minilm.spec, DIM)
    assert snapshot.dense.count() == files.dense.count()
    found = snapshot.dense.query(query, 10)
    assert [chunk_id for chunk_id, _ in found] == [chunk_id for chunk_id, _ in wanted]
    assert np.allclose([c for _, c in found], [c for _, c in wanted], atol=1e-5)
    files.lease.close()
    snapshot.lease.close()
    first = named(snapshot.folder)
    assert first.startswith(f"{minilm.spec.fingerprint}-{DIM}-build-")
    for _ in range(2):
        build_index(library, minilm, DIM, rebuild=True)
    kept = all_named(library, minilm)
    assert len(kept) == 2 and first not in kept
    assert chroma.collections() - others == kept, "replaced collections are dropped"

    with pytest.raises(IndexMismatch, match="is on a Chroma server, and the settings name none"):
        Library(home).dense.open(sealed(library, minilm) / CHROMA)
    open_snapshot(Library(home), minilm, DIM)
    with pytest.raises(IndexMismatch, match="is not on the Chroma server that the settings"):
        library.dense.open(sealed(library, minilm) / CHROMA)


def test_batches_stay_within_what_the_server_takes(tmp_path: Path, chroma: ChromaRun) -> None:
    """More rows than Chroma takes at once, and a request kept small by its bytes."""
    vectors = unit_vectors(6_000, 8)
    ids = [f"chunk-{row}" for row in range(len(vectors))]
    server = store(tmp_path, chroma.url)
    server.write(tmp_path / CHROMA, "rows", ids, vectors)
    with server.open(tmp_path / CHROMA) as index:
        assert index.count() == 6_000
        assert index.query(vectors[77], 1)[0][1] == pytest.approx(1, abs=1e-5)
    with server.open(tmp_path / CHROMA) as index, pytest.raises(IndexMismatch, match="of 5999"):
        index.verify(ids[:-1], vectors[:-1])
    server.prune()
    assert "rows" not in chroma.collections(), "no index names it"
    with pytest.raises(IndexMismatch, match=r"is gone from the server; run `python -m rag_app"):
        server.open(tmp_path / CHROMA)


def test_a_build_that_fails_leaves_the_old_index_and_no_collection(
    home: Path, minilm: Embedder, chroma: ChromaRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Library(home, store(home, chroma.url))
    build_index(library, minilm, DIM)
    served, before = sealed(library, minilm), chroma.collections()

    def fail(*_: object) -> None:
        raise ChromaServerError("stopped here")

    with monkeypatch.context() as patched:
        patched.setattr(chroma_server.ServerIndex, "verify", fail)
        with pytest.raises(ChromaServerError, match="stopped here"):
            build_index(library, minilm, DIM, rebuild=True)
    assert sealed(library, minilm) == served
    (left,) = chroma.collections() - before
    build_index(library, minilm, DIM, rebuild=True)
    assert left not in chroma.collections()


def test_a_killed_server_is_one_error_and_used_again_when_back(
    home: Path,
    minilm: Embedder,
    chroma: ChromaRun,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """kill -9 the real server: the open index and the command line fail in one sentence each."""
    monkeypatch.setenv("RAG_HOME", str(home))
    monkeypatch.setenv("RAG_CHROMA_URL", chroma.url)
    monkeypatch.setenv("RAG_CHROMA_HEADERS", json.dumps({"x-chroma-token": SECRET}))
    others = chroma.collections()
    ask = ["ask", "What was revenue?", "--model", "minilm", "--dim", str(DIM)]
    library = Library(home, store(home, chroma.url))
    snapshot = open_snapshot(library, minilm, DIM)
    query = truncate(minilm.encode_queries(["What was revenue?"]), DIM)[0]
    before = snapshot.dense.query(query, 5)
    assert main(ask) == 0
    capsys.readouterr()
    served = sealed(library, minilm)

    chroma.kill()
    with pytest.raises(ChromaServerError, match=r"cannot be reached .* start it \(`chroma run`\)"):
        snapshot.dense.query(query, 5)
    assert main(ask) == 2
    out = capsys.readouterr()
    assert out.err.startswith(f"error: The Chroma server at {chroma.url} cannot be reached")
    assert out.err.count("\n") == 1 and SECRET not in out.err + out.out
    with pytest.raises(ChromaServerError, match="cannot be reached"):
        build_index(library, minilm, DIM, rebuild=True)
    assert sealed(library, minilm) == served, "the old index is what the pointer names"

    chroma.start()
    assert snapshot.dense.query(query, 5) == before, "the open index asks the server again"
    assert main(ask) == 0
    build_index(library, minilm, DIM, rebuild=True)
    assert chroma.collections() - others == all_named(library, minilm)


def test_a_slow_server_is_one_error_in_time(tmp_path: Path) -> None:
    """A port that takes the question and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = store(tmp_path, f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.3)
        with pytest.raises(ChromaServerError, match=r"within 0\.3 s; .* chroma_timeout_s higher"):
            server.write(tmp_path / CHROMA, "slow", ["a"], unit_vectors(1, 4))
    server = store(tmp_path, f"http://127.0.0.1:{free_port()}")
    with pytest.raises(ChromaServerError, match="cannot be reached"):
        server.write(tmp_path / CHROMA, "none", ["a"], unit_vectors(1, 4))


class Refusing(BaseHTTPRequestHandler):
    """A proxy before Chroma that lets nobody through."""

    seen: list[str | None] = []  # noqa: RUF012 - of the class: the server makes the objects

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.seen.append(self.headers["authorization"])
        self.send_response(401 if "secret" in str(self.headers["authorization"]) else 502)
        self.end_headers()
        self.wfile.write(f"<html>{SECRET}</html>".encode())

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


def test_headers_are_sent_and_shown_nowhere(tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{proxy.server_port}"
        allowed = store(tmp_path, url, authorization=f"Bearer {SECRET}")
        with pytest.raises(ChromaServerError, match="refuses who asks; mend chroma_head") as error:
            allowed.write(tmp_path / CHROMA, "a", ["a"], unit_vectors(1, 4))
        with pytest.raises(ChromaServerError, match=r"failed \(HTTP 502\); see its log") as broken:
            store(tmp_path, url).write(tmp_path / CHROMA, "b", ["a"], unit_vectors(1, 4))
        proxy.shutdown()
    assert Refusing.seen == [f"Bearer {SECRET}", None]
    shown = [str(error.value), str(broken.value), repr(allowed)]
    shown += [path.read_text() for path in tmp_path.rglob("*.json")]
    assert SECRET not in " ".join(shown)


@pytest.mark.parametrize(
    ("url", "headers", "warned"),
    [
        ("http://127.0.0.1:8000", {}, ""),
        ("http://localhost:8000", {}, ""),
        ("http://[::1]:8000", {}, ""),
        ("https://chroma.example.com", {"x-chroma-token": SECRET}, ""),
        ("https://chroma.example.com", {}, "without an authentication header:"),
        ("http://10.0.0.7:8000", {"x-chroma-token": SECRET}, "without https:"),
        ("http://10.0.0.7:8000", {}, "without https and without an authentication header:"),
    ],
)
def test_an_open_way_to_the_server_is_warned_of(
    tmp_path: Path, url: str, headers: dict[str, str], warned: str
) -> None:
    note = store(tmp_path, url, **headers).note
    assert warned in note
    assert bool(note) == bool(warned)
    assert is_loopback(url) == (not url.startswith("https") and "10.0" not in url)


def test_the_settings_name_the_server_and_hide_the_headers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert dense_store(load_settings()) is EMBEDDED
    for url in (f"https://me:{SECRET}@host", f"https://host/?key={SECRET}", f"{SECRET}:8000"):
        monkeypatch.setenv("RAG_CHROMA_URL", url)
        with pytest.raises(RagError, match=r"`chroma_url` is wrong: .* chroma_headers") as error:
            load_settings()
        assert SECRET not in str(error.value)
    monkeypatch.setenv("RAG_CHROMA_URL", "https://host/")
    monkeypatch.setenv("RAG_CHROMA_HEADERS", SECRET)
    with pytest.raises(RagError, match=r"not valid JSON \(.*chroma_headers") as error:
        load_settings()
    assert SECRET not in str(error.value)
    monkeypatch.setenv("RAG_CHROMA_HEADERS", json.dumps({"x-chroma-token": SECRET}))
    settings = load_settings()
    server = dense_store(settings)
    assert SECRET not in repr(settings) + repr(server)
    assert isinstance(server, ChromaServer)
    assert (server.url, server.headers) == ("https://host", {"x-chroma-token": SECRET})
