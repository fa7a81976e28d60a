"""Everything about a sealed index that can be held against the library, part by part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rag_app.errors import IndexMismatch, LibraryError, RagError
from rag_app.index.build import CHROMA, LEXICAL, index_root
from rag_app.index.chroma import DenseIndex
from rag_app.index.embedder import Vectors, truncate
from rag_app.index.lexical import LexicalIndex
from rag_app.index.models import ModelSpec
from rag_app.index.passport import Passport
from rag_app.index.vector_sums import OFF_UNIT, are_whole
from rag_app.index.vectors import load_vectors
from rag_app.library import Library
from rag_app.sealed import current
from rag_app.sums import FILE, damaged_files

SAMPLE, DEPTH = 50, 10
LEAST_RECALL = 0.97
"""Of the ten nearest, on stored vectors; real ones gave .99 and more, random ones .97."""
SEED = 0
REBUILD = "run `python -m rag_app index --rebuild`"


@dataclass(frozen=True, slots=True)
class Verified:
    """What was held: chunks, and the share of the exact ten nearest that the index found."""

    chunk_count: int
    recall: float


def verify_index(
    library: Library, spec: ModelSpec, dim: int, on_part: Callable[[str], None] = lambda part: None
) -> Verified:
    """Hold an index of a model and dimension to the library it was built from.

    ``on_part`` is told what is looked at next.

    Raises:
        RagError: names the first part that is damaged or does not fit, and the command.
    """
    folder = current(index_root(library.home, spec, dim))
    if folder is None:
        raise IndexMismatch(
            f"There is no index of {spec.name} at {dim} dimensions; run `python -m rag_app index "
            f"--model {spec.name} --dim {dim}`."
        )
    on_part("checksums of the index")
    for name in damaged_files(folder, hashed=True):
        raise IndexMismatch(f"The index at {folder} is damaged ({name}); {REBUILD}.")
    if not (folder / FILE).exists():
        raise IndexMismatch(f"The index at {folder} has no checksums; {REBUILD}.")
    passport = Passport.load(folder)
    passport.check(spec, dim)
    on_part("checksums of the filings")
    for error in damaged_filings(library, passport):
        raise error
    library.filings()  # a damaged pointer, or a filing that is not indexed yet
    on_part("vectors")
    ids, vectors = _vectors(library, passport)
    on_part("passport")
    found = Passport.of(spec, dim, passport.filings, ids)
    if (found.chunk_count, found.chunk_ids_sha256) != (
        passport.chunk_count,
        passport.chunk_ids_sha256,
    ):
        raise IndexMismatch(
            f"The passport at {folder} names {passport.chunk_count} chunks that are not the "
            f"library's {found.chunk_count}; {REBUILD}."
        )
    on_part("BM25")
    if LexicalIndex(folder / LEXICAL).chunk_ids != sorted(ids):
        raise IndexMismatch(f"The BM25 index at {folder / LEXICAL} has other chunks; {REBUILD}.")
    on_part("Chroma")
    cut = truncate(vectors, dim, spec.start_of(dim))
    with library.dense.open(folder / CHROMA) as dense:
        dense.verify(ids, cut)
        recall = _recall(dense, ids, cut)
    if recall < LEAST_RECALL:
        raise IndexMismatch(
            f"The index at {folder} finds {recall:.1%} of what exact search finds; {REBUILD}."
        )
    return Verified(len(ids), recall)


def damaged_filings(library: Library, passport: Passport) -> Iterator[RagError]:
    """What is damaged of the filing versions and vectors that an index reads."""
    for key, version in passport.filings.items():
        try:
            hurt = library.damage(key, version, hashed=True)
        except LibraryError as error:
            yield error
            continue
        for name in hurt:
            path = library.folder(key, version) / name
            yield LibraryError(f"{path} is damaged; run `python -m rag_app ingest --repair`.")
        path = library.vectors_path(key, version, passport.fingerprint)
        if not are_whole(path, hashed=True):
            yield LibraryError(f"The vectors in {path} are damaged; {REBUILD}.")


def _vectors(library: Library, passport: Passport) -> tuple[list[str], Vectors]:
    """The ids and full-width vectors of the versions indexed.

    Raises:
        LibraryError: they are not of unit length, or of other chunks.
    """
    ids: list[str] = []
    parts: list[Vectors] = []
    for key, version in passport.filings.items():
        path: Path = library.vectors_path(key, version, passport.fingerprint)
        found, vectors = load_vectors(path)
        off = np.abs(np.linalg.norm(vectors, axis=1) - 1) >= OFF_UNIT
        if off.any():
            raise LibraryError(
                f"{int(off.sum())} vectors in {path} are not of unit length; remove it and "
                "run `python -m rag_app index --rebuild`."
            )
        if set(found) != set(library.chunks(key, version)):
            raise LibraryError(
                f"The vectors in {path} are of other chunks; remove it and "
                "run `python -m rag_app index --rebuild`."
            )
        ids += found
        parts.append(vectors)
    return ids, np.concatenate(parts)


def _recall(dense: DenseIndex, ids: list[str], vectors: Vectors) -> float:
    """The share of the exact nearest that the index finds, by cosine: twins may stand for twins."""
    rows = np.random.default_rng(SEED).choice(len(ids), min(SAMPLE, len(ids)), replace=False)
    depth = min(DEPTH, len(ids))
    found = 0
    for row in rows:
        exact = vectors @ vectors[row]
        least = np.partition(exact, -depth)[-depth] - 1e-5
        found += sum(cosine >= least for _, cosine in dense.query(vectors[row], depth))
    return float(found / (depth * len(rows)))
