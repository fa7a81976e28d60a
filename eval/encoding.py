"""How fast chunks are encoded: the encoder in use against sentence-transformers, in one run."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

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


@dataclass(frozen=True, slots=True)
class EncodingTiming:
    """The encoder against sentence-transformers' fp32 ``encode``, on the same real chunks.

    Seconds are medians over ``rounds`` in which both took turns. ``processor_s`` is what the
    process was given by the machine: unlike ``wall_s`` it hardly grows when others work on it.
    ``peak_share`` is the encoder's arithmetic over that of the machine's bf16 matrix product.
    """

    model: str
    encoder: str
    precision: str
    threads: int
    chunk_count: int
    median_tokens: int
    rounds: int
    wall_s: dict[str, float]
    processor_s: dict[str, float]
    smallest_cosine: float
    gflops: dict[str, float]
    peak_share: float
    load: str

    @property
    def ratio(self) -> float:
        """How many times faster the encoder is, by processor time."""
        return self.processor_s["torch"] / self.processor_s["encoder"]

    @property
    def wall_ratio(self) -> float:
        """The same by the clock."""
        return self.wall_s["torch"] / self.wall_s["encoder"]

    def __str__(self) -> str:
        return "\n".join(
            (
                f"| {self.chunk_count} chunks of {self.median_tokens} tokens, {self.model}, "
                f"{self.threads} threads | sentence-transformers fp32 | {self.encoder} "
                f"{self.precision} |",
                "|---|---:|---:|",
                *(
                    f"| {label} | {values['torch']:.2f} | {values['encoder']:.2f} |"
                    for label, values in (
                        ("processor seconds", self.processor_s),
                        ("seconds", self.wall_s),
                        ("GFLOP per processor second", self.gflops),
                    )
                ),
                "",
                f"{self.ratio:.2f} times as fast by processor time, {self.wall_ratio:.2f} by the "
                f"clock; smallest cosine {self.smallest_cosine:.6f}; {self.peak_share:.0%} of the "
                f"bf16 matrix product's {self.gflops['bf16 product']:.0f} GFLOP per processor "
                f"second (fp32: {self.gflops['fp32 product']:.0f}). {self.load}",
            )
        )


def time_encoding(
    library: Library, embedder: Embedder, *, chunks: int, rounds: int, seed: int = 0
) -> EncodingTiming:
    """Time both on random long chunks of the library, taking turns.

    Raises:
        DataError: the library has too few chunks of that length.
    """
    import torch

    texts = _long_chunks(library, embedder, chunks, seed)
    counts = embedder.encoder.count_tokens(texts)
    model, threads = embedder.model, processor_threads()
    torch.set_num_threads(threads)
    runs: dict[str, Callable[[], Vectors]] = {
        "torch": lambda: np.asarray(
            model.encode(texts, prompt_name="document", show_progress_bar=False)
        ),
        "encoder": lambda: embedder.encode_documents(texts),
    }
    # Untimed: kernels get prepared.
    vectors = {name: truncate(run(), embedder.spec.width) for name, run in runs.items()}
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    products: dict[str, list[float]] = {"fp32": [], "bf16": []}
    for _ in range(rounds):
        for name, run in runs.items():
            taken[name].append(_clocks(run))
        for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
            matrix = torch.randn(MATRIX, MATRIX).to(dtype)
            products[name].append(_product_gflops(partial(torch.matmul, matrix, matrix)))
    wall = {name: statistics.median(wall for wall, _ in times) for name, times in taken.items()}
    processor = {name: statistics.median(cpu for _, cpu in times) for name, times in taken.items()}
    work = sum(_operations(model, count) for count in counts) / 1e9
    gflops = {name: work / seconds for name, seconds in processor.items()}
    gflops |= {f"{name} product": max(rates) for name, rates in products.items()}
    return EncodingTiming(
        model=embedder.spec.name,
        encoder=embedder.encoder.name,
        precision=embedder.encoder.precision,
        threads=threads,
        chunk_count=len(texts),
        median_tokens=round(statistics.median(counts)),
        rounds=rounds,
        wall_s=wall,
        processor_s=processor,
        smallest_cosine=float((vectors["torch"] * vectors["encoder"]).sum(axis=1).min()),
        gflops=gflops,
        peak_share=gflops["encoder"] / gflops["bf16 product"],
        load=_load(),
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


def _clocks(run: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock and of processor time."""
    wall, processor = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - processor


def _product_gflops(product: Callable[[], object]) -> float:
    """Arithmetic of a matrix product in a processor second, the best of some."""
    best = min(_clocks(product)[1] for _ in range(MATRIX_REPEATS))
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


def _load() -> str:
    import os

    return (
        f"Load of the machine afterwards: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors."
    )
