"""The OpenVINO encoder: the same model, converted once, several times as fast on a processor.

A converted model encodes without torch or sentence-transformers, whose imports take seconds.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rag_app.errors import ModelError
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


FEW_TEXTS = 48
"""Up to here a call is one that a person waits for; ingest encodes 128 texts at a time."""


class Compiled:
    """The model compiled for so many batches at once, and its requests that wait for work."""

    def __init__(self, model: CompiledModel, streams: int) -> None:
        self.streams = streams
        self._model = model
        self._idle: deque[InferRequest] = deque()

    def take(self) -> InferRequest:
        """A request that nobody else has; to make one takes a tenth of a question's time."""
        try:
            return self._idle.pop()
        except IndexError:
            return self._model.create_infer_request()

    def give(self, request: InferRequest) -> None:
        """Take back a request whose work is done."""
        self._idle.append(request)


class OpenVinoEncoder:
    """A converted model, compiled for this processor; no text split.

    It is compiled twice, each at its first use: with all threads on one batch, which halves the
    time of a question, and with one batch a thread, which takes a seventh off that of many texts.
    """

    name = OPENVINO

    def __init__(self, folder: Path, spec: ModelSpec, conversion: Conversion) -> None:
        self._prompts = {"query": spec.query_prompt, "document": spec.document_prompt}
        self._tokens = Tokens(
            folder / TOKENIZER, max_tokens=conversion.max_tokens, pad_id=conversion.pad_id
        )
        self._file, self._model = folder / MODEL, spec.name
        with _plain_errors(spec.name):
            self._core = import_openvino().Core()
            able = self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self.precision = conversion.precision if conversion.precision.upper() in able else "f32"
        self._compiled: dict[int, Compiled] = {}
        self._compiling = threading.Lock()
        self._compiled_for(1)  # what cannot be compiled is said at once

    def _compiled_for(self, streams: int) -> Compiled:
        with self._compiling:
            if streams not in self._compiled:
                options = {
                    "INFERENCE_PRECISION_HINT": self.precision,
                    "NUM_STREAMS": streams,
                    "INFERENCE_NUM_THREADS": processor_threads(),
                }
                with _plain_errors(self._model):
                    model = self._core.compile_model(str(self._file), "CPU", options)
                self._compiled[streams] = Compiled(model, streams)
            return self._compiled[streams]

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
        compiled = self._compiled_for(1 if len(texts) <= FEW_TEXTS else processor_threads())
        # No callbacks: one that is still returning when Python ends would abort the process.
        running: deque[tuple[list[int], InferRequest]] = deque()
        parts: dict[int, NDArray[np.float32]] = {}

        def finish_oldest() -> None:
            rows, request = running.popleft()
            request.wait()
            parts.update(zip(rows, request.get_output_tensor(0).data.copy(), strict=True))
            compiled.give(request)

        for rows, tokens, mask in self._tokens.batches([prompt + text for text in texts]):
            if len(running) == compiled.streams:
                finish_oldest()
            request = compiled.take()
            request.start_async([tokens, mask])
            running.append((rows, request))
        while running:
            finish_oldest()
        return np.stack([parts[row] for row in range(len(texts))])


def open_converted(spec: ModelSpec, cache: Path, load: LoadModel) -> OpenVinoEncoder:
    """Open the converted model, after converting it where that was not done yet.

    Raises:
        ModelError: OpenVINO cannot convert or run the model, or does not give its vectors.
        LibraryError: the disk is full or read-only.
    """

    def convert(folder: Path) -> Conversion:
        from rag_app.index.conversion import convert_model

        return convert_model(spec, load(), folder)

    folder, conversion = open_conversion(cache, OPENVINO, version("openvino"), spec, convert)
    return OpenVinoEncoder(folder, spec, conversion)


@contextmanager
def _plain_errors(model: str) -> Iterator[None]:
    """OpenVINO raises ``RuntimeError`` for all that fails, with lines of its own source."""
    try:
        yield
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"OpenVINO cannot run {model} ({reason}).") from None


def import_openvino() -> Any:
    """Import openvino without its telemetry, which would report each import to its makers.

    OpenVINO takes its own stub where the package ``openvino_telemetry`` cannot be imported.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino
