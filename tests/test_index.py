"""Indexes: derived from stored vectors, verified, sealed, and refused when they do not fit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from rag_app.errors import IndexMismatch, LibraryError, ModelError, OutdatedIndex
from rag_app.index.build import LEXICAL, build_index, index_root, is_current
from rag_app.index.chroma import DenseIndex, write_collection
from rag_app.index.embedder import Embedder, truncate
from rag_app.index.lexical import CHUNK_IDS
from rag_app.index.passport import FILE, Passport
from rag_app.index.serving import open_snapshot
from rag_app.index.snapshot import Snapshot
from rag_app.index.vectors import load_vectors, save_vectors
from rag_app.library import Library
from rag_app.sealed import current
from rag_app.sums import write_sums

RNG = np.random.default_rng(0)


def unit_vectors(rows: int, width: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return truncate(RNG.standard_normal((rows, width)).astype(np.float32), width)


def test_truncate_keeps_the_first_coordinates_at_unit_length() -> None:
    vectors = unit_vectors(5, 8)
    cut = truncate(vectors, 3)
    assert np.allclose(np.linalg.norm(cut, axis=1), 1, atol=1e-6)
    assert np.allclose(cut / cut[:, :1], vectors[:, :3] / vectors[:, :1], rtol=1e-4)
    with pytest.raises(ValueError, match="cannot be cut to 9"):
        truncate(vectors, 9)


def test_vectors_come_back_with_their_ids(tmp_path: Path) -> None:
    path, vectors = tmp_path / "m.safetensors", unit_vectors(3, 8)
    save_vectors(path, ["a", "b", "c"], vectors)
    ids, loaded = load_vectors(path)
    assert ids == ["a", "b", "c"]
    assert np.array_equal(loaded, vectors)
    with pytest.raises(ValueError, match="2 ids for 3"):
        save_vectors(path, ["a", "b"], vectors)


def test_damaged_vectors_are_named(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    save_vectors(path, ["a"], unit_vectors(1, 8))
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(LibraryError, match=r"m\.safetensors cannot be read"):
        load_vectors(path)


def test_recall_holds_against_exact_search(tmp_path: Path) -> None:
    """Chroma's HNSW at our parameters, on 3,000 random vectors, the hardest case for it."""
    vectors, queries = unit_vectors(3000, 64), unit_vectors(50, 64)
    ids = [f"chunk-{row}" for row in range(len(vectors))]
    write_collection(tmp_path, ids, vectors)
    found = 0
    with DenseIndex(tmp_path) as index:
        for query in queries:
            exact = {ids[row] for row in np.argsort(-(vectors @ query))[:10]}
            hits = index.query(query, 10)
            found += len(exact & {chunk_id for chunk_id, _ in hits})
            best_id, cosine = hits[0]
            assert cosine == pytest.approx(float(vectors[ids.index(best_id)] @ query), abs=1e-4)
    assert found / 500 >= 0.97


def test_a_collection_with_a_wrong_count_does_not_verify(tmp_path: Path) -> None:
    vectors = unit_vectors(20, 16)
    ids = [str(row) for row in range(20)]
    write_collection(tmp_path, ids, vectors)
    with DenseIndex(tmp_path) as index:
        with pytest.raises(IndexMismatch, match="holds 20 of 21"):
            index.verify([*ids, "20"], unit_vectors(21, 16))
        with pytest.raises(IndexMismatch, match="by its own vector"):
            index.verify(ids, vectors[::-1])


def test_every_dimension_is_derived_and_stands_beside_the_others(
    home_copy: Path, minilm: Embedder
) -> None:
    library = Library(home_copy)
    for dim in (256, 64):
        assert not is_current(library, minilm.spec, dim)
        snapshot = open_snapshot(library, minilm, dim)
        assert snapshot.passport.dim == dim
        assert is_current(library, minilm.spec, dim)
    assert is_current(library, minilm.spec, 384)
    linked = [
        (folder / LEXICAL / CHUNK_IDS).stat().st_ino
        for dim in (384, 256, 64)
        if (folder := current(index_root(home_copy, minilm.spec, dim)))
    ]
    assert len(set(linked)) == 1, "one BM25 index serves every dimension"


def test_a_rebuild_keeps_at_most_one_replaced_index(home_copy: Path, minilm: Embedder) -> None:
    library = Library(home_copy)
    for _ in range(3):
        build_index(library, minilm, 64, rebuild=True)
    assert len(list(index_root(home_copy, minilm.spec, 64).glob("build-*"))) == 2


def test_the_passport_refuses_what_does_not_fit(home_copy: Path, minilm: Embedder) -> None:
    library = Library(home_copy)
    folder = current(index_root(home_copy, minilm.spec, 384))
    assert folder is not None
    with pytest.raises(IndexMismatch, match=r"dimension 384, the settings say 128; run `python"):
        Snapshot.open(folder, library, minilm, 128)
    passport = json.loads((folder / FILE).read_text())
    (folder / FILE).write_text(json.dumps({**passport, "query_prompt": "query: "}))
    with pytest.raises(IndexMismatch, match="query prompt 'query: '"):
        Snapshot.open(folder, library, minilm, 384)
    (folder / FILE).write_text(json.dumps({**passport, "fingerprint": "0" * 12}))
    with pytest.raises(IndexMismatch, match="model fingerprint"):
        Snapshot.open(folder, library, minilm, 384)


def test_an_index_of_another_version_of_this_program_is_built_anew(
    home_copy: Path, minilm: Embedder
) -> None:
    library = Library(home_copy)
    older = current(index_root(home_copy, minilm.spec, 384))
    assert older is not None
    passport = json.loads((older / FILE).read_text())
    (older / FILE).write_text(json.dumps({**passport, "format": 1}))
    write_sums(older)
    with pytest.raises(OutdatedIndex, match="another version of this program"):
        Passport.load(older)
    assert not is_current(library, minilm.spec, 384)
    assert open_snapshot(library, minilm, 384).folder != older
    assert is_current(library, minilm.spec, 384)


def test_a_passport_is_the_same_whatever_the_order_of_chunks(minilm: Embedder) -> None:
    one = Passport.of(minilm.spec, 64, {}, ["a", "b"])
    assert one == Passport.of(minilm.spec, 64, {}, ["b", "a"])
    assert one != Passport.of(minilm.spec, 64, {}, ["a", "c"])


def test_an_unknown_dimension_lists_those_there_are(minilm: Embedder) -> None:
    assert minilm.spec.check_dim(None) == 384
    with pytest.raises(ModelError, match="choose one of 384, 256, 128, 64"):
        minilm.spec.check_dim(100)


def test_chunks_longer_than_the_model_reads_are_refused_before_they_are_encoded(
    home_copy: Path, minilm: Embedder
) -> None:
    short = Embedder(minilm.spec)
    short.model.max_seq_length = 64
    with pytest.raises(ModelError, match=r"reads 64 tokens, and \d+ chunks have up to \d+"):
        short.check_fits(list(Library(home_copy).passages().values()))
    minilm.check_fits(list(Library(home_copy).passages().values()))
