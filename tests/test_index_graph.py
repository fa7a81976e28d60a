"""The sealed graph searched by itself: Chroma's own neighbours, and nothing is written."""

from __future__ import annotations

import hashlib
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from rag_app.errors import IndexMismatch
from rag_app.index.chroma import (
    COLLECTION,
    DenseIndex,
    EmbeddedIndex,
    write_collection,
)
from rag_app.index.chroma_close import DATABASE
from rag_app.index.embedder import Vectors, truncate
from rag_app.index.graph import GraphError, SealedGraph

ROWS, DIM = 400, 24
IDS = [f"R_10-K_2023-12-31:0:{row}-{row + 1}" for row in range(ROWS)]

needs_hnswlib = pytest.mark.skipif(
    sys.version_info >= (3, 13), reason="chroma-hnswlib has no wheel for this Python"
)
pytestmark = needs_hnswlib


def unit_vectors(rows: int, seed: int) -> Vectors:
    drawn = np.random.default_rng(seed).standard_normal((rows, DIM)).astype(np.float32)
    return truncate(drawn, DIM)


VECTORS = unit_vectors(ROWS, 0)
VECTORS[7] = VECTORS[300]  # a passage that stands twice
QUERIES = unit_vectors(30, 1)


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("graph")
    write_collection(folder, IDS, VECTORS)
    return folder


def test_neighbours_and_cosines_are_those_of_chromas_own_query(sealed: Path) -> None:
    with EmbeddedIndex(sealed) as graph, DenseIndex(sealed) as chroma:
        for query in QUERIES:
            ours, theirs = graph.query(query, 50), chroma.query(query, 50)
            assert [id_ for id_, _ in ours] == [id_ for id_, _ in theirs]
            cosines = [cosine for _, cosine in ours]
            assert cosines == pytest.approx([cosine for _, cosine in theirs], abs=1e-6)
        assert {id_ for id_, _ in graph.query(VECTORS[7], 2)} == {IDS[7], IDS[300]}
        assert sorted(id_ for id_, _ in graph.query(QUERIES[0], ROWS + 9)) == sorted(IDS)


def test_one_row_is_a_graph_too(tmp_path: Path) -> None:
    write_collection(tmp_path, IDS[:1], VECTORS[:1])
    with EmbeddedIndex(tmp_path) as index:
        assert index.query(VECTORS[0], 100) == [(IDS[0], pytest.approx(1.0, abs=1e-6))]


def test_a_search_changes_no_byte_of_what_is_sealed(sealed: Path) -> None:
    def state() -> dict[str, tuple[int, str]]:
        return {
            path.name: (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
            for path in sealed.rglob("*")
            if path.is_file()
        }

    before = state()
    assert SealedGraph(sealed, COLLECTION, 200).query(QUERIES[0], 5)
    assert state() == before


def test_many_threads_ask_one_graph(sealed: Path) -> None:
    with EmbeddedIndex(sealed) as index:
        alone = [index.query(query, 20) for query in QUERIES]
        with ThreadPoolExecutor(8) as pool:
            together = list(pool.map(lambda n: index.query(QUERIES[n % 30], 20), range(240)))
    assert together == alone * 8


def test_chroma_answers_where_hnswlib_is_not_installed(
    sealed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with EmbeddedIndex(sealed) as index:
        by_graph = [id_ for id_, _ in index.query(QUERIES[0], 20)]
    monkeypatch.setitem(sys.modules, "hnswlib", None)
    with pytest.raises(GraphError):
        SealedGraph(sealed, COLLECTION, 200)
    with EmbeddedIndex(sealed) as index:
        assert [id_ for id_, _ in index.query(QUERIES[0], 20)] == by_graph


def test_files_that_are_not_as_known_are_left_to_chroma(tmp_path: Path) -> None:
    with pytest.raises(GraphError):
        SealedGraph(tmp_path, COLLECTION, 200)
    write_collection(tmp_path, IDS, VECTORS)
    with pytest.raises(GraphError):
        SealedGraph(tmp_path, "another", 200)
    (header,) = tmp_path.glob("*/header.bin")
    whole = header.read_bytes()
    header.write_bytes(b"\x09" + whole[1:])  # another version of the files
    with pytest.raises(GraphError):
        SealedGraph(tmp_path, COLLECTION, 200)


def test_a_graph_whose_rows_have_other_ids_does_not_verify(tmp_path: Path) -> None:
    write_collection(tmp_path, IDS, VECTORS)
    database = sqlite3.connect(tmp_path / DATABASE)
    database.execute("UPDATE embeddings SET embedding_id = 'x' || id")
    database.execute(
        "UPDATE embeddings SET embedding_id = ("
        "SELECT value FROM json_each(?) WHERE key = embeddings.id % ?)",
        [str(IDS).replace("'", '"'), ROWS],  # each row has the id of the next
    )
    database.commit()
    database.close()
    with EmbeddedIndex(tmp_path) as index:
        assert index.query(VECTORS[20], 1)[0][0] == IDS[21]
        with pytest.raises(IndexMismatch, match="by its own vector"):
            index.verify(IDS, VECTORS)
