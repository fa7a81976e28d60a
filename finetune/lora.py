"""Low-rank training: matrices beside the linear layers, then an adapter and its merge."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from rag_app.errors import TrainingError
from rag_app.index.adapter import TURN

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from torch import Tensor
    from transformers import PreTrainedModel

SCALE = 2.0
"""A weight W becomes W + SCALE · B · A, whatever the rank."""


def add_matrices(model: SentenceTransformer, rank: int) -> None:
    """Freeze the network and give its attention and feed-forward layers matrices that train.

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
    network.requires_grad_(False)
    lora = LoraConfig(r=rank, lora_alpha=int(SCALE * rank), target_modules=layers, lora_dropout=0.0)
    inject_adapter_in_model(lora, network)


def stored_matrices(
    model: SentenceTransformer, path: Path, share: float = 1.0
) -> dict[str, Tensor]:
    """What ``save_trained`` wrote of a low-rank run, named as an adapter names it.

    ``share`` scales what it changes in ``model``, which stands as it did before training.
    """
    from safetensors.torch import load_file

    network = _network(model)
    prefix = next(name for name, module in model.named_modules() if module is network)
    before = dict(model.named_parameters())
    matrices = {}
    for name, tensor in load_file(path).items():
        if name in before:  # the turn's layer, which trains whole
            part = name.rpartition(".")[2]
            matrices[f"{TURN}.{part}"] = before[name].detach().lerp(tensor, share)
        else:
            layer, part, _ = name.removeprefix(f"{prefix}.").rsplit(".", 3)[:3]
            matrices[f"{layer}.weight.{part}"] = tensor * (share if part == "lora_B" else 1.0)
    return matrices


def _network(model: SentenceTransformer) -> PreTrainedModel:
    return cast("PreTrainedModel", model.transformers_model)
