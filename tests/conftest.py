"""Fixtures that several test files share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag_app.index.embedder import Embedder
from rag_app.index.models import resolve_model

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No setting of the person who runs the tests reaches them; RAG_HOME is a fresh folder."""
    for name in list(os.environ):
        if name.startswith(("RAG_", "OPENAI_", "EDGAR_")) and name != "RAG_TEST_DATA":
            monkeypatch.delenv(name)
    monkeypatch.setenv("RAG_HOME", str(tmp_path / "home"))
    yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real filings and question sets; skips where they are absent."""
    folder = Path(os.environ.get("RAG_TEST_DATA", ROOT / "../shared/data")).resolve()
    if not folder.is_dir():
        pytest.skip(f"no real material at {folder}; set RAG_TEST_DATA")
    return folder


@pytest.fixture(scope="session")
def minilm() -> Embedder:
    """The real default model, loaded once."""
    return Embedder(resolve_model("minilm", Path("nowhere")))


@pytest.fixture(scope="session")
def sample_filings() -> Path:
    """The made-up filings that ship with the project."""
    return ROOT / "data/sample/filings"
