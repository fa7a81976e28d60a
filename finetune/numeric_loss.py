"""What a batch costs the numeric recipe's model: Huber on every head, and InfoNCE if wanted."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from sentence_transformers import SentenceTransformer
from torch import Tensor, nn
from torch.nn import functional

from eval.numeric import HUBER_DELTA, Values
from finetune.hardware import Hardware
from finetune.heads import RegressionHeads, unit_blocks
from finetune.numeric_config import NumericConfig
from finetune.numeric_data import NumericPart
from rag_app.index.models import ModelSpec


@dataclass(frozen=True, slots=True)
class Loss:
    """The two terms over one batch, unweighted, and their weighted sum."""

    huber: Tensor
    contrastive: Tensor
    total: Tensor


class Learner:
    """A model with its heads, on a device, in a precision; it knows the recipe's loss."""

    def __init__(
        self,
        model: SentenceTransformer,
        heads: RegressionHeads,
        spec: ModelSpec,
        config: NumericConfig,
        hardware: Hardware,
    ) -> None:
        self.model, self.heads = model.to(hardware.device), heads.to(hardware.device)
        self._both = nn.ModuleDict({"model": self.model, "heads": self.heads})
        self._spec, self._config, self._hardware = spec, config, hardware

    @property
    def device(self) -> str:
        """Where it computes: ``cuda``, ``mps`` or ``cpu``."""
        return self._hardware.device

    def parameters(self) -> list[nn.Parameter]:
        """All that is trained."""
        return list(self._both.parameters())

    def new_parameters(self) -> list[nn.Parameter]:
        """Those of projections and heads, which begin from nothing."""
        return [*self.model[-1].parameters(), *self.heads.parameters()]

    def set_training(self, training: bool) -> None:
        """Switch dropout on or off."""
        self._both.train(training)

    def state(self) -> dict[str, Tensor]:
        """A copy of all weights."""
        return {name: value.detach().clone() for name, value in self._both.state_dict().items()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Put weights back and switch dropout off."""
        self._both.load_state_dict(state)
        self.set_training(False)

    def loss(self, part: NumericPart, z: Values, rows: Sequence[int]) -> Loss:
        """The loss of some rows of a part, whose targets are ``z``; a weight of 0 costs no time."""
        numeric, joint = self._config.numeric_weight, self._config.contrastive_weight
        off = torch.zeros((), device=self._hardware.device)
        huber = self._huber(part, z, rows) if numeric else off
        contrastive = self._contrastive(part, rows) if joint else off
        return Loss(huber, contrastive, numeric * huber + joint * contrastive)

    @torch.no_grad()
    def mean_losses(self, part: NumericPart, z: Values) -> tuple[float, float]:
        """Huber and contrastive loss over a whole part, without dropout, in its own order."""
        self.set_training(False)
        sums = [0.0, 0.0]
        for rows in batches(range(len(part.texts)), self._config.batch_size):
            loss = self.loss(part, z, rows)
            sums[0] += loss.huber.item() * len(rows)
            sums[1] += loss.contrastive.item() * len(rows)
        return sums[0] / len(part.texts), sums[1] / len(part.texts)

    def _huber(self, part: NumericPart, z: Values, rows: Sequence[int]) -> Tensor:
        """Mean over rows and heads."""
        texts = [part.texts[row] for row in rows]
        predicted = self.heads(self._embed(texts, self._spec.document_prompt))
        target = torch.tensor(z[list(rows)], dtype=torch.float32, device=predicted.device)
        return functional.huber_loss(
            predicted, target[:, None].expand_as(predicted), delta=HUBER_DELTA
        )

    def _contrastive(self, part: NumericPart, rows: Sequence[int]) -> Tensor:
        """InfoNCE of questions against the batch's passages, mean over rows and dimensions.

        Passages of a question's own page, other than its own, are no negatives of it.
        """
        examples = [part.examples[row] for row in rows]
        asked = self._embed([one.question for one in examples], self._spec.query_prompt)
        passages = [part.passages[row] for row in rows]
        answers = self._embed(passages, self._spec.document_prompt)
        own = torch.arange(len(rows), device=self._hardware.device)
        same_page = torch.tensor([[a.page == b.page for b in examples] for a in examples])
        masked = (same_page & ~torch.eye(len(rows), dtype=torch.bool)).to(own.device)
        losses = [
            functional.cross_entropy(
                (query @ passage.T / self._config.temperature).masked_fill(masked, -math.inf), own
            )
            for query, passage in zip(asked, answers, strict=True)
        ]
        return torch.stack(losses).mean()

    def _embed(self, texts: Sequence[str], prompt: str) -> list[Tensor]:
        """One (n, dim) tensor of unit rows a dimension, computed as ``Embedder`` does."""
        device = self._hardware.device
        features = {
            name: value.to(device) if isinstance(value, Tensor) else value
            for name, value in self.model.preprocess([prompt + text for text in texts]).items()
        }
        with torch.autocast(device, torch.bfloat16, enabled=self._hardware.bf16):
            projected = self.model(features)["sentence_embedding"]
        return unit_blocks(projected, self._config.dims)


def batches(rows: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    """Rows in runs of ``size``; the last may be shorter."""
    return (rows[start : start + size] for start in range(0, len(rows), size))
