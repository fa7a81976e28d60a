"""Fixtures that several test files share."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag_app.index.embedder import Embedder
from rag_app.index.models import resolve_model
from rag_app.ingest import ingest
from rag_app.library import Library

FULL_WIDTH, MAX_FILE_MB = 384, 50
ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No setting of the person who runs the tests reaches them; RAG_HOME is a fresh folder."""
    for name in list(os.environ):
        if name.startswith(("RAG_", "OPENAI_", "EDGAR_")) and name != "RAG_TEST_DATA":
            monkeypatch.delenv(name)
    monkeypatch.setenv("RAG_HOME", str(tmp_path / "home"))
    # The untuned model, whose library below is encoded once; the shipped one has tests of its own.
    monkeypatch.setenv("RAG_MODEL", "minilm")
    # Every test has a home of its own, and each would convert the model anew: seconds a test.
    monkeypatch.setenv("RAG_ENCODER", "torch")
    yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real filings and question sets; skips where they are absent."""
    folder = Path(os.environ.get("RAG_TEST_DATA", ROOT / "../shared/data")).resolve()
    if not folder.is_dir():
        pytest.skip(f"no real material at {folder}; set RAG_TEST_DATA")
    return folder


@functools.cache
def untuned_embedder() -> Embedder:
    """The real untuned model, loaded once for the whole run."""
    return Embedder(resolve_model("minilm", Path("nowhere")))


@pytest.fixture(scope="session")
def minilm() -> Embedder:
    """The real untuned model."""
    return untuned_embedder()


@pytest.fixture(scope="session")
def sample_filings() -> Path:
    """The made-up filings that ship with the project."""
    return ROOT / "data/sample/filings"


@pytest.fixture(scope="session")
def sample_home(tmp_path_factory: pytest.TempPathFactory, sample_filings: Path) -> Path:
    """A library of the six sample filings, indexed at full width; copy it before you write."""
    home = tmp_path_factory.mktemp("sample") / "home"
    report = ingest(
        [sample_filings], Library(home), untuned_embedder(), FULL_WIDTH, max_file_mb=MAX_FILE_MB
    )
    assert not report.refused
    return home


@pytest.fixture
def home_copy(sample_home: Path, tmp_path: Path) -> Path:
    """The sample library, free to be changed."""
    return Path(shutil.copytree(sample_home, tmp_path / "copy"))


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small untrained model and 60 rows of 6 companies, to train on."""
    from tiny_model import build_tiny_model, write_rows

    folder = tmp_path_factory.mktemp("material")
    build_tiny_model(folder)
    write_rows(folder / "rows.csv")
    return folder
