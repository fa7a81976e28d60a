"""A cross-encoder that reads question and passage together and orders the best candidates anew."""

from __future__ import annotations

import functools
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag_app.errors import ModelError
from rag_app.index.fusion import Scores

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

RERANKED = 30
"""Candidates that are read: each costs as much as encoding a passage."""


class Reranker:
    """A sentence-transformers CrossEncoder that is loaded at its first use."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self._folder = folder
        self._model: CrossEncoder | None = None
        self._loading = threading.Lock()

    def scores(self, question: str, passages: Sequence[str]) -> Scores:
        """How well each passage answers the question, (n,); higher is better.

        Raises:
            ModelError: the folder does not load as a CrossEncoder with one score a pair.
        """
        model = self._loaded()
        found = model.predict(
            [(question, passage) for passage in passages], show_progress_bar=False
        )
        scores = np.asarray(found, dtype=np.float64)
        if scores.shape != (len(passages),) or not np.isfinite(scores).all():
            raise ModelError(
                f"The reranker {self.name} does not give one finite score a passage; name a "
                "CrossEncoder with a single label, or set reranker to nothing."
            )
        return scores

    def _loaded(self) -> CrossEncoder:
        with self._loading:
            if self._model is None:
                self._model = self._load()
            return self._model

    def _load(self) -> CrossEncoder:
        from sentence_transformers import CrossEncoder
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            model: CrossEncoder = CrossEncoder(
                str(self._folder),
                local_files_only=True,
                model_kwargs={"use_safetensors": True},
            )
            return model
        except Exception as error:
            raise ModelError(
                f"The reranker {self.name} does not load from {self._folder}: {error}"
            ) from error


@functools.lru_cache(maxsize=2)
def open_reranker(name: str) -> Reranker:
    """The reranker of a folder, or of a hub name, which is fetched once.

    Raises:
        ModelError: there is neither, or it holds no safetensors.
    """
    from rag_app.index.models import download_model

    folder = Path(name).expanduser()
    if not (folder / "config.json").exists():
        if folder.exists() or name.count("/") != 1 or name[0] in "./~":
            raise ModelError(
                f"There is no reranker at {name}; name the folder of a saved CrossEncoder or a hub "
                "model such as cross-encoder/ms-marco-MiniLM-L6-v2, or set reranker to nothing."
            )
        folder = download_model(name)
    if not (folder / "model.safetensors").exists():
        raise ModelError(
            f"The reranker {name} has no model.safetensors; save it with safe_serialization."
        )
    return Reranker(name, folder)
