"""An embedder of hashed words (dims 32 and 16), real vectors without torch, and a library of it."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from tiny import write_filing

from rag_app.index.build import BuildReport, build_index
from rag_app.index.embedder import Embedder, Vectors, truncate
from rag_app.index.models import ModelSpec
from rag_app.ingest import IngestReport, ingest
from rag_app.library import Library
from rag_app.records import CoverFlags
from rag_app.sealed import writer_lock

WIDTH, DIM = 32, 16
SPEC = ModelSpec(
    name="hashed",
    folder=Path("nowhere"),
    fingerprint="0123456789ab",
    width=WIDTH,
    dims=(WIDTH, DIM),
    query_prompt="",
    document_prompt="",
)
PRODUCTS = ("bilge pumps", "fire hydrants", "garden hoses", "brass valves", "rain gauges")


class HashedEmbedder(Embedder):
    """Each word has a random direction; a text is their sum."""

    def __init__(self, spec: ModelSpec = SPEC) -> None:
        super().__init__(spec)

    def check_fits(self, texts: Sequence[str]) -> None:
        """Any length fits."""

    def _encode(
        self, texts: Sequence[str], kind: str, on_progress: Callable[[int], None] | None
    ) -> Vectors:
        vectors = np.zeros((len(texts), WIDTH), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in text.lower().split():
                seed = np.random.default_rng(zlib.crc32(word.encode()))
                vectors[row] += seed.standard_normal(WIDTH).astype(np.float32)
        if on_progress:
            on_progress(len(texts))
        return truncate(vectors, WIDTH)


def source(folder: Path, year: int, product: str) -> Path:
    """The 10-K of one year, whose every chunk names a product."""
    return write_filing(folder / f"{year}.html", year=year, product=product)


def add(library: Library, *paths: Path, dim: int = DIM) -> IngestReport:
    """Ingest as QPI's."""
    flags = CoverFlags(ticker="QPI")
    return ingest(paths, library, HashedEmbedder(), dim, max_file_mb=10, flags=flags)


def build(library: Library, dim: int = DIM, *, rebuild: bool = False) -> BuildReport:
    """Bring an index up to the library."""
    with writer_lock(library.home):
        return build_index(library, HashedEmbedder(), dim, rebuild=rebuild)


def small_library(folder: Path, years: Sequence[int] = (2021, 2022, 2023)) -> Library:
    """A library of a filing a year under ``folder/home``, indexed at ``DIM``."""
    library = Library(folder / "home")
    sources = folder / "sources"
    sources.mkdir(parents=True, exist_ok=True)
    add(library, *(source(sources, year, PRODUCTS[year % 5]) for year in years))
    return library
