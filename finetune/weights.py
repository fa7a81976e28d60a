"""Weights in safetensors: those that train, their mean over seeds, the way back to the base."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rag_app.errors import TrainingError

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module, Parameter


def trained_parameters(model: Module) -> dict[str, Parameter]:
    """Name → parameter, of those that training changes."""
    return {name: weight for name, weight in model.named_parameters() if weight.requires_grad}


def all_finite(model: Module) -> bool:
    """Whether every weight that trains is a finite number."""
    return all(bool(weight.isfinite().all()) for weight in trained_parameters(model).values())


def save_trained(model: Module, path: Path) -> None:
    """Write the weights that train."""
    from safetensors.torch import save_file

    save_file(
        {name: weight.detach().contiguous() for name, weight in trained_parameters(model).items()},
        path,
    )


def load_trained(model: Module, path: Path) -> None:
    """Read what ``save_trained`` wrote back into the same kind of model.

    Raises:
        TrainingError: the file is of another model.
    """
    import torch
    from safetensors.torch import load_file

    stored, own = load_file(path), trained_parameters(model)
    if stored.keys() != own.keys():
        raise TrainingError(f"{path} holds the weights of another model; start that run over.")
    with torch.no_grad():
        for name, weight in own.items():
            weight.copy_(stored[name])


def blend(base: Module, paths: Sequence[Path], base_share: float) -> None:
    """Turn the base into the mean of trained weights, less ``base_share`` of the way back.

    Means: Wortsman et al. 2022, "Model soups"; the way back: Wortsman et al. 2022, "Robust
    fine-tuning of zero-shot models".
    """
    import torch
    from safetensors.torch import load_file

    own = trained_parameters(base)
    sums: dict[str, Tensor] = {name: torch.zeros_like(weight) for name, weight in own.items()}
    for path in paths:
        for name, weight in load_file(path).items():
            sums[name] += weight.to(sums[name].device)
    with torch.no_grad():
        for name, weight in own.items():
            weight.lerp_(sums[name] / len(paths), 1 - base_share)
