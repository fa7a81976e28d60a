"""Full-width vectors on disk: one safetensors file a filing version and model.

The chunk ids stand in the file's own header, so that rows are joined to chunks by id.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rag_app.errors import LibraryError
from rag_app.index.embedder import Vectors
from rag_app.sealed import write_whole


def save_vectors(path: Path, chunk_ids: Sequence[str], vectors: Vectors) -> None:
    """Write (n, width) float32 vectors with their n chunk ids, whole.

    Raises:
        ValueError: the number of ids is not the number of rows.
    """
    from safetensors.numpy import save

    if len(chunk_ids) != len(vectors):
        raise ValueError(f"{len(chunk_ids)} ids for {len(vectors)} vectors")
    rows = np.ascontiguousarray(vectors, dtype=np.float32)
    write_whole(path, save({"vectors": rows}, metadata={"chunk_ids": json.dumps(list(chunk_ids))}))


def load_vectors(path: Path) -> tuple[list[str], Vectors]:
    """Read chunk ids and their (n, width) float32 vectors into memory.

    Raises:
        LibraryError: the file is missing or damaged.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            ids = json.loads(file.metadata()["chunk_ids"])
            vectors: Vectors = file.get_tensor("vectors")
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise _unreadable(path, error) from error
    return ids, _counted(path, ids, vectors)


def map_vectors(path: Path) -> tuple[list[str], Vectors]:
    """Chunk ids and their (n, width) float32 vectors, which stay on disk until they are read.

    safetensors' own reader copies a tensor for numpy. Its format is eight bytes with the length
    of a JSON header, the header, and the numbers. The map keeps the file open until it is dropped.

    Raises:
        LibraryError: the file is missing or damaged.
    """
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(min(size, path.stat().st_size)))
        ids = json.loads(header["__metadata__"]["chunk_ids"])
        about = header["vectors"]
        start, end = (8 + size + at for at in about["data_offsets"])
        if about["dtype"] != "F32" or end != path.stat().st_size:
            raise ValueError("not these numbers")
        mapped = np.memmap(path, np.float32, "r", start, tuple(about["shape"]))
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise _unreadable(path, error) from error
    # A plain view: np.memmap itself makes every row slower to take.
    return ids, _counted(path, ids, mapped.view(np.ndarray))


def _counted(path: Path, ids: list[str], vectors: Vectors) -> Vectors:
    if len(ids) != len(vectors):
        raise LibraryError(f"{path} names {len(ids)} chunks for {len(vectors)} rows; remove it.")
    return vectors


def _unreadable(path: Path, error: Exception) -> LibraryError:
    return LibraryError(
        f"The vectors in {path} cannot be read ({type(error).__name__}); remove the file and run "
        "`python -m rag_app index`."
    )
