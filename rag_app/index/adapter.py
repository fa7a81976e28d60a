"""LoRA adapters: low-rank changes to a base's weights, which ship here, how they are merged."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rag_app.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

ADAPTER_FILE = "adapter.safetensors"
"""Two matrices for each weight W (out, in) that was trained: ``<W's name>.lora_A`` (rank, in) and
``<W's name>.lora_B`` (out, rank), named as in the base's own model.safetensors."""
ADAPTER_RECORD = "adapter.json"
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


def merge_adapter(weights: Mapping[str, Tensor], folder: Path) -> None:
    """Add an adapter's changes to the loaded base's weights in place: a query then costs the same.

    Source: Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models".

    Raises:
        ModelError: the adapter is damaged, or is one of another base.
    """
    import torch
    from safetensors.torch import load_file

    adapter = Adapter.load(folder)
    matrices = load_file(folder / ADAPTER_FILE)
    try:
        with torch.no_grad():
            for name in {key.rpartition(".")[0] for key in matrices}:
                down, up = (matrices[f"{name}.lora_{part}"].float() for part in "AB")
                weights[name] += (adapter.scale * (up @ down)).to(weights[name].device)
    except (KeyError, RuntimeError) as error:
        raise ModelError(
            f"The adapter at {folder} does not fit {adapter.base} ({error}); train it anew."
        ) from None
