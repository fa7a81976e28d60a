"""Engines: found by name, refused in a sentence, the same vectors; a lost worker's work redone."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import psutil
import pytest
from tiny import write_filing

from rag_app.__main__ import main
from rag_app.engines import ray_cluster
from rag_app.engines.ray_cluster import FilingEncoder
from rag_app.errors import ModelError
from rag_app.index.embedder import Embedder
from rag_app.index.vectors import load_vectors
from rag_app.ingest import IngestReport, IngestWatcher, ingest
from rag_app.library import Library

DIM = 64
needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="ray is not installed; docs/scaling.md says how"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("filings")
    for year in range(2020, 2024):
        write_filing(made / f"{year}.html", year=year)
    return made


def add(home: Path, embedder: Embedder, folder: Path, engine: str, **watch: object) -> IngestReport:
    watcher = IngestWatcher(**watch)  # type: ignore[arg-type]
    return ingest(
        [folder], Library(home), embedder, DIM, max_file_mb=10, engine=engine, watcher=watcher
    )


def test_an_unknown_engine_lists_those_there_are(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ingest", str(folder), "--model", "minilm", "--engine", "spark"]) == 2
    assert capsys.readouterr().err == (
        "error: There is no engine spark; choose one of local, ray.\n"
    )
    assert not (tmp_path / "home" / "filings").exists(), "refused before anything is read"


def test_a_missing_ray_names_the_command(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_cluster.importlib.util, "find_spec", _without_ray)
    assert main(["ingest", str(folder), "--model", "minilm", "--engine", "ray"]) == 2
    assert capsys.readouterr().err == (
        "error: The engine ray is not installed; run "
        "`.venv/bin/pip install -c constraints.txt -e '.[ray]'`.\n"
    )


_find_spec = importlib.util.find_spec


def _without_ray(name: str, package: str | None = None) -> object:
    return None if name == "ray" else _find_spec(name, package)


def test_an_actor_gives_what_this_process_gives(minilm: Embedder) -> None:
    """From the model's files alone, as they are sent to a machine that lacks the model."""
    texts = ["Revenue was $41 million.", "A shortage of copper would raise our costs."]
    sent = ray_cluster._files(minilm.spec.folder)
    actor = FilingEncoder(minilm.spec, minilm.encoder.name, lambda: (sent, None))
    assert actor._embedder.spec.folder != minilm.spec.folder
    row = actor({"key": "k", "version": "v", "ids": ["a", "b"], "texts": texts})
    vectors = np.frombuffer(row.pop("vectors"), np.float32).reshape(2, -1)
    assert np.abs(vectors - minilm.encode_documents(texts)).max() <= 1e-6
    assert row == {"key": "k", "version": "v", "ids": ["a", "b"], "error": ""}
    long = actor({"key": "k", "version": "v", "ids": ["a"], "texts": ["copper " * 600]})
    assert "reads 256 tokens, and 1 chunks have up to 602" in long["error"]
    with pytest.raises(ModelError, match="reads 256 tokens"):
        ray_cluster._store(Library(Path("nowhere")), minilm.spec, long, lambda done: None)


def test_no_code_and_no_pickle_is_sent(tmp_path: Path) -> None:
    (tmp_path / "1_Pooling").mkdir()
    for name in ("model.safetensors", "1_Pooling/config.json", "vocab.txt", "evil.py", "w.bin"):
        (tmp_path / name).write_bytes(b"x")
    sent = ray_cluster._files(tmp_path)
    assert set(sent) == {"model.safetensors", "1_Pooling/config.json", "vocab.txt"}
    assert ray_cluster._files(ray_cluster._unpack(sent, tmp_path / "there")) == sent


@needs_ray
def test_a_lost_worker_s_filings_are_redone_and_nothing_differs(
    folder: Path, tmp_path: Path, minilm: Embedder
) -> None:
    """A real Ray cluster of this machine; its workers are killed when the first filing is in."""
    killed: list[int] = []

    def kill_once(done: int) -> None:
        for process in psutil.Process().children(recursive=True) if not killed else ():
            if "MapWorker" in " ".join(process.cmdline()):
                process.kill()
                killed.append(process.pid)

    one = add(tmp_path / "local", minilm, folder, "local")
    two = add(tmp_path / "ray", minilm, folder, "ray", on_encoded=kill_once)
    assert killed
    assert (two.encoded, two.chunk_count) == (one.encoded, one.chunk_count)
    local, far = Library(tmp_path / "local"), Library(tmp_path / "ray")
    assert far.versions() == local.versions()
    for key, version in local.versions().items():
        ids, wanted = load_vectors(local.vectors_path(key, version, minilm.spec.fingerprint))
        found, vectors = load_vectors(far.vectors_path(key, version, minilm.spec.fingerprint))
        assert found == ids
        assert np.abs(vectors - wanted).max() <= 1e-6
