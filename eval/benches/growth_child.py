"""One size of the row ``growth`` in a process of its own: builds the index, or asks it.

``python -m eval.benches.growth_child build|ask``, over the library of the settings.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from eval.benches.clocks import percentiles_ms
from eval.benches.query import served_hits
from rag_app.cli import open_embedder, open_library
from rag_app.index.build import build_index
from rag_app.index.retriever import served_retriever
from rag_app.index.serving import open_snapshot
from rag_app.records import Filters
from rag_app.sealed import writer_lock
from rag_app.settings import load_settings


def build() -> dict[str, float]:
    """Build the index; seconds."""
    settings = load_settings()
    embedder, library = open_embedder(settings), open_library(settings)
    began = time.perf_counter()
    with writer_lock(library.home):
        build_index(library, embedder, embedder.spec.check_dim(settings.dim))
    return {"build_s": time.perf_counter() - began}


def ask() -> dict[str, float]:
    """Open the index and ask every question twice, the second time by the clock."""
    settings = load_settings()
    embedder, library = open_embedder(settings), open_library(settings)
    embedder.encode_queries(["the model is loaded first"])
    began = time.perf_counter()
    snapshot = open_snapshot(library, embedder, embedder.spec.check_dim(settings.dim))
    opened = time.perf_counter()
    retriever = served_retriever(snapshot, settings, Filters())
    questions = json.loads((settings.home / "questions.json").read_text("utf-8"))
    taken: list[float] = []
    for question in questions * 2:
        started = time.perf_counter()
        served_hits(retriever, question)
        taken.append(time.perf_counter() - started)
    return percentiles_ms(taken[len(questions) :]) | {"open_s": opened - began} | _memory()


def _memory() -> dict[str, float]:
    """Bytes of this process: all that is resident, and without pages of mapped files."""
    kilobytes = {
        line.split(":")[0]: int(line.split()[1])
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith(("VmRSS", "RssAnon"))
    }
    return {
        "resident_bytes": 1024.0 * kilobytes["VmRSS"],
        "own_bytes": 1024.0 * kilobytes["RssAnon"],
    }


VERBS: dict[str, Callable[[], dict[str, float]]] = {"build": build, "ask": ask}


if __name__ == "__main__":
    print(json.dumps(VERBS[sys.argv[1]]()))
