"""LoRA adapters: low-rank changes to a base's weights, which ship here, how they are merged."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rag_app.errors import ModelError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from torch import Tensor

ADAPTER_FILE = "adapter.safetensors"
"""Two matrices for each weight W (out, in) that was trained: ``<W's name>.lora_A`` (rank, in) and
``<W's name>.lora_B`` (out, rank), named as in the base's own model.safetensors; and, where the
base's vectors were turned, ``turn.weight`` (width, width) and ``turn.bias`` (width)."""
ADAPTER_RECORD = "adapter.json"
TURN = "turn"
SHIPPED = Path(__file__).parent / "shipped"
"""One folder for each tuned model that comes with the project: adapter, record, card."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """What ``adapter.json`` says of the ``adapter.safetensors`` beside it.

    ``base`` is the name of the model that was tuned, ``base_sha256`` the hash of its
    model.safetensors and ``sha256`` the adapter's own; W becomes W + ``scale`` · B · A.
    """

    base: str
    base_sha256: str
    sha256: str
    scale: float
    dims: tuple[int, ...]
    query_prompt: str
    document_prompt: str

    @classmethod
    def load(cls, folder: Path) -> Adapter:
        """Read the record of an adapter's folder and hold the weights to its hash.

        Raises:
            ModelError: a file is missing or malformed, or the weights are other ones.
        """
        try:
            record = json.loads((folder / ADAPTER_RECORD).read_text("utf-8"))
            adapter = cls(**record | {"dims": tuple(map(int, record["dims"]))})
            weights = (folder / ADAPTER_FILE).read_bytes()
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ModelError(
                f"The adapter at {folder} cannot be read ({type(error).__name__}: {error}); "
                "restore that folder or install the project again."
            ) from None
        if hashlib.sha256(weights).hexdigest() != adapter.sha256:
            raise ModelError(
                f"{folder / ADAPTER_FILE} is not the file that {ADAPTER_RECORD} was written for; "
                "restore that folder or install the project again."
            )
        return adapter


def shipped_models() -> dict[str, Path]:
    """Name → folder of the tuned models that come with the project."""
    return {path.parent.name: path.parent for path in sorted(SHIPPED.glob(f"*/{ADAPTER_RECORD}"))}


def apply_adapter(model: SentenceTransformer, folder: Path) -> None:
    """Add an adapter's changes to the loaded base in place: a query then costs the same.

    Source: Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models".

    Raises:
        ModelError: the adapter is damaged, or is one of another base.
    """
    import torch
    from safetensors.torch import load_file

    adapter = Adapter.load(folder)
    matrices = load_file(folder / ADAPTER_FILE)
    turn = [matrices.pop(f"{TURN}.{part}", None) for part in ("weight", "bias")]
    assert model.transformers_model is not None  # the base's hash is the tuned one's
    weights = dict(model.transformers_model.named_parameters())
    try:
        with torch.no_grad():
            for name in {key.rpartition(".")[0] for key in matrices}:
                down, up = (matrices[f"{name}.lora_{part}"].float() for part in "AB")
                weights[name].add_((adapter.scale * (up @ down)).to(weights[name].device))
        if turn[0] is not None and turn[1] is not None:
            add_turn(model, turn[0], turn[1])
    except (KeyError, RuntimeError) as error:
        raise ModelError(
            f"The adapter at {folder} does not fit {adapter.base} ({error}); train it anew."
        ) from None


def add_turn(model: SentenceTransformer, weight: Tensor, bias: Tensor) -> None:
    """Put a linear layer behind the model's own unit vectors, and unit length behind that."""
    import torch
    from sentence_transformers.sentence_transformer.modules import Dense, Normalize

    layer = Dense(weight.shape[1], weight.shape[0], activation_function=torch.nn.Identity())
    with torch.no_grad():
        layer.linear.weight.copy_(weight)
        layer.linear.bias.copy_(bias)
    unit = [] if isinstance(model[-1], Normalize) else [Normalize()]
    for module in (*unit, layer, Normalize()):
        model.append(module.to(model.device))
