"""A torch model to OpenVINO's files, held to torch's vectors before it may be used."""

from __future__ import annotations

import dataclasses
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rag_app.errors import ModelError
from rag_app.index.converted import TOKENIZER, Conversion
from rag_app.index.encoder_openvino import MODEL, PRECISIONS, OpenVinoEncoder, import_openvino
from rag_app.index.encoder_torch import TorchEncoder
from rag_app.index.encoders import Vectors
from rag_app.index.models import ModelSpec

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

MIN_COSINE = 0.9999
"""Between a text's vectors of the two encoders. Ranks then agree but for ties (eval/NOTES.md)."""
NO_LIMIT = 10**6
"""Tokenizers without a limit name an absurdly large one."""

_SENTENCE = (
    "Net sales increased $9.9 billion, or 6.2%, during fiscal 2023 compared with fiscal 2022, "
    "mainly because of higher prices and the weakness of foreign currencies against the dollar. "
)
PROBES = (
    "",
    "What was NVIDIA's revenue in fiscal 2023?",
    "How did research and development expenses change?",
    _SENTENCE,
    "Item 7. Management's Discussion and Analysis\nRevenue | 2023: 26,974 | 2022: 26,914\n"
    "Cost of revenue | 11,618 | 9,439\nGross profit (loss) | (15,356) | 17,475",
    "The risks below could harm our business; see Note 14, Commitments and Contingencies. " * 9,
    _SENTENCE * 4,
    _SENTENCE * 40,
    "売上高は前年同期比で増加しました。 Выручка выросла на 6 %. Η επιχείρηση 收入增长",
    "\u2022 \u00a0 $ 1,234 \u2014 \ufb01scal na\u00efve \U0001f4c8 x\u0301",
)
"""Short, long, over-long, empty, not Latin: what a library and its readers hold."""


def convert_model(spec: ModelSpec, model: SentenceTransformer, folder: Path) -> Conversion:
    """Write a loaded model as ``model.xml``, ``model.bin`` and ``tokenizer.json`` into a folder.

    Computes in the fastest precision whose vectors agree with torch's. A model of which that
    cannot be had is no error here: the record says why it was refused.
    """
    limit = model.max_seq_length
    try:
        tokenizer = model.tokenizer
        plain = Conversion(
            max_tokens=limit if limit is not None and limit < NO_LIMIT else None,
            pad_id=int(tokenizer.pad_token_id),
        )
        tokenizer.backend_tokenizer.save(str(folder / TOKENIZER))
        _save_module(model, folder / MODEL)
        expected = _probe(TorchEncoder(model))
        for precision in PRECISIONS:
            encoder = OpenVinoEncoder(folder, spec, dataclasses.replace(plain, precision=precision))
            cosine = float((_probe(encoder) * expected).sum(axis=1).min())
            if cosine >= MIN_COSINE:
                return dataclasses.replace(plain, precision=encoder.precision, cosine=cosine)
    except ModelError as error:
        return _refused(folder, str(error))
    except Exception as error:  # whatever a converter makes of a module that it does not know
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        return _refused(folder, f"OpenVINO cannot run {spec.name} ({reason}).")
    return _refused(
        folder,
        f"OpenVINO does not give {spec.name}'s vectors (cosine {cosine:.5f} to torch's, "
        f"{MIN_COSINE} is needed).",
    )


def _refused(folder: Path, reason: str) -> Conversion:
    for path in folder.iterdir():
        path.unlink()
    return Conversion(refused=reason)


def _save_module(model: SentenceTransformer, file: Path) -> None:
    import torch
    from transformers.utils import logging

    class Whole(torch.nn.Module):
        """Ids and mask to the sentence embedding: transformer, pooling and what follows them."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            features = {"input_ids": input_ids, "attention_mask": attention_mask}
            return self.model(features)["sentence_embedding"]

    texts = [_SENTENCE, PROBES[1]]
    example = model.tokenizer(texts, padding=True, return_tensors="pt")
    inputs = {name: example[name].to(model.device) for name in ("input_ids", "attention_mask")}
    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # tracing warns of every shape that Python looks at
            converted = import_openvino().convert_model(Whole().eval(), example_input=inputs)
    finally:
        logging.set_verbosity(verbosity)
    import_openvino().save_model(converted, str(file), compress_to_fp16=False)


def _probe(encoder: TorchEncoder | OpenVinoEncoder) -> Vectors:
    """Unit vectors of the probes as queries and as documents."""
    vectors = np.concatenate(
        [encoder.encode(PROBES, "query"), encoder.encode(PROBES, "document")]
    ).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
