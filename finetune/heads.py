"""The numeric recipe's own layers: a projection and a regression head for each dimension."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Dense, Normalize
from torch import Tensor, nn
from torch.nn import functional

from rag_app.errors import TrainingError


def add_projections(
    base: SentenceTransformer, dims: Sequence[int], max_tokens: int
) -> SentenceTransformer:
    """Encoder and pooling of ``base``, then one linear map whose rows are the blocks of ``dims``.

    Separate projections to 256, 128 and 64 are one map to 448 coordinates; so saved, the model
    is made of stock modules and loads anywhere without code of ours. Each block's rows are
    orthogonal at first, which keeps the base's cosines nearly as they are.

    Raises:
        TrainingError: the base does not say how wide its vectors are.
    """
    modules = [module for module in base if not isinstance(module, Normalize)]
    width = base.get_embedding_dimension()
    if width is None:
        raise TrainingError("The base does not say how wide its vectors are; choose another.")
    weights = torch.cat([nn.init.orthogonal_(torch.empty(dim, width)) for dim in dims])
    dense = Dense(
        width,
        sum(dims),
        activation_function=nn.Identity(),
        init_weight=weights,
        init_bias=torch.zeros(sum(dims)),
    )
    prompts = {name: prompt or "" for name, prompt in base.prompts.items()}
    model = SentenceTransformer(modules=[*modules, dense], prompts=prompts)
    model.max_seq_length = min(max_tokens, model.max_seq_length or max_tokens)
    return model


class RegressionHeads(nn.Module):
    """One linear head a dimension, each on its own block's unit vector."""

    def __init__(self, dims: Sequence[int]) -> None:
        super().__init__()
        self.dims = tuple(dims)
        # At first every prediction is 0, which is the training mean.
        self.weights = nn.ParameterList([torch.zeros(dim) for dim in dims])
        self.biases = nn.ParameterList([torch.zeros(()) for _ in dims])

    def forward(self, embeddings: Sequence[Tensor]) -> Tensor:
        """Predicted z-scores (n, len(dims)) of what ``unit_blocks`` gives.

        A unit vector's coordinates shrink as its dimension grows; scaled by its root, one
        learning rate fits every head.
        """
        predicted = [
            vectors @ weights * dim**0.5 + bias
            for vectors, weights, bias, dim in zip(
                embeddings, self.weights, self.biases, self.dims, strict=True
            )
        ]
        return torch.stack(predicted, dim=1)

    def lines(self) -> dict[str, Tensor]:
        """``DIM.weight`` (dim,) and ``DIM.bias`` (), to be applied to unit vectors as they are."""
        return {
            f"{dim}.{name}": value.detach().cpu()
            for dim, weights, bias in zip(self.dims, self.weights, self.biases, strict=True)
            for name, value in (("weight", weights * dim**0.5), ("bias", bias))
        }


def unit_blocks(projected: Tensor, dims: Sequence[int]) -> list[Tensor]:
    """(n, sum of dims) to one (n, dim) tensor of unit rows for each dimension, in fp32."""
    blocks = torch.split(projected.float(), list(dims), dim=1)
    return [functional.normalize(block, dim=1) for block in blocks]
