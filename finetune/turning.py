"""A base turned to its principal axes before it trains, so that its first coordinates hold most.

The first 64 coordinates of an untuned model are no better than any other 64; along its principal
axes they are the best linear choice of 64. The turn is a linear layer after the base's own unit
vectors. Full width loses nothing by it, and the layer trains with the rest (eval/NOTES.md).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from eval.axes import principal_axes
from rag_app.index.adapter import add_turn
from rag_app.index.embedder import Embedder
from rag_app.index.models import ModelSpec
from rag_app.sealed import write_whole

if TYPE_CHECKING:
    from datasets import Dataset
    from sentence_transformers import SentenceTransformer

AXES_FILE = "axes.safetensors"
SAMPLE = 3_000
"""So many questions, and as many passages, tell the axes of a few hundred coordinates."""


def write_axes(spec: ModelSpec, pairs: Dataset, path: Path, seed: int) -> None:
    """Find the base's principal axes over training texts, and write them as a linear layer.

    A run that goes on keeps those it began with.
    """
    from safetensors.numpy import save

    if path.exists():
        return
    drawn = np.random.default_rng(seed).permutation(len(pairs))[:SAMPLE]
    rows = pairs.select(sorted(drawn.tolist()))
    base = Embedder(spec)
    vectors = np.concatenate(
        [base.encode_queries(rows["anchor"][:]), base.encode_documents(rows["positive"][:])]
    )
    found = principal_axes(vectors)
    layer = {"weight": found.axes, "bias": -found.axes @ found.mean}
    parts = {name: np.ascontiguousarray(part, np.float32) for name, part in layer.items()}
    write_whole(path, save(parts))


def turn(model: SentenceTransformer, path: Path) -> None:
    """Put the written layer behind the model's own vectors, and unit length behind that."""
    from safetensors.torch import load_file

    layer = load_file(path)
    add_turn(model, layer["weight"], layer["bias"])
