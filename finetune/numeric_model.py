"""A numeric model in use: texts in, one unit embedding a dimension and a number a head out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eval.numeric import Scaling, Values
from finetune.model_folder import write_json, write_model
from rag_app.errors import ModelError
from rag_app.index.embedder import Embedder, Vectors, truncate
from rag_app.index.models import TRAINED_DIMS_FILE, ModelSpec, resolve_model

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from finetune.heads import RegressionHeads

HEADS_FILE = "numeric_heads.safetensors"


@dataclass(frozen=True, slots=True)
class Numeric:
    """What the model says of n texts, dimension by dimension.

    ``embeddings`` are (n, dim) unit rows, ``z`` the heads' z-scores (n,), ``answers`` the same as
    numbers on the scale of the training answers.
    """

    embeddings: dict[int, Vectors]
    z: dict[int, Values]
    answers: dict[int, Values]


@dataclass(frozen=True, slots=True)
class NumericModel:
    """A folder that the numeric recipe wrote: the embedder that the app uses, and its heads."""

    embedder: Embedder
    weights: dict[int, NDArray[np.float32]]
    biases: dict[int, float]
    scaling: Scaling

    @classmethod
    def load(cls, name: str, home: Path) -> NumericModel:
        """Open a model by its name under ``home/models`` or by its folder.

        Raises:
            ModelError: no such model, or one without heads.
        """
        return cls.of(resolve_model(name, home))

    @classmethod
    def of(cls, spec: ModelSpec) -> NumericModel:
        """Open a model that is found already.

        Raises:
            ModelError: it has no heads, or they do not fit its dimensions.
        """
        from safetensors import SafetensorError, safe_open

        path = spec.folder / HEADS_FILE
        try:
            with safe_open(path, framework="numpy") as file:
                scaling = Scaling(**json.loads(file.metadata()["scaling"]))
                weights = {dim: file.get_tensor(f"{dim}.weight") for dim in spec.dims}
                biases = {dim: float(file.get_tensor(f"{dim}.bias")) for dim in spec.dims}
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"{spec.name} has no usable {HEADS_FILE} ({type(error).__name__}); train one with "
                "`python -m finetune --recipe numeric`."
            ) from None
        return cls(Embedder(spec), weights, biases, scaling)

    def predict(self, texts: Sequence[str]) -> Numeric:
        """Embed texts, ``Question: … Context: …`` for an answer's number, and read the heads."""
        vectors = self.embedder.encode_documents(texts)
        spec = self.embedder.spec
        embeddings = {dim: truncate(vectors, dim, spec.start_of(dim)) for dim in spec.dims}
        z = {
            dim: np.asarray(rows @ self.weights[dim] + self.biases[dim], dtype=np.float64)
            for dim, rows in embeddings.items()
        }
        answers = {dim: self.scaling.unscale(values) for dim, values in z.items()}
        return Numeric(embeddings, z, answers)


def write_numeric_model(
    model: SentenceTransformer,
    heads: RegressionHeads,
    starts: Sequence[int],
    scaling: Scaling,
    folder: Path,
) -> None:
    """Write a folder that sentence-transformers opens as it is, and the heads beside it.

    The dimensions stand side by side; the app and eval cut each from its place in ``starts`` on.
    """
    from safetensors.torch import save_file

    write_model(model, heads.dims, folder)
    write_json(folder / TRAINED_DIMS_FILE, {"dims": list(heads.dims), "starts": list(starts)})
    scale = json.dumps({"mean": scaling.mean, "deviation": scaling.deviation})
    save_file(heads.lines(), folder / HEADS_FILE, metadata={"scaling": scale})
