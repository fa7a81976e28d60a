"""Texts to unit vectors: the one place of prompts, truncation and normalisation."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag_app.errors import ModelError, RagError
from rag_app.index.encoder_torch import load_model
from rag_app.index.encoders import TORCH, Encoder, Kind, open_encoder
from rag_app.index.encoders import Vectors as Vectors
from rag_app.index.models import ModelSpec

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

RUN_TEXTS = 128
"""Texts given to the encoder at a time, between two steps of a progress bar."""


def truncate(vectors: Vectors, dim: int, start: int = 0) -> Vectors:
    """Keep ``dim`` coordinates from ``start`` on and renormalise: (n, width) to (n, dim).

    Rows come out unit length. ``start`` is the model's ``start_of(dim)``: 0 for a Matryoshka model.

    Truncating alone leaves rows shorter than 1 and turns inner products into something else than
    cosines (Kusupati et al. 2022, "Matryoshka Representation Learning", renormalise likewise).

    Raises:
        ValueError: the vectors are narrower than ``dim``.
    """
    if vectors.shape[1] < start + dim:
        raise ValueError(f"vectors of width {vectors.shape[1]} cannot be cut to {dim} from {start}")
    kept = np.asarray(vectors[:, start : start + dim], dtype=np.float32)
    norms = np.linalg.norm(kept, axis=1, keepdims=True)
    return np.asarray(kept / np.maximum(norms, np.finfo(np.float32).tiny), dtype=np.float32)


class Embedder:
    """An embedding model that is loaded at its first use, and run by the encoder that is named.

    Training, evaluation and serving all encode through this class, so that a gain that is
    measured is the gain that is served. Encoders agree to a cosine of .9999 on every text
    (``conversion.py`` holds them to it), so vectors do not record which one made them.
    Safe to use from several threads at once.
    """

    def __init__(self, spec: ModelSpec, *, encoder: str = TORCH, cache: Path | None = None) -> None:
        self.spec = spec
        self._encoder_name, self._cache = encoder, cache
        self._model: SentenceTransformer | None = None
        self._encoder: Encoder | None = None
        self._loading, self._choosing = threading.Lock(), threading.Lock()

    @property
    def model(self) -> SentenceTransformer:
        """The torch model, for training; loading takes seconds, mostly the import of torch.

        Raises:
            ModelError: the folder does not load as a sentence-transformers model.
        """
        with self._loading:
            if self._model is None:
                self._model = load_model(self.spec)
            return self._model

    @property
    def encoder(self) -> Encoder:
        """What encodes; opened at the first use.

        Raises:
            ModelError: the model does not load, or the encoder asked for cannot run it.
        """
        with self._choosing:
            if self._encoder is None:
                self._encoder = open_encoder(
                    self._encoder_name, self.spec, self._cache, lambda: self.model
                )
            return self._encoder

    def open_soon(self) -> None:
        """Open the encoder in a thread, while the caller imports and opens what else it needs.

        Hashing and compiling leave the interpreter free. What fails there is raised at the first
        use, which tries again.
        """
        threading.Thread(target=self._open_quietly, name="encoder").start()

    def _open_quietly(self) -> None:
        with contextlib.suppress(RagError):
            self.encoder  # noqa: B018

    def encode_queries(self, queries: Sequence[str]) -> Vectors:
        """Encode queries with the query prompt: (n, width) float32 unit rows."""
        return self._encode(queries, "query", None)

    def encode_documents(
        self, texts: Sequence[str], on_progress: Callable[[int], None] | None = None
    ) -> Vectors:
        """Encode passages with the document prompt: (n, width) float32 unit rows.

        ``on_progress`` is called with the number of texts done since its last call.
        """
        return self._encode(texts, "document", on_progress)

    def check_fits(self, texts: Sequence[str]) -> None:
        """Hold passages to what the model reads, prompt included; it would cut the rest silently.

        Raises:
            ModelError: some are longer; the message says how many.
        """
        limit = self.encoder.max_tokens
        if limit is None:
            return
        counts = self.encoder.count_tokens([self.spec.document_prompt + text for text in texts])
        long = [count for count in counts if count > limit]
        if long:
            raise ModelError(
                f"Model {self.spec.name} reads {limit} tokens, and {len(long)} chunks have up to "
                f"{max(long)}, whose ends could not be found; choose a model that reads more."
            )

    def _encode(
        self, texts: Sequence[str], kind: Kind, on_progress: Callable[[int], None] | None
    ) -> Vectors:
        width = self.spec.width
        vectors = np.zeros((len(texts), width), dtype=np.float32)
        # Longest first, in runs of some batches: little padding, and memory peaks at the start.
        order = sorted(range(len(texts)), key=lambda row: -len(texts[row]))
        for start in range(0, len(order), RUN_TEXTS):
            rows = order[start : start + RUN_TEXTS]
            vectors[rows] = self.encoder.encode([texts[row] for row in rows], kind)
            if on_progress:
                on_progress(len(rows))
        if not np.isfinite(vectors).all():
            raise ModelError(f"Model {self.spec.name} gave vectors that are not finite numbers.")
        return truncate(vectors, width)
