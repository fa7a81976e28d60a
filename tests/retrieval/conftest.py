"""The sample library is what these tests ask; take this file away to ask your own."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag_app.index.embedder import Embedder
from rag_app.index.encoders import AUTO
from rag_app.index.models import resolve_model
from rag_app.index.served import TUNED_MINILM
from rag_app.ingest import ingest
from rag_app.library import Library
from rag_app.settings import Settings

FULL_WIDTH, MAX_FILE_MB = 384, 50


@pytest.fixture(scope="session")
def retrieval_settings() -> Settings:
    """What ships, whatever the person who runs the tests has set."""
    return Settings()


@pytest.fixture(scope="session")
def retrieval_home(
    sample_filings: Path, retrieval_embedder: Embedder, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    home = tmp_path_factory.mktemp("retrieval") / "home"
    ingest([sample_filings], Library(home), retrieval_embedder, FULL_WIDTH, max_file_mb=MAX_FILE_MB)
    return home


@pytest.fixture(scope="session")
def retrieval_embedder(tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    """The model that ships, run as it is where nothing is set."""
    spec = resolve_model(TUNED_MINILM, Path("nowhere"))
    return Embedder(spec, encoder=AUTO, cache=tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="session")
def retrieval_dim() -> int:
    return FULL_WIDTH
