"""The sample library is what these tests ask; take this file away to ask your own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from rag_app.index.build import build_index
from rag_app.index.embedder import Embedder
from rag_app.index.models import resolve_model
from rag_app.index.served import TUNED_MINILM
from rag_app.library import Library

FULL_WIDTH = 384


@pytest.fixture(scope="session")
def retrieval_home(
    sample_home: Path, retrieval_embedder: Embedder, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    home = tmp_path_factory.mktemp("retrieval") / "home"
    shutil.copytree(sample_home, home)
    build_index(Library(home), retrieval_embedder, FULL_WIDTH)
    return home


@pytest.fixture(scope="session")
def retrieval_embedder() -> Embedder:
    return Embedder(resolve_model(TUNED_MINILM, Path("nowhere")))


@pytest.fixture(scope="session")
def retrieval_dim() -> int:
    return FULL_WIDTH
