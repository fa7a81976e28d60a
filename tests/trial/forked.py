"""A made-up library whose state can be read off its answers, and children to break it with.

The parent imports everything and never opens Chroma, so that a child is forked in milliseconds
and may be killed at any moment.
"""

from __future__ import annotations

import functools
import json
import os
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
os.environ["TOKENIZERS_PARALLELISM"] = "false"  # its threads would not be there in a child

import bm25s  # noqa: F401 - imported before children are forked
import chromadb.api.rust  # noqa: F401
import pandas  # noqa: F401 - pyarrow does
import pyarrow.parquet  # noqa: F401
import Stemmer  # noqa: F401
from hashed import DIM, SPEC
from llama_index.core.schema import TextNode  # noqa: F401
from plain import FLAGS, REVENUE, Plain, State, embedder, plain, revisions_in, write_source

from rag_app.errors import LibraryError
from rag_app.filings.batch import _count_tokens
from rag_app.filings.chunks import passage_text
from rag_app.filters import Filters
from rag_app.index import models
from rag_app.index.build import index_root
from rag_app.index.embedder import truncate
from rag_app.index.serving import open_snapshot
from rag_app.index.snapshot import Snapshot
from rag_app.ingest import ingest
from rag_app.library import Library
from rag_app.sealed import current

QUESTIONS = ("Who makes gadget-3?", "revenue in thousands", "a shortage of copper")
DEPTH = 3
# What each child would do again: load the tokenizer, and at each gc hash the shipped models.
_count_tokens()
models.file_sum = functools.cache(models.file_sum)  # type: ignore[attr-defined]
for _model in models.known_models(Path("nowhere")):
    models.resolve_model(_model, Path("nowhere"))


def put(home: Path, sources: Path, changes: State, dim: int = DIM) -> None:
    """Ingest revisions of some years."""
    paths = [write_source(sources, year, revision) for year, revision in changes.items()]
    ingest(paths, Library(home), embedder(), dim, max_file_mb=10, flags=FLAGS)


def key_of(year: int) -> str:
    """The key of a year's filing."""
    return f"QPI_10-K_{year}-12-31"


def sealed_state(home: Path, dim: int = DIM) -> State | None:
    """What the index that is current answers, brought up to nothing; None when there is none."""
    folder = current(index_root(home, SPEC, dim))
    if folder is None:
        return None
    return read_state(Snapshot.open(folder, Library(home), embedder(), dim))


def served_state(home: Path, dim: int = DIM) -> State:
    """What a user is answered from; nothing when the user is told that the library is empty."""
    try:
        return read_state(open_snapshot(Library(home), embedder(), dim))
    except LibraryError as error:
        if "is empty" in str(error):
            return {}
        raise


def read_state(snapshot: Snapshot) -> State:
    """Read the state off every chunk, and hold the index to the plain model of that state.

    Raises:
        AssertionError: a filing answers with two revisions, a text is not what it was, or search
            is wrong: dense, filtered by year, or BM25.
    """
    nodes = {id_: snapshot.chunk(id_) for id_ in snapshot.lexical.chunk_ids}
    revisions: dict[int, set[int]] = {}
    for node in nodes.values():
        of_year = revisions.setdefault(node.metadata["fiscal_year"], set())
        of_year.update(revisions_in(node.text))
    assert all(len(each) == 1 for each in revisions.values()), revisions
    state = {year: min(each) for year, each in revisions.items()}
    right = plain(state)
    assert {id_: passage_text(node) for id_, node in nodes.items()} == right.passages
    assert snapshot.dense.count() == len(nodes) == snapshot.passport.chunk_count
    for question in QUESTIONS:
        _hold_nearest(snapshot, right, question, Filters())
        for year in state:
            _hold_nearest(snapshot, right, question, Filters(fiscal_year=year))
    for revision in state.values():
        word = str(REVENUE + revision)
        said = {id_ for id_, _ in snapshot.lexical.query(word, len(nodes))}
        assert said == {id_ for id_, text in right.passages.items() if word in text}, (word, said)
    return state


def _hold_nearest(snapshot: Snapshot, right: Plain, question: str, filters: Filters) -> None:
    """Hold what is nearest, and its cosines, to exact search."""
    dim = snapshot.passport.dim
    query = truncate(embedder().encode_queries([question]), dim)[0]
    keys = [key_of(year) for year in filters.fiscal_year]
    among = [id_ for id_ in right.passages if not keys or id_.partition(":")[0] in keys]
    exact = right.nearest(question, dim, among)
    if keys:
        ids = snapshot.nearest(query, DEPTH, filters)  # more, where some equal the last
        found = sorted(((id_, exact[id_]) for id_ in ids), key=lambda hit: -hit[1])[:DEPTH]
    else:
        found = snapshot.dense.query(query, min(DEPTH, len(among)))
    best = sorted(exact.values(), reverse=True)[:DEPTH]
    assert len(found) == len({id_ for id_, _ in found}) == len(best), (filters, found)
    for (id_, cosine), wanted in zip(found, best, strict=True):
        assert abs(cosine - wanted) < 1e-4 and abs(exact[id_] - cosine) < 1e-4, (id_, found, best)


def in_child(work: Callable[[], Any]) -> Any:
    """Run work in a child and give back its JSON result.

    Raises:
        RuntimeError: it failed; the message is the child's traceback.
    """
    pid, pipe = fork(work)
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
    pid, pipe = fork(work)
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


def fork(work: Callable[[], Any]) -> tuple[int, int]:
    """Run work in a child: its pid, and a pipe with its JSON result or its traceback."""
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
