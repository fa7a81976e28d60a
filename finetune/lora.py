"""Low-rank training: matrices beside the linear layers, then an adapter and its merge."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from rag_app.errors import TrainingError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from torch import Tensor
    from transformers import PreTrainedModel

SCALE = 2.0
"""A weight W becomes W + SCALE · B · A, whatever the rank."""


def add_matrices(model: SentenceTransformer, rank: int) -> None:
    """Freeze the model and give its attention and feed-forward layers matrices that train.

    Source: Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models".

    Raises:
        TrainingError: the model has no linear layers.
    """
    from peft import LoraConfig, inject_adapter_in_model
    from torch.nn import Linear

    network = _network(model)
    layers = [
        name
        for name, module in network.named_modules()
        # The pooler, where there is one, has no part in the embedding.
        if isinstance(module, Linear) and not name.startswith("pooler")
    ]
    if not layers:
        raise TrainingError("This base has no linear layers; set `lora_rank` to 0.")
    model.requires_grad_(False)
    lora = LoraConfig(r=rank, lora_alpha=int(SCALE * rank), target_modules=layers, lora_dropout=0.0)
    inject_adapter_in_model(lora, network)


def stored_matrices(
    model: SentenceTransformer, path: Path, share: float = 1.0
) -> dict[str, Tensor]:
    """The matrices that ``save_trained`` wrote, named as an adapter names them.

    ``share`` scales what they add to the weights of ``model``, the base.
    """
    from safetensors.torch import load_file

    network = _network(model)
    prefix = next(name for name, module in model.named_modules() if module is network)
    matrices = {}
    for name, tensor in load_file(path).items():
        layer, part, _ = name.removeprefix(f"{prefix}.").rsplit(".", 3)[:3]
        matrices[f"{layer}.weight.{part}"] = tensor * (share if part == "lora_B" else 1.0)
    return matrices


def _network(model: SentenceTransformer) -> PreTrainedModel:
    return cast("PreTrainedModel", model.transformers_model)
