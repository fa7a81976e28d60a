"""Timings of one run, compared with each other: what a dimension swap saves over re-embedding."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from rag_app.index.build import Progress, build_index, encode_missing
from rag_app.index.embedder import Embedder
from rag_app.library import Library
from rag_app.sealed import sealing, writer_lock


@dataclass(frozen=True, slots=True)
class SwapTiming:
    """Seconds to encode every chunk against seconds to derive another dimension's index."""

    chunk_count: int
    model: str
    from_dim: int
    to_dim: int
    encode_s: float
    swap_s: float

    @property
    def ratio(self) -> float:
        """How many times faster the swap is."""
        return self.encode_s / self.swap_s

    def __str__(self) -> str:
        return (
            f"{self.chunk_count} chunks, {self.model}: encoding {self.encode_s:.1f} s, swap from "
            f"{self.from_dim} to {self.to_dim} dimensions {self.swap_s:.2f} s, "
            f"{self.ratio:.0f} times faster."
        )


def time_dimension_swap(
    library: Library, embedder: Embedder, to_dim: int, on_progress: Progress
) -> SwapTiming:
    """Encode a copy of the library, index it at full width, then time the swap to ``to_dim``.

    The model is loaded before the clock starts; a swap pays for Chroma, verification, sealing.

    Raises:
        LibraryError: the library is empty or damaged.
    """
    embedder.encode_queries(["warm up"])
    width = embedder.spec.width
    with tempfile.TemporaryDirectory(dir=library.home) as folder:
        copy = Library(Path(folder))
        for key, version in library.versions().items():
            _link_filing(library.folder(key, version), copy)
        with writer_lock(copy.home):
            began = time.perf_counter()
            encode_missing(copy, embedder, on_progress)
            encoded = time.perf_counter()
            build_index(copy, embedder, width)
            indexed = time.perf_counter()
            report = build_index(copy, embedder, to_dim)
            swapped = time.perf_counter()
    return SwapTiming(
        chunk_count=report.chunk_count,
        model=embedder.spec.name,
        from_dim=width,
        to_dim=to_dim,
        encode_s=encoded - began,
        swap_s=swapped - indexed,
    )


def _link_filing(source: Path, library: Library) -> None:
    """The sealed files of a filing without its vectors, linked rather than copied."""
    with sealing(library.root / source.parent.name, source.name) as folder:
        for path in source.iterdir():
            if path.is_file():
                (folder / path.name).hardlink_to(path)
