"""A made-up library whose state can be read off its answers, and children to break it with.

The parent imports everything and never opens Chroma, so that a child is forked in milliseconds
and may be killed at any moment.
"""

from __future__ import annotations

import json
import os
import re
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import bm25s  # noqa: F401 - imported before children are forked
import chromadb  # noqa: F401
import numpy as np
import Stemmer  # noqa: F401
from hashed import DIM, SPEC, HashedEmbedder
from llama_index.core.schema import TextNode  # noqa: F401
from tiny import write_filing

from rag_app.filings.chunks import passage_text
from rag_app.index.build import index_root
from rag_app.index.embedder import truncate
from rag_app.index.serving import open_snapshot
from rag_app.index.snapshot import Snapshot
from rag_app.ingest import ingest
from rag_app.library import Library
from rag_app.records import CoverFlags
from rag_app.sealed import current

State = dict[int, int]
"""Fiscal year to revision of that year's 10-K."""
QUESTIONS = ("Who makes gadget-3?", "revenue in thousands", "a shortage of copper")
DEPTH = 5


def write_source(folder: Path, year: int, revision: int) -> Path:
    """A 10-K that names its revision in every Item."""
    return write_filing(
        folder / f"{year}.html", year=year, product=f"gadget-{revision}", revenue=50_000 + revision
    )


def put(home: Path, sources: Path, changes: State, dim: int = DIM) -> None:
    """Ingest revisions of some years."""
    paths = [write_source(sources, year, revision) for year, revision in changes.items()]
    ingest(
        paths,
        Library(home),
        HashedEmbedder(),
        dim,
        max_file_mb=10,
        flags=CoverFlags(ticker="QPI"),
    )


def key_of(year: int) -> str:
    """The key of a year's filing."""
    return f"QPI_10-K_{year}-12-31"


def sealed_state(home: Path, dim: int = DIM) -> State | None:
    """What the index that is current answers, brought up to nothing; None when there is none."""
    folder = current(index_root(home, SPEC, dim))
    if folder is None:
        return None
    return read_state(Snapshot.open(folder, Library(home), HashedEmbedder(), dim))


def served_state(home: Path, dim: int = DIM) -> State:
    """What a user is answered from."""
    return read_state(open_snapshot(Library(home), HashedEmbedder(), dim))


def read_state(snapshot: Snapshot) -> State:
    """Read the state off every chunk, and hold answers against exact search over these chunks.

    Raises:
        AssertionError: a filing answers with two revisions, or search is wrong.
    """
    dim, embedder = snapshot.passport.dim, HashedEmbedder()
    nodes = {
        id_: node
        for key, version in snapshot.passport.filings.items()
        for id_, node in snapshot.library.chunks(key, version).items()
    }
    ids = sorted(nodes)
    assert snapshot.dense.count() == len(ids) == snapshot.passport.chunk_count
    assert sorted(snapshot.lexical.chunk_ids) == ids
    vectors = truncate(embedder.encode_documents([passage_text(nodes[i]) for i in ids]), dim)
    for question in QUESTIONS:
        query = truncate(embedder.encode_queries([question]), dim)[0]
        exact = np.sort(vectors @ query)[::-1][:DEPTH]
        found = snapshot.dense.query(query, min(DEPTH, len(ids)))
        assert np.allclose([cosine for _, cosine in found], exact[: len(found)], atol=1e-4)
        for chunk_id, cosine in found:
            right = float(vectors[ids.index(chunk_id)] @ query)
            assert abs(right - cosine) < 1e-4, (chunk_id, right, cosine)
            assert snapshot.chunk(chunk_id).text == nodes[chunk_id].text
    state: dict[int, set[int]] = {}
    for node in nodes.values():
        revisions = state.setdefault(node.metadata["fiscal_year"], set())
        revisions.update(int(found) for found in re.findall(r"gadget-(\d+)", node.text))
        revisions.update(int(found) - 50_000 for found in re.findall(r"\b(50\d{3})\b", node.text))
    assert all(len(revisions) == 1 for revisions in state.values()), state
    return {year: min(revisions) for year, revisions in state.items()}


def in_child(work: Callable[[], Any]) -> Any:
    """Run work in a child and give back its JSON result.

    Raises:
        RuntimeError: it failed; the message is the child's traceback.
    """
    pid, pipe = _fork(work)
    with os.fdopen(pipe, "rb") as file:
        said = json.loads(file.read() or b'{"error": "killed"}')
    os.waitpid(pid, 0)
    if "error" in said:
        raise RuntimeError(said["error"])
    return said["result"]


def states_of(result: Any) -> State | None:
    """A state back from JSON, whose keys are text."""
    return None if result is None else {int(year): revision for year, revision in result.items()}


def kill_in_child(work: Callable[[], Any], delay_s: float) -> bool:
    """Run work in a child and kill it after a while; whether it had said that it was done."""
    pid, pipe = _fork(work)
    acknowledged, _, _ = select.select([pipe], [], [], delay_s)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    with os.fdopen(pipe, "rb") as file:
        said = file.read()
    if said.endswith(b"}") and "error" in (record := json.loads(said)):
        raise RuntimeError(record["error"])
    return bool(acknowledged) and said.endswith(b"}")


def timed(work: Callable[[], Any]) -> float:
    """Seconds that work takes in a child."""
    began = time.perf_counter()
    in_child(work)
    return time.perf_counter() - began


def _fork(work: Callable[[], Any]) -> tuple[int, int]:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    try:
        said = {"result": work()}
    except BaseException:
        said = {"error": traceback.format_exc()}
    os.write(writing, json.dumps(said).encode())
    os._exit(0)
