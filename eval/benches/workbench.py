"""What every row of the bench works with: the opened library, the sizes, a folder for its data."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rag_app.errors import LibraryError
from rag_app.index.embedder import Embedder
from rag_app.index.snapshot import Snapshot
from rag_app.library import Library
from rag_app.sealed import sealing
from rag_app.settings import Settings, child_environment
from rag_app.sums import FILE as SUMS

CACHE, MODELS = "cache", "models"
"""Folders of a home that a temporary one uses through a link: models, converted or not."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much each row does; the flags of ``eval bench`` say what each is."""

    chunks: int
    rounds: int
    filings: Path | None
    filing_count: int
    questions: int
    rows: int
    build_rows: int
    growth: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Workbench:
    """The library that is measured, ``dim`` the small dimension, ``scratch`` for what is written.

    Nothing but converted models is written to the library's home.
    """

    settings: Settings
    library: Library
    embedder: Embedder
    dim: int
    scratch: Path
    sizes: Sizes

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """A folder that is removed when the block ends."""
        self.scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.scratch, prefix="bench-") as folder:
            yield Path(folder)

    @contextmanager
    def home(self) -> Iterator[Path]:
        """An empty home for the time of the block, which knows the models of the library's."""
        with self.folder() as folder:
            own = self.library.home.resolve()
            (own / CACHE).mkdir(exist_ok=True)  # a model that is converted here is kept
            for name in (CACHE, MODELS):
                if (own / name).is_dir():
                    (folder / name).symlink_to(own / name, target_is_directory=True)
            yield folder

    def environment(self, home: Path) -> dict[str, str]:
        """For a child process that works on another home with the same model and encoder."""
        named = {
            "RAG_HOME": str(home),
            "RAG_MODEL": self.embedder.spec.name,
            "RAG_DIM": str(self.dim),
            "RAG_ENCODER": self.settings.encoder,
        }
        return child_environment(self.settings) | named


def copy_filings(source: Library, home: Path, fingerprint: str = "") -> Library:
    """The sealed filings of a library in another home, linked where that can be.

    The vectors of the model of that fingerprint come along; without one none do.

    Raises:
        LibraryError: a filing has no such vectors, or the disk is full.
    """
    copy = Library(home)
    for key, version in source.versions().items():
        folder = source.folder(key, version)
        with sealing(copy.root / key, version) as part:
            for path in folder.iterdir():
                if path.is_file() and path.name != SUMS:  # sealing writes these anew, in place
                    _link(path, part / path.name)
        if fingerprint:
            vectors = source.vectors_path(key, version, fingerprint)
            if not vectors.exists():
                raise LibraryError(
                    f"{key} is not encoded with this model; run `python -m rag_app index` first."
                )
            copied = copy.vectors_path(key, version, fingerprint)
            copied.parent.mkdir()
            _link(vectors, copied)
    return copy


def indexed_ids(snapshot: Snapshot) -> list[str]:
    """The ids of all chunks that an index was built from, filing by filing."""
    opened = snapshot.opened
    return [id_ for key in opened.covers for id_ in opened.vectors(key).ids]


def _link(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except OSError:  # another disk
        shutil.copyfile(source, target)
