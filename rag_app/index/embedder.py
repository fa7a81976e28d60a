"""Texts to unit vectors: the one place of prompts, truncation and normalisation."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rag_app.errors import ModelError
from rag_app.index.adapter import merge_adapter
from rag_app.index.models import ModelSpec

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Vectors = NDArray[np.float32]


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
    """A sentence-transformers model that is loaded at its first use.

    Training, evaluation and serving all encode through this class, so that a gain that is
    measured is the gain that is served.
    """

    def __init__(self, spec: ModelSpec, *, batch_size: int = 32) -> None:
        self.spec = spec
        self.batch_size = batch_size
        self._model: SentenceTransformer | None = None
        self._loading = threading.Lock()

    @property
    def model(self) -> SentenceTransformer:
        """The loaded model; loading takes seconds, mostly the import of torch.

        Raises:
            ModelError: the folder does not load as a sentence-transformers model.
        """
        with self._loading:
            if self._model is None:
                self._model = self._load()
            return self._model

    def _load(self) -> SentenceTransformer:
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        # 0.1 s of "Loading weights" is noise in a CLI.
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            model = SentenceTransformer(
                str(self.spec.folder),
                prompts={"query": self.spec.query_prompt, "document": self.spec.document_prompt},
                local_files_only=True,
                model_kwargs={"use_safetensors": True},
            )
        except Exception as error:
            raise ModelError(
                f"Model {self.spec.name} does not load from {self.spec.folder}: {error}"
            ) from error
        if self.spec.adapter:
            assert model.transformers_model is not None  # the base's hash is the tuned one's
            merge_adapter(dict(model.transformers_model.named_parameters()), self.spec.adapter)
        return model

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
        limit = self.model.max_seq_length
        if limit is None:
            return
        prompted = [self.spec.document_prompt + text for text in texts]
        tokens = self.model.tokenizer(prompted, verbose=False)["input_ids"]
        long = [len(ids) for ids in tokens if len(ids) > limit]
        if long:
            raise ModelError(
                f"Model {self.spec.name} reads {limit} tokens, and {len(long)} chunks have up to "
                f"{max(long)}, whose ends could not be found; choose a model that reads more."
            )

    def _encode(
        self, texts: Sequence[str], kind: str, on_progress: Callable[[int], None] | None
    ) -> Vectors:
        width = self.spec.width
        vectors = np.zeros((len(texts), width), dtype=np.float32)
        # Longest first, in runs of a few batches: little padding, and memory peaks at the start.
        order = sorted(range(len(texts)), key=lambda row: -len(texts[row]))
        step = self.batch_size * 4
        for start in range(0, len(order), step):
            rows = order[start : start + step]
            vectors[rows] = self.model.encode(
                [texts[row] for row in rows],
                prompt_name=kind,
                batch_size=self.batch_size,
                convert_to_numpy=True,
                show_progress_bar=False,
            )
            if on_progress:
                on_progress(len(rows))
        if not np.isfinite(vectors).all():
            raise ModelError(f"Model {self.spec.name} gave vectors that are not finite numbers.")
        return truncate(vectors, width)
