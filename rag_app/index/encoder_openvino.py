"""The OpenVINO encoder: the same model, converted once, several times as fast on a processor.

A converted model encodes without torch or sentence-transformers, whose imports take seconds.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rag_app.index.converted import TOKENIZER, Conversion, open_conversion
from rag_app.index.encoders import OPENVINO, Kind, LoadModel, Vectors
from rag_app.index.models import ModelSpec
from rag_app.index.tokens import Tokens
from rag_app.settings import processor_threads

if TYPE_CHECKING:
    from openvino import CompiledModel, InferRequest

MODEL = "model.xml"
PRECISIONS = ("bf16", "f32")
"""Fastest first. bf16 only where the processor multiplies in it (AVX512_BF16, AMX)."""


class OpenVinoEncoder:
    """A converted model, compiled for this processor: one stream a thread, no text split."""

    name = OPENVINO

    def __init__(self, folder: Path, spec: ModelSpec, conversion: Conversion) -> None:
        self._prompts = {"query": spec.query_prompt, "document": spec.document_prompt}
        self._tokens = Tokens(
            folder / TOKENIZER, max_tokens=conversion.max_tokens, pad_id=conversion.pad_id
        )
        self._streams = processor_threads()
        self.precision, self._compiled = self._compile(folder / MODEL, conversion.precision)

    def _compile(self, file: Path, precision: str) -> tuple[str, CompiledModel]:
        core = import_openvino().Core()
        if precision.upper() not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            precision = "f32"
        options = {
            "INFERENCE_PRECISION_HINT": precision,
            "NUM_STREAMS": self._streams,
            "INFERENCE_NUM_THREADS": self._streams,
        }
        return precision, core.compile_model(str(file), "CPU", options)

    @property
    def max_tokens(self) -> int | None:
        """As ``Encoder.max_tokens``."""
        return self._tokens.max_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """As ``Encoder.count_tokens``."""
        return self._tokens.count(texts)

    def encode(self, texts: Sequence[str], kind: Kind) -> Vectors:
        """As ``Encoder.encode``. Each call has requests of its own, so none waits for another."""
        prompt = self._prompts[kind]
        # No callbacks: one that is still returning when Python ends would abort the process.
        free = deque(self._compiled.create_infer_request() for _ in range(self._streams))
        running: deque[tuple[list[int], InferRequest]] = deque()
        parts: dict[int, NDArray[np.float32]] = {}

        def finish_oldest() -> None:
            rows, request = running.popleft()
            request.wait()
            parts.update(zip(rows, request.get_output_tensor(0).data.copy(), strict=True))
            free.append(request)

        for rows, tokens, mask in self._tokens.batches([prompt + text for text in texts]):
            if not free:
                finish_oldest()
            request = free.popleft()
            request.start_async([tokens, mask])
            running.append((rows, request))
        while running:
            finish_oldest()
        return np.stack([parts[row] for row in range(len(texts))])


def open_converted(spec: ModelSpec, cache: Path, load: LoadModel) -> OpenVinoEncoder:
    """Open the converted model, after converting it where that was not done yet.

    Raises:
        ModelError: OpenVINO cannot convert the model, or does not give its vectors.
        LibraryError: the disk is full or read-only.
    """

    def convert(folder: Path) -> Conversion:
        from rag_app.index.conversion import convert_model

        return convert_model(spec, load(), folder)

    folder, conversion = open_conversion(cache, OPENVINO, version("openvino"), spec, convert)
    return OpenVinoEncoder(folder, spec, conversion)


def import_openvino() -> Any:
    """Import openvino without its telemetry, which would report each import to its makers.

    OpenVINO takes its own stub where the package ``openvino_telemetry`` cannot be imported.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino
