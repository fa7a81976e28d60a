"""The checksum beside each file of vectors: noted once they are checked, held at every build."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np

from rag_app.errors import LibraryError
from rag_app.filing_files import CHUNKS, damaged
from rag_app.index.models import ModelSpec
from rag_app.index.vectors import load_vectors
from rag_app.library import Library
from rag_app.sealed import write_whole
from rag_app.sums import FILE, Sum, file_sum, is_whole, read_sums

OFF_UNIT = 1e-3
"""How far the length of a stored vector may be from 1."""


def sum_path(path: Path) -> Path:
    """Where the checksum of a file of vectors stands."""
    return path.with_suffix(".sum.json")


def are_whole(path: Path, *, hashed: bool) -> bool:
    """Whether vectors have the size, or ``hashed`` the bytes, that were noted, if any were."""
    try:
        record = json.loads(sum_path(path).read_bytes())
        return is_whole(path, Sum(record["size"], record["sha256"]), hashed)
    except FileNotFoundError:
        return path.exists()
    except (OSError, ValueError, KeyError, TypeError):
        return False


def hold_vectors(library: Library, spec: ModelSpec, on_note: Callable[[str], None]) -> None:
    """Check a model's vectors of every filing; those that are damaged are removed and named.

    ``encode_missing`` makes them anew. Hold the writer lock.
    """
    for key, version in library.versions().items():
        path = library.vectors_path(key, version, spec.fingerprint)
        if path.exists() and not _belong(library, key, version, path):
            on_note(f"{path} is damaged; it is encoded anew.")
            path.unlink()
            sum_path(path).unlink(missing_ok=True)


def _belong(library: Library, key: str, version: str, path: Path) -> bool:
    """Whether vectors are those of the chunks beside them; what has no checksum yet gets one."""
    folder = library.folder(key, version)
    try:
        of_chunks = (read_sums(folder) or {})[CHUNKS].sha256
    except (ValueError, KeyError) as error:
        raise damaged(folder / FILE, type(error).__name__) from error
    if sum_path(path).exists():
        return are_whole(path, hashed=True) and _noted_chunks(path) == of_chunks
    try:
        ids, vectors = load_vectors(path)
    except LibraryError:
        return False
    lengths = np.linalg.norm(vectors, axis=1)
    if set(ids) != set(library.chunks(key, version)) or not bool(
        (np.abs(lengths - 1) < OFF_UNIT).all()
    ):
        return False
    record = {**asdict(file_sum(path)), "chunks": of_chunks}
    write_whole(sum_path(path), json.dumps(record).encode())
    return True


def _noted_chunks(path: Path) -> object:
    return json.loads(sum_path(path).read_bytes()).get("chunks")
