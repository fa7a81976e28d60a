"""The sample library is what these tests ask; take this file away to ask your own."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag_app.index.embedder import Embedder


@pytest.fixture(scope="session")
def retrieval_home(sample_home: Path) -> Path:
    return sample_home


@pytest.fixture(scope="session")
def retrieval_embedder(minilm: Embedder) -> Embedder:
    return minilm


@pytest.fixture(scope="session")
def retrieval_dim() -> int:
    return 384
