"""Row ``build``: vectors to a sealed, verified collection, against hnswlib alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from eval.benches.clocks import Clocks, clocks, median_of
from eval.benches.measured import Aim, Measured
from eval.benches.resampled import resampled_vectors
from eval.benches.workbench import Workbench
from rag_app.errors import DataError
from rag_app.index.chroma import HNSW, write_collection
from rag_app.index.embedder import Vectors, truncate
from rag_app.index.vectors import load_vectors
from rag_app.settings import processor_threads

SHARE_OF_SPEED = 0.5
SIDES = ("hnswlib", "ours")


def time_build(bench: Workbench) -> Measured:
    """Build both, in turns, with the same graph, from the same vectors, down to files on disk.

    Raises:
        DataError: hnswlib is not installed.
        LibraryError: the library has no vectors of this model.
    """
    spec, rounds = bench.embedder.spec, max(1, bench.sizes.rounds // 2)
    own = stored_vectors(bench)
    vectors = truncate(
        resampled_vectors(own, bench.sizes.build_rows), bench.dim, spec.start_of(bench.dim)
    )
    ids = [f"R{row // 700}_10-K_2023-12-31:0:{row}-{row + 1}" for row in range(len(vectors))]
    taken: dict[str, list[Clocks]] = {name: [] for name in SIDES}
    for _ in range(rounds):
        with bench.folder() as folder:
            taken["hnswlib"].append(clocks(lambda: _hnswlib(folder / "graph", vectors)))
            taken["ours"].append(clocks(lambda: write_collection(folder / "chroma", ids, vectors)))
    both = {name: median_of(each) for name, each in taken.items()}
    by_clock, by_processor = both["hnswlib"] / both["ours"]
    return Measured(
        f"{len(vectors)} vectors of {spec.name} at {bench.dim} dimensions, "
        f"{HNSW['max_neighbors']} neighbours, {HNSW['ef_construction']} considered, "
        f"{processor_threads()} threads, rounds: {rounds}. Ours: Chroma's collection with its ids, "
        "written, closed, opened again and verified.",
        {
            **{
                name: each.figures() | {"vectors a second": len(vectors) / each.wall_s}
                for name, each in both.items()
            },
            "speed of ours / hnswlib's": {"seconds": by_clock, "processor seconds": by_processor},
        },
        (Aim("of hnswlib's speed", by_clock, SHARE_OF_SPEED),),
    )


def stored_vectors(bench: Workbench) -> Vectors:
    """The library's own (n, width) vectors of this model.

    Raises:
        LibraryError: it has none, or a file of them is damaged.
    """
    library, fingerprint = bench.library, bench.embedder.spec.fingerprint
    return np.concatenate(
        [
            load_vectors(library.vectors_path(key, version, fingerprint))[1]
            for key, version in library.versions().items()
        ]
    )


def _hnswlib(file: Path, vectors: Vectors) -> None:
    try:
        import hnswlib
    except ImportError:
        raise DataError(
            "hnswlib is not installed; run `pip install -c constraints.txt -e '.[bench]'`."
        ) from None
    graph = hnswlib.Index("cosine", vectors.shape[1])
    graph.init_index(len(vectors), M=HNSW["max_neighbors"], ef_construction=HNSW["ef_construction"])
    graph.add_items(vectors, num_threads=processor_threads())
    graph.save_index(str(file))
