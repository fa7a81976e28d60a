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
    """Read chunk ids and their (n, width) float32 vectors through a memory map.

    Raises:
        LibraryError: the file is missing or damaged.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            ids = json.loads(file.metadata()["chunk_ids"])
            vectors: Vectors = file.get_tensor("vectors")
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise LibraryError(
            f"The vectors in {path} cannot be read ({type(error).__name__}); remove the file and "
            "run `python -m rag_app index`."
        ) from error
    if len(ids) != len(vectors):
        raise LibraryError(f"{path} names {len(ids)} chunks for {len(vectors)} rows; remove it.")
    return ids, vectors
