"""The torch encoder: loads a sentence-transformers model, and encodes with it as it is."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rag_app.errors import ModelError
from rag_app.index.adapter import apply_adapter
from rag_app.index.encoders import TORCH, Kind, Vectors
from rag_app.index.models import ModelSpec

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

BATCH_TEXTS = 32


def load_model(spec: ModelSpec) -> SentenceTransformer:
    """Load a model with its prompts; seconds go by, mostly in the import of torch.

    Raises:
        ModelError: the folder does not load as a sentence-transformers model, or its adapter is
            damaged.
    """
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    # 0.1 s of "Loading weights" is noise in a CLI.
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        model = SentenceTransformer(
            str(spec.folder),
            prompts={"query": spec.query_prompt, "document": spec.document_prompt},
            local_files_only=True,
            model_kwargs={"use_safetensors": True},
        )
    except Exception as error:
        raise ModelError(f"Model {spec.name} does not load from {spec.folder}: {error}") from error
    if spec.adapter:
        apply_adapter(model, spec.adapter)
    return model


class TorchEncoder:
    """Sentence-transformers' own ``encode``, on the processor or a GPU."""

    name, precision = TORCH, "f32"

    def __init__(self, model: SentenceTransformer) -> None:
        self._model = model
        # A tokenizer that two threads set to truncate at once raises "Already borrowed".
        self._lock = threading.Lock()

    @property
    def max_tokens(self) -> int | None:
        """As ``Encoder.max_tokens``."""
        return self._model.max_seq_length

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """As ``Encoder.count_tokens``."""
        with self._lock:
            tokens = self._model.tokenizer(list(texts), verbose=False)["input_ids"]
        return [len(ids) for ids in tokens]

    def encode(self, texts: Sequence[str], kind: Kind) -> Vectors:
        """As ``Encoder.encode``; another thread waits for a batch, not for all of the texts."""
        parts = []
        for start in range(0, len(texts), BATCH_TEXTS):
            with self._lock:
                parts.append(
                    self._model.encode(
                        list(texts[start : start + BATCH_TEXTS]),
                        prompt_name=kind,
                        batch_size=BATCH_TEXTS,
                        convert_to_numpy=True,
                        show_progress_bar=False,
                    )
                )
        return np.concatenate(parts)
