"""What runs an embedding model: the table of encoders, and what ``auto`` chooses here."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from rag_app.errors import LibraryError, ModelError
from rag_app.index.models import ModelSpec

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Vectors = NDArray[np.float32]
Kind = Literal["query", "document"]
LoadModel = Callable[[], "SentenceTransformer"]

AUTO, TORCH, OPENVINO = "auto", "torch", "openvino"
ACCELERATOR_SIGNS = (Path("/dev/nvidiactl"), Path("/dev/kfd"), Path("/dev/dxg"))
"""One of these stands on a Linux machine with a GPU: NVIDIA's, AMD's, Windows' own."""


class Encoder(Protocol):
    """What runs an embedding model; safe to call from several threads at once."""

    name: str
    precision: str

    @property
    def max_tokens(self) -> int | None:
        """How many tokens of a text the model reads, prompt included; None: all."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text has before it is cut."""

    def encode(self, texts: Sequence[str], kind: Kind) -> Vectors:
        """Put the prompt of a kind before each text and encode: (n, width) float32 rows."""


def encoder_cache(home: Path) -> Path:
    """Where converted models are kept; any of it may be removed at any time."""
    return home / "cache" / "encoders"


def open_encoder(name: str, spec: ModelSpec, cache: Path | None, load: LoadModel) -> Encoder:
    """Open the encoder of that name; ``auto`` takes the fastest that gives the model's vectors.

    ``cache`` is the folder where converted models are kept; ``load`` loads the torch model, and
    is only called where that is needed, since it costs seconds.

    Raises:
        ModelError: the encoder asked for is unknown, not installed, or cannot run this model.
        LibraryError: the encoder asked for cannot keep its converted model.
    """
    if name == AUTO:
        name = _fastest(cache)
        if name != TORCH:
            try:
                return ENCODERS[name](spec, cache, load)
            except (ModelError, LibraryError) as error:
                logging.getLogger(__name__).warning(
                    "note: %s encodes with torch, which is slower: %s To be spared this note, set "
                    'encoder = "torch".',
                    spec.name,
                    error,
                )
                name = TORCH
    if name not in ENCODERS:
        known = ", ".join([AUTO, *ENCODERS])
        raise ModelError(f"There is no encoder {name}; choose one of {known}.")
    return ENCODERS[name](spec, cache, load)


def _fastest(cache: Path | None) -> str:
    """OpenVINO on a processor (measured in ``eval/results/encoding.json``), torch on a GPU."""
    if cache is None or find_spec("openvino") is None or _has_accelerator():
        return TORCH
    return OPENVINO


def _has_accelerator() -> bool:
    # Importing torch takes seconds, so it is asked only where there may be one.
    if sys.platform == "linux" and not any(sign.exists() for sign in ACCELERATOR_SIGNS):
        return False
    import torch

    return bool(torch.accelerator.is_available())


def _open_torch(spec: ModelSpec, cache: Path | None, load: LoadModel) -> Encoder:
    from rag_app.index.encoder_torch import TorchEncoder

    return TorchEncoder(load())


def _open_openvino(spec: ModelSpec, cache: Path | None, load: LoadModel) -> Encoder:
    if find_spec("openvino") is None:
        raise ModelError(
            'The encoder "openvino" is not installed; run `pip install openvino`, or set '
            'encoder = "auto".'
        )
    if cache is None:
        raise ModelError("The encoder openvino needs a folder to keep its converted model in.")
    from rag_app.index.encoder_openvino import open_converted

    return open_converted(spec, cache, load)


ENCODERS: dict[str, Callable[[ModelSpec, Path | None, LoadModel], Encoder]] = {
    TORCH: _open_torch,
    OPENVINO: _open_openvino,
}
