"""Row ``growth``: query time, memory, build time and disk as the library grows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from eval.benches.clocks import run_child
from eval.benches.measured import Aim, Measured
from eval.benches.questions import questions_of
from eval.benches.resampled import Passages, library_passages, write_resampled
from eval.benches.workbench import Workbench

FROM_ROWS = 10_000
"""Growth of the query is counted from this size on, or from the smallest where it is missing."""
TIMES_SLOWER = 2
MEMORY_A_CHUNK = (4, 860)
"""Bytes a chunk that an open index takes: a dimension, and besides (docs/sizing.md, its table)."""
CHILD = "eval.benches.growth_child"


def time_growth(bench: Workbench) -> Measured:
    """Resample the library to each size; a child builds its index, another asks it.

    Raises:
        DataError: a child failed, as for want of memory.
        LibraryError: the library has no vectors of this model.
    """
    passages = library_passages(bench.library, bench.embedder.spec.fingerprint)
    asked = questions_of(bench.library, bench.sizes.questions)
    bench.embedder.encode_queries(["the model is converted before the clock starts"])
    found = {rows: _size(bench, passages, rows, asked) for rows in sorted(bench.sizes.growth)}
    sizes = sorted(found)
    start = FROM_ROWS if FROM_ROWS in found else sizes[0]
    p50 = found[sizes[-1]]["p50, ms"] / found[start]["p50, ms"]
    aims = [
        Aim(
            f"query p50 at {sizes[-1]:,} chunks, times that at {start:,}",
            p50,
            TIMES_SLOWER,
            at_most=True,
        )
    ]
    if len(sizes) > 1:
        grown = (found[sizes[-1]]["own MB"] - found[sizes[0]]["own MB"]) * 1e6
        a_dim, besides = MEMORY_A_CHUNK
        aims.append(
            Aim(
                "bytes of own memory a further chunk",
                grown / (sizes[-1] - sizes[0]),
                a_dim * bench.dim + besides,
                at_most=True,
            )
        )
    return Measured(
        f"Chunks joined of two of the {len(passages.texts)} of the library, "
        f"{bench.embedder.spec.name} at {bench.dim} dimensions, {len(asked)} questions each, by "
        "the whole read path with filters out of the question's words, BM25 and rescoring. Each "
        "index is built and asked in a process of its own; own MB leave out mapped files.",
        {f"{rows:,}": figures for rows, figures in found.items()},
        tuple(aims),
    )


def _size(bench: Workbench, passages: Passages, rows: int, asked: list[str]) -> dict[str, float]:
    with bench.home() as home:
        library = write_resampled(passages, home, bench.embedder.spec.fingerprint, rows)
        (home / "questions.json").write_text(json.dumps(asked), "utf-8")
        environment = bench.environment(home)
        built = run_child(["-m", CHILD, "build"], environment)
        served = run_child(["-m", CHILD, "ask"], environment)
        told: dict[str, Any] = json.loads(built.output) | json.loads(served.output)
        disk = {"library MB": _megabytes(library.root), "index MB": _megabytes(home / "index")}
    return {
        "p50, ms": told["p50, ms"],
        "p95, ms": told["p95, ms"],
        "build, s": told["build_s"],
        "build, chunks a second": rows / told["build_s"],
        "open, s": told["open_s"],
        "own MB": told["own_bytes"] / 1e6,
        "resident MB": told["resident_bytes"] / 1e6,
        "most MB of the build": built.most_bytes / 1e6,
        **disk,
    }


def _megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
