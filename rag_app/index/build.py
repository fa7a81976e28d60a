"""The library to a sealed index: encode what has no vectors, slice, write, verify, seal.

Changing the dimension touches no encoder: the stored full-width vectors are cut and renormalised.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rag_app.errors import IndexMismatch, LibraryError, OutdatedIndex
from rag_app.index.embedder import Embedder, Vectors, truncate
from rag_app.index.lexical import write_lexical
from rag_app.index.models import ModelSpec
from rag_app.index.passport import Passport
from rag_app.index.vector_sums import hold_vectors
from rag_app.index.vectors import load_vectors, save_vectors
from rag_app.library import Library
from rag_app.sealed import current, prune, sealing
from rag_app.sums import FILE as SUMS
from rag_app.sums import damaged_files

CHROMA, LEXICAL = "chroma", "bm25"

PER_CHUNK, PER_COORDINATE, AT_LEAST = 2_500, 12, 4_000_000
"""Bytes that an index may take while it is built, BM25 and Chroma's queue included (measured)."""

Progress = Callable[[int], None]
Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did: chunks in the index, chunks that had to be encoded, seconds."""

    chunk_count: int
    encoded: int
    seconds: float
    rebuilt: bool


def index_root(home: Path, spec: ModelSpec, dim: int) -> Path:
    """Where the sealed indexes of one model and dimension are: ``home/index/<name>``."""
    slug = re.sub(r"[^A-Za-z0-9]+", "-", spec.name).strip("-").lower()[-40:]
    return home / "index" / f"{slug}-{spec.fingerprint}-{dim}"


def chunks_without_vectors(library: Library, spec: ModelSpec) -> int:
    """How many chunks of the library this model has yet to encode."""
    return sum(
        stored.chunk_count
        for key, stored in library.filings().items()
        if not library.vectors_path(key, stored.version, spec.fingerprint).exists()
    )


def encode_missing(library: Library, embedder: Embedder, on_progress: Progress) -> int:
    """Encode, filing by filing, what this model has not encoded; a killed run loses one filing.

    Returns the number of chunks encoded; ``on_progress`` is called with chunks as they are done.
    """
    from rag_app.filings.chunks import passage_text

    encoded = 0
    for key, version in library.versions().items():
        path = library.vectors_path(key, version, embedder.spec.fingerprint)
        if path.exists():
            continue
        chunks = library.chunks(key, version)
        texts = [passage_text(node) for node in chunks.values()]
        embedder.check_fits(texts)
        save_vectors(path, list(chunks), embedder.encode_documents(texts, on_progress))
        encoded += len(texts)
    return encoded


def is_current(library: Library, spec: ModelSpec, dim: int) -> bool:
    """Whether a sealed index stands for this model and dimension over the library as it is.

    Raises:
        IndexMismatch: there is one, and its passport cannot be read.
    """
    folder = current(index_root(library.home, spec, dim))
    try:
        return (
            folder is not None
            and library.dense.holds(folder / CHROMA)
            and (folder / SUMS).exists()
            and Passport.load(folder).filings == library.versions()
        )
    except OutdatedIndex:
        return False


def build_index(
    library: Library,
    embedder: Embedder,
    dim: int,
    on_progress: Progress = lambda done: None,
    *,
    rebuild: bool = False,
    on_note: Note = lambda note: None,
) -> BuildReport:
    """Bring the index of a model and dimension up to the library; hold the writer lock around it.

    Nothing is done when it is current already, unless ``rebuild``. Damaged vectors are encoded
    anew, and ``on_note`` names them.

    Raises:
        LibraryError: the library is empty, damaged, or the disk is full.
        IndexMismatch: what was written does not verify; the old index goes on serving.
    """
    spec = embedder.spec
    began = time.perf_counter()
    library.keep_sums()
    hold_vectors(library, spec, on_note)
    encoded = encode_missing(library, embedder, on_progress)
    if encoded:
        hold_vectors(library, spec, on_note)
    filings = library.versions()
    if not filings:
        raise LibraryError(
            f"The library at {library.home} is empty; add filings with "
            "`python -m rag_app ingest PATH`."
        )
    root = index_root(library.home, spec, dim)
    served = current(root)
    if served is not None and not rebuild and is_current(library, spec, dim):
        count = Passport.load(served).chunk_count
        return BuildReport(count, encoded, time.perf_counter() - began, rebuilt=False)

    ids, vectors = _stored_vectors(library, spec, filings)
    # Only the replaced index stays, for readers that are about to open it; so there are never
    # more than two. Those that a reader holds stay too.
    prune(root, set())
    name = f"build-{time.time_ns()}"
    with sealing(root, name, len(ids) * (PER_CHUNK + PER_COORDINATE * dim) + AT_LEAST) as folder:
        cut = truncate(vectors, dim, spec.start_of(dim))
        library.dense.write(folder / CHROMA, f"{spec.fingerprint}-{dim}-{name}", ids, cut)
        _lexical(library, folder / LEXICAL, filings, rebuild=rebuild)
        Passport.of(spec, dim, filings, ids).save(folder)
    prune(root, {served.name} if served else set())
    library.dense.prune()
    library.forget_unused(used_versions(library.home))
    return BuildReport(len(ids), encoded, time.perf_counter() - began, rebuilt=True)


def used_versions(home: Path) -> dict[str, set[str]]:
    """Filing key to the versions that some sealed index reads, replaced builds included."""
    used: dict[str, set[str]] = {}
    for _, passport in _sealed(home):
        for key, version in passport.filings.items():
            used.setdefault(key, set()).add(version)
    return used


def _sealed(home: Path) -> Iterator[tuple[Path, Passport]]:
    """Every sealed index that can be opened; a damaged one serves nobody and holds nothing back."""
    for path in (home / "index").glob("*/build-*"):
        with suppress(IndexMismatch):
            yield path, Passport.load(path)


def _stored_vectors(
    library: Library, spec: ModelSpec, filings: dict[str, str]
) -> tuple[list[str], Vectors]:
    """All chunk ids and their (n, width) vectors; both come from the same file of a filing."""
    ids: list[str] = []
    parts: list[Vectors] = []
    for key, version in filings.items():
        found, vectors = load_vectors(library.vectors_path(key, version, spec.fingerprint))
        ids += found
        parts.append(vectors)
    return ids, np.concatenate(parts) if parts else np.zeros((0, spec.width), np.float32)


def _whole_lexical(folder: Path) -> bool:
    hurt = damaged_files(folder, hashed=True)
    return not any(name == SUMS or name.startswith(f"{LEXICAL}/") for name in hurt) and (
        (folder / LEXICAL).is_dir() and (folder / SUMS).exists()
    )


def _lexical(library: Library, folder: Path, filings: dict[str, str], *, rebuild: bool) -> None:
    """BM25 does not depend on model or dimension: link a sealed one of the same chunks."""
    for other, passport in _sealed(library.home) if not rebuild else ():
        if passport.filings == filings and _whole_lexical(other):
            folder.mkdir()
            for path in (other / LEXICAL).iterdir():
                (folder / path.name).hardlink_to(path)
            return
    write_lexical(folder, library.passages())
