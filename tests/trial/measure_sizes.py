"""Bytes a chunk of every kind of file, over a library and over resampled chunks, as Markdown.

RAG_HOME=HOME python tests/trial/measure_sizes.py > eval/results/sizes.md
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np

from rag_app.index.chroma import write_collection
from rag_app.index.embedder import truncate
from rag_app.index.lexical import write_lexical
from rag_app.index.vectors import save_vectors
from rag_app.library import Library
from rag_app.settings import load_settings

WIDTHS, DIMS = (384, 768, 1024), (64, 128, 384)


def main(rows: list[int]) -> None:
    """Print the tables."""
    library = Library(load_settings().home)
    filings = library.filings()
    by_form: dict[str, list[int]] = defaultdict(list)
    kinds: dict[str, int] = defaultdict(int)
    for stored in filings.values():
        by_form[stored.filing.form].append(stored.chunk_count)
        for path in stored.folder.iterdir():
            if path.is_file():
                kinds[path.stem] += path.stat().st_size
    chunks = sum(map(sum, by_form.values()))
    print(f"# Sizes\n\n`python tests/trial/measure_sizes.py`, {len(filings)} filings, ", end="")
    print(f"{chunks} chunks. Bytes are those of the files.\n")
    print("| form | filings | chunks a filing: median | mean | most |\n|---|---:|---:|---:|---:|")
    for form, counts in sorted(by_form.items()):
        mean, median = statistics.mean(counts), statistics.median(counts)
        print(f"| {form} | {len(counts)} | {median:.0f} | {mean:.0f} | {max(counts)} |")
    print("\n| in a filing's folder | bytes a chunk |\n|---|---:|")
    for kind, size in sorted(kinds.items()):
        print(f"| {kind} | {size / chunks:.0f} |")

    passages = library.passages()
    for width in WIDTHS:
        print(f"| vectors, {width} wide | {_vectors(list(passages), width):.0f} |")
    print("\n| index of N chunks, resampled | N | bytes a chunk |\n|---|---:|---:|", flush=True)
    for count in rows:
        drawn = _resampled(passages, count)
        print(f"| BM25 | {count} | {_lexical(drawn):.0f} |", flush=True)
        for dim in DIMS:
            print(f"| Chroma, {dim} | {count} | {_chroma(list(drawn), dim):.0f} |", flush=True)


def _resampled(passages: dict[str, str], count: int) -> dict[str, str]:
    """``count`` passages drawn in turn; ids of a real length, each once."""
    endless = itertools.cycle(passages.items())
    return {f"{id_}-{n}": text for n, (id_, text) in zip(range(count), endless, strict=False)}


def _vectors(ids: list[str], width: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vectors.safetensors"
        save_vectors(path, ids, np.zeros((len(ids), width), np.float32))
        return path.stat().st_size / len(ids)


def _lexical(passages: dict[str, str]) -> float:
    with tempfile.TemporaryDirectory() as folder:
        write_lexical(Path(folder), passages)
        return _size(Path(folder)) / len(passages)


def _chroma(ids: list[str], dim: int) -> float:
    rng = np.random.default_rng(0)
    vectors = truncate(rng.standard_normal((len(ids), dim)).astype(np.float32), dim)
    with tempfile.TemporaryDirectory() as folder:
        write_collection(Path(folder), ids, vectors)
        return _size(Path(folder)) / len(ids)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="*", default=[1_000, 10_000, 100_000])
    sys.exit(main(parser.parse_args().rows))
