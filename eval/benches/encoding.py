"""Row ``encoding``: the encoder of the settings against sentence-transformers' fp32 ``encode``."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable
from functools import partial

import numpy as np

from eval.benches.clocks import Clocks, clocks, median_of
from eval.benches.measured import Aim, Measured
from eval.benches.workbench import Workbench
from rag_app.errors import DataError
from rag_app.filings.chunks import passage_text
from rag_app.index.embedder import Embedder, truncate
from rag_app.index.encoders import Vectors
from rag_app.library import Library
from rag_app.settings import processor_threads

MIN_TOKENS = 200
"""Chunks are cut at 256 tokens; the short ends of sections are left out."""
MATRIX = 1536
"""Side of the square matrices whose product is the peak: a model's own sizes, kept in cache."""
MATRIX_REPEATS = 10
TIMES_FASTER, SMALLEST_COSINE, OF_THE_PEAK = 4.5, 0.9999, 0.35
GFLOPS = "GFLOP per processor second"


def time_encoding(bench: Workbench, seed: int = 0) -> Measured:
    """Time both on random long chunks of the library, taking turns.

    Raises:
        DataError: the library has too few chunks of that length.
    """
    import torch

    embedder, rounds = bench.embedder, bench.sizes.rounds
    texts = _long_chunks(bench.library, embedder, bench.sizes.chunks, seed)
    counts = embedder.encoder.count_tokens(texts)
    model, threads = embedder.model, processor_threads()
    torch.set_num_threads(threads)
    runs: dict[str, Callable[[], Vectors]] = {
        "sentence-transformers": lambda: np.asarray(
            model.encode(texts, prompt_name="document", show_progress_bar=False)
        ),
        "ours": lambda: embedder.encode_documents(texts),
    }
    # Untimed: kernels get prepared.
    vectors = {name: truncate(run(), embedder.spec.width) for name, run in runs.items()}
    taken: dict[str, list[Clocks]] = {name: [] for name in runs}
    products: dict[str, list[float]] = {"fp32": [], "bf16": []}
    for _ in range(rounds):
        for name, run in runs.items():
            taken[name].append(clocks(run))
        for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
            matrix = torch.randn(MATRIX, MATRIX).to(dtype)
            products[name].append(_product_gflops(partial(torch.matmul, matrix, matrix)))
    both = {name: median_of(each) for name, each in taken.items()}
    work = sum(_operations(model, count) for count in counts) / 1e9
    gflops = {name: work / each.processor_s for name, each in both.items()}
    peaks = {name: max(rates) for name, rates in products.items()}
    by_clock, by_processor = both["sentence-transformers"] / both["ours"]
    cosine = float((vectors["sentence-transformers"] * vectors["ours"]).sum(axis=1).min())
    return Measured(
        f"{len(texts)} chunks of {round(statistics.median(counts))} tokens, {embedder.spec.name}, "
        f"{threads} threads, rounds: {rounds}; ours: encoder {embedder.encoder.name} "
        f"{embedder.encoder.precision}.",
        {
            **{name: both[name].figures() | {GFLOPS: gflops[name]} for name in runs},
            "times as fast": {"seconds": by_clock, "processor seconds": by_processor},
        },
        (
            Aim("times as fast by processor time", by_processor, TIMES_FASTER),
            Aim("smallest cosine", cosine, SMALLEST_COSINE),
            Aim("of the bf16 matrix product's speed", gflops["ours"] / peaks["bf16"], OF_THE_PEAK),
        ),
        f"The matrix product of this machine: bf16 {peaks['bf16']:.0f} and fp32 "
        f"{peaks['fp32']:.0f} GFLOP per processor second.",
    )


def _long_chunks(library: Library, embedder: Embedder, wanted: int, seed: int) -> list[str]:
    texts = [
        passage_text(chunk)
        for key, version in library.versions().items()
        for chunk in library.chunks(key, version).values()
    ]
    random.Random(seed).shuffle(texts)
    counts = embedder.encoder.count_tokens(texts[: 20 * wanted])
    long = [text for text, count in zip(texts, counts, strict=False) if count >= MIN_TOKENS]
    if len(long) < wanted:
        raise DataError(
            f"The library has {len(long)} chunks of {MIN_TOKENS} tokens among those drawn, and "
            f"{wanted} are to be encoded; ingest more filings or give a smaller --chunks."
        )
    return long[:wanted]


def _product_gflops(product: Callable[[], object]) -> float:
    """Arithmetic of a matrix product in a processor second, the best of some."""
    best = min(clocks(product).processor_s for _ in range(MATRIX_REPEATS))
    return 2 * MATRIX**3 / best / 1e9


def _operations(model: object, tokens: int) -> float:
    """Multiplications and additions for a text: the linear layers, and attention."""
    import torch

    assert isinstance(model, torch.nn.Module)
    linear = sum(
        layer.weight.numel() for layer in model.modules() if isinstance(layer, torch.nn.Linear)
    )
    config = model[0].auto_model.config  # type: ignore[index]
    attention = 4 * tokens * config.hidden_size * config.num_hidden_layers
    return float(tokens * (2 * linear + attention))
