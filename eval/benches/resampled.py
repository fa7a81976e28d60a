"""A larger library out of a real one: each further chunk is joined of two, and so is its vector.

A library that is merely repeated would hold every passage many times, and search would find one
passage only. Halves of two chunks make a new text of real words, and the mean of their vectors has
neighbours about as near as a real one's.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rag_app.errors import LibraryError
from rag_app.filing_files import CHUNKS, RECORD, write_json
from rag_app.filings.chunks import CHUNKER_VERSION
from rag_app.index.embedder import Vectors, truncate
from rag_app.index.vectors import load_vectors, save_vectors
from rag_app.library import Library
from rag_app.records import Filing, Health
from rag_app.sealed import sealing

NOISE = 0.1
"""Length of the noise that is added to a mean, whose own length is about 0.8."""
FILING_ROWS = 700
"""Chunks of a filing: a 10-K has 710 (docs/sizing.md)."""
FEW = "FEW"
"""Ticker of the one company that has ``FEW_SHARE`` of all chunks."""
FEW_SHARE = 0.002
YEARS = 5


@dataclass(frozen=True, slots=True)
class Passages:
    """The chunks of a library with their (n, width) vectors, a row each."""

    texts: list[str]
    prefixes: list[str]
    vectors: Vectors


def library_passages(library: Library, fingerprint: str) -> Passages:
    """All chunks that this model has encoded.

    Raises:
        LibraryError: it has encoded none of them, or a file is damaged.
    """
    texts, prefixes, parts = [], [], []
    for key, version in library.versions().items():
        path = library.vectors_path(key, version, fingerprint)
        if not path.exists():
            continue
        ids, vectors = load_vectors(path)
        nodes = library.chunks(key, version)
        texts += [nodes[id_].text for id_ in ids]
        prefixes += [str(nodes[id_].metadata["prefix"]) for id_ in ids]
        parts.append(vectors)
    if not parts:
        raise LibraryError(
            "The library has no vectors of this model; run `python -m rag_app index` first."
        )
    return Passages(texts, prefixes, np.concatenate(parts))


def resampled_vectors(own: Vectors, count: int, seed: int = 0) -> Vectors:
    """(count, width) unit vectors: the library's own, then noisy means of two of them."""
    first, second = _pairs(len(own), count, seed)
    rng = np.random.default_rng(seed + 1)
    vectors = own[first]
    for start in range(len(own), count, FILING_ROWS):  # in pieces: a million rows fill the memory
        rows = slice(start, min(start + FILING_ROWS, count))
        noise = rng.standard_normal(vectors[rows].shape, dtype=np.float32)
        mean = (vectors[rows] + own[second[rows]]) / 2
        vectors[rows] = mean + noise * np.float32(NOISE / np.sqrt(own.shape[1]))
    return truncate(vectors, own.shape[1])


def write_resampled(
    passages: Passages, home: Path, fingerprint: str, count: int, seed: int = 0
) -> Library:
    """A library of ``count`` chunks under ``home``, in filings of ``FILING_ROWS``, with vectors."""
    library = Library(home)
    vectors = resampled_vectors(passages.vectors, count, seed)
    first, second = _pairs(len(passages.texts), count, seed)
    own = len(passages.texts)
    for filing, rows in _filings(count):
        version = library.version_of(filing, CHUNKER_VERSION)
        ids = [f"{filing.key}:0:{row}-{row + 1}" for row in rows]
        with sealing(library.root / filing.key, version) as folder:
            with (folder / CHUNKS).open("w", encoding="utf-8") as file:
                for row, id_ in zip(rows, ids, strict=True):
                    text = passages.texts[first[row]]
                    if row >= own:
                        text = _joined(text, passages.texts[second[row]])
                    record = {
                        "id": id_,
                        "text": text,
                        "metadata": _metadata(filing, passages.prefixes[first[row]], len(text)),
                    }
                    file.write(json.dumps(record, ensure_ascii=False) + "\n")
            record = {
                "filing": dataclasses.asdict(filing),
                "health": dataclasses.asdict(Health((), (), 0, ())),
                "chunk_count": len(ids),
                "chunker": CHUNKER_VERSION,
            }
            write_json(folder / RECORD, record)
        path = library.vectors_path(filing.key, version, fingerprint)
        save_vectors(path, ids, vectors[rows.start : rows.stop])
    return library


def _pairs(own: int, count: int, seed: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """For each row the chunk that it is or begins with, and the one that it ends with."""
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, own, max(0, count - own))
    first = np.concatenate([np.arange(min(own, count)), drawn])
    return first, rng.integers(0, own, count)


def _filings(count: int) -> Iterator[tuple[Filing, range]]:
    """Made-up filings that share the rows out: first the company that has few of them."""
    start, number = max(1, round(FEW_SHARE * count)), 0
    yield _filing(FEW, 2020), range(start)
    while start < count:
        end = min(start + FILING_ROWS, count)
        yield _filing(f"R{number // YEARS}", 2020 + number % YEARS), range(start, end)
        start, number = end, number + 1


def _filing(ticker: str, year: int) -> Filing:
    return Filing(
        company=f"Resampled {ticker}",
        form="10-K",
        fiscal_year=year,
        period_end=dt.date(year, 12, 31),
        sha256=f"{ticker}{year}",
        source="resampled",
        ticker=ticker,
    )


def _joined(one: str, other: str) -> str:
    """The first half of one text and the second half of another."""
    words, others = one.split(" "), other.split(" ")
    return " ".join(words[: len(words) // 2] + others[len(others) // 2 :])


def _metadata(filing: Filing, prefix: str, length: int) -> dict[str, Any]:
    return {
        "filing": filing.key,
        "company": filing.company,
        "ticker": filing.ticker,
        "form": filing.form,
        "fiscal_year": filing.fiscal_year,
        "period_end": filing.period_end.isoformat(),
        "item": "7",
        "section_title": "",
        "heading_path": "",
        "prefix": prefix,
        "kind": "paragraph",
        "start": 0,
        "end": length,
        "page": None,
        "anchor": "",
    }
