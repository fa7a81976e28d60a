"""Retrieval: exact under a filter, rescored, fused with BM25, never widened, LlamaIndex's type."""

from __future__ import annotations

import mmap
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import MetadataMode, QueryBundle, TextNode

from rag_app.errors import LibraryError
from rag_app.index.embedder import Embedder, truncate
from rag_app.index.opened import StoredChunks
from rag_app.index.retriever import POOL, FilingsRetriever, served_retriever
from rag_app.index.serving import open_snapshot
from rag_app.index.snapshot import Snapshot
from rag_app.index.vectors import load_vectors, map_vectors, save_vectors
from rag_app.library import Library
from rag_app.records import Filters
from rag_app.retrieval import open_retriever
from rag_app.settings import load_settings

QUESTION = "How large was Larkspur's order backlog?"


@pytest.fixture(scope="module")
def snapshot(sample_home: Path, minilm: Embedder) -> Snapshot:
    return open_snapshot(Library(sample_home), minilm, 384)


def test_a_filtered_search_is_exact(snapshot: Snapshot, minilm: Embedder) -> None:
    filters = Filters(ticker="lksp", fiscal_year=2023)
    retriever = FilingsRetriever(snapshot, filters=filters, k=10, lexical=False)
    hits = retriever.retrieve(QUESTION)
    ids, vectors = snapshot.vectors_of(["LKSP_10-K_2023-12-31"])
    query = truncate(minilm.encode_queries([QUESTION]), 384)[0]
    exact = sorted(zip(vectors @ query, ids, strict=True), reverse=True)[:10]
    assert [hit.node_id for hit in hits] == [chunk_id for _, chunk_id in exact]
    assert hits[0].score == pytest.approx(exact[0][0], abs=1e-3)
    assert [hit.metadata["rank"] for hit in hits] == list(range(1, 11))


def test_filters_admit_only_what_they_say(snapshot: Snapshot) -> None:
    for lexical in (True, False):
        hits = FilingsRetriever(
            snapshot, filters=Filters(ticker="TSLT", fiscal_year=2024), k=20, lexical=lexical
        ).retrieve(QUESTION)
        assert len(hits) == 20
        assert {(hit.metadata["ticker"], hit.metadata["fiscal_year"]) for hit in hits} == {
            ("TSLT", 2024)
        }


def test_a_filter_that_matches_nothing_says_so(snapshot: Snapshot) -> None:
    with pytest.raises(LibraryError, match=r"No filing in the library matches TSLT 10-Q; it holds"):
        FilingsRetriever(snapshot, filters=Filters(ticker="TSLT", form="10-Q")).retrieve(QUESTION)


def test_each_side_brings_in_its_own_candidates(snapshot: Snapshot) -> None:
    retriever = FilingsRetriever(snapshot, k=5)
    assert isinstance(retriever, BaseRetriever)
    assert any("$94.6 million" in hit.text for hit in retriever.retrieve(QUESTION))
    dense = set(FilingsRetriever(snapshot, lexical=False).candidates(QUESTION).ids)
    words = {id_ for id_, _ in snapshot.lexical.query(QUESTION, POOL)}
    assert words - dense and dense - words
    assert set(retriever.candidates(QUESTION).ids) == dense | words


def test_hits_add_no_metadata_to_their_text(snapshot: Snapshot) -> None:
    hit = FilingsRetriever(snapshot, k=1).retrieve(QUESTION)[0]
    assert isinstance(hit.node, TextNode)
    for mode in (MetadataMode.LLM, MetadataMode.EMBED):
        assert hit.node.get_content(metadata_mode=mode) == hit.node.text


@pytest.fixture(scope="module")
def narrow(
    sample_home: Path, minilm: Embedder, tmp_path_factory: pytest.TempPathFactory
) -> Snapshot:
    """The sample served at 64 dimensions."""
    home = tmp_path_factory.mktemp("narrow") / "home"
    shutil.copytree(sample_home, home)
    return open_snapshot(Library(home), minilm, 64)


def test_candidates_of_the_small_dimension_are_ordered_at_full_width(
    narrow: Snapshot, minilm: Embedder
) -> None:
    full = minilm.encode_queries([QUESTION])
    ids = narrow.opened.vectors("LKSP_10-K_2023-12-31").ids
    vectors = narrow.opened.gather(ids)
    coarse = truncate(vectors, 64) @ truncate(full, 64)[0]
    pool = [ids[row] for row in np.argsort(-coarse, kind="stable")[:POOL]]
    fine = dict(zip(ids, vectors @ full[0], strict=True))
    filters = Filters(ticker="LKSP", fiscal_year=2023)
    hits = FilingsRetriever(narrow, filters=filters, k=10, lexical=False).retrieve(QUESTION)
    assert [hit.node_id for hit in hits] == sorted(pool, key=lambda id_: -fine[id_])[:10]
    assert hits[0].score == pytest.approx(fine[hits[0].node_id], abs=1e-4)
    plain = FilingsRetriever(narrow, filters=filters, k=10, lexical=False, rescore=False)
    found = plain.retrieve(QUESTION)
    assert [hit.node_id for hit in found] == pool[:10] != [hit.node_id for hit in hits]
    assert found[0].metadata["cosine"] == pytest.approx(coarse.max(), abs=1e-4)


@pytest.mark.parametrize("filters", [Filters(), Filters(ticker="TSLT")])
def test_every_candidate_has_its_true_score_of_both_sides(
    narrow: Snapshot, minilm: Embedder, filters: Filters
) -> None:
    pool = FilingsRetriever(narrow, filters=filters).candidates(QUESTION)
    query = minilm.encode_queries([QUESTION])[0]
    assert pool.cosines == pytest.approx(narrow.opened.gather(pool.ids) @ query, abs=1e-5)
    words = dict(narrow.lexical.query(QUESTION, 10_000))
    assert list(pool.bm25) == pytest.approx([words.get(id_, 0.0) for id_ in pool.ids])
    best = {id_ for id_, _ in narrow.lexical.query(QUESTION, 5)}
    assert filters or best <= set(pool.ids)
    assert list(pool.ids) == sorted(set(pool.ids)) and len(pool.ids) > 1


def test_a_program_opens_the_retriever_in_one_call(
    sample_home: Path, snapshot: Snapshot, capsys: pytest.CaptureFixture[str]
) -> None:
    from llama_index.core.llms import MockLLM
    from llama_index.core.query_engine import RetrieverQueryEngine

    filters = Filters("LKSP", fiscal_year=2023)
    opened = open_retriever(filters, home=sample_home, k=3)
    served = served_retriever(snapshot, load_settings(k=3), filters)
    question = "What was the order backlog?"
    ids = [hit.node.node_id for hit in served.retrieve(question)]
    assert [hit.node.node_id for hit in opened.retrieve(question)] == ids
    engine = RetrieverQueryEngine.from_args(opened, llm=MockLLM())
    assert [hit.node.node_id for hit in engine.query(question).source_nodes] == ids
    with pytest.raises(LibraryError, match="No filing in the library matches ZZZ"):
        open_retriever(Filters("ZZZ"), home=sample_home)
    assert not capsys.readouterr().err


def test_an_item_narrows_within_a_filing(snapshot: Snapshot) -> None:
    filters = Filters(ticker="LKSP", item="1A")
    hits = FilingsRetriever(snapshot, filters=filters, k=50).retrieve(QUESTION)
    assert {(hit.metadata["ticker"], hit.metadata["item"]) for hit in hits} == {("LKSP", "1A")}
    with pytest.raises(LibraryError, match="No passage of LKSP Item 99 is in the index"):
        FilingsRetriever(snapshot, filters=Filters("LKSP", item="99")).retrieve(QUESTION)


def test_what_was_opened_once_is_not_opened_again(home_copy: Path, minilm: Embedder) -> None:
    opened = open_snapshot(Library(home_copy), minilm, 384)
    retriever = FilingsRetriever(opened, filters=Filters(ticker="LKSP"), k=10)
    before = retriever.retrieve(QUESTION)
    for path in home_copy.glob("filings/*/*/vectors/*.safetensors"):
        path.unlink()
    after = retriever.retrieve(QUESTION)
    assert [(hit.node_id, hit.score) for hit in after] == [
        (hit.node_id, hit.score) for hit in before
    ]
    with pytest.raises(LibraryError, match="run `python -m rag_app index`"):
        FilingsRetriever(opened, filters=Filters(ticker="TSLT")).retrieve(QUESTION)


@pytest.mark.parametrize(("soft", "hard", "mapped"), [(64, 4_096, 1_500), (64, 512, 256)])
def test_as_many_files_stay_mapped_as_the_process_may_open(
    soft: int, hard: int, mapped: int
) -> None:
    """A library of 1,500 filings; in a process of its own, whose limits it lowers for good."""
    told = f"""
import resource
from pathlib import Path
from rag_app.index.opened import OpenedFilings
from rag_app.library import Library
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
opened = OpenedFilings(Library(Path("nowhere")), {{str(n): "v" for n in range(1_500)}}, "f")
print(opened.vectors.cache_info().maxsize, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""
    ran = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == [str(mapped), str(2 * mapped)]


def test_a_question_may_bring_its_vector(snapshot: Snapshot, minilm: Embedder) -> None:
    other = minilm.encode_queries(["Who audits the accounts?"])[0].tolist()
    retriever = FilingsRetriever(snapshot, k=3, lexical=False)
    given = retriever.retrieve(QueryBundle(QUESTION, embedding=other))
    asked = retriever.retrieve("Who audits the accounts?")
    assert [hit.node_id for hit in given] == [hit.node_id for hit in asked]
    bundle = QueryBundle(QUESTION)
    retriever.retrieve(bundle)
    assert bundle.embedding == minilm.encode_queries([QUESTION])[0].tolist()


def test_settings_switch_every_stage(snapshot: Snapshot, sample_home: Path) -> None:
    chosen = load_settings(
        home=sample_home, lexical=False, dense_share=0.2, rescore=False, collapse=False, k=7
    )
    found = served_retriever(snapshot, chosen, Filters("LKSP"))
    assert (found.lexical, found.dense_share, found.rescore) == (False, 0.2, False)
    assert (found.collapse, found.reranker, found.k, found.filters) == (
        False,
        None,
        7,
        Filters("LKSP"),
    )
    alone = FilingsRetriever(snapshot, k=5, dense_share=0, collapse=False).retrieve(QUESTION)
    words = [id_ for id_, _ in snapshot.lexical.query(QUESTION, 5)]
    assert [hit.node_id for hit in alone] == words


def test_vectors_are_mapped_and_a_damaged_file_is_named(tmp_path: Path) -> None:
    path, vectors = tmp_path / "v.safetensors", np.eye(3, 8, dtype=np.float32)
    save_vectors(path, ["a", "b", "c"], vectors)
    ids, mapped = map_vectors(path)
    assert (ids, mapped.tolist()) == (["a", "b", "c"], load_vectors(path)[1].tolist())
    owner: object = mapped
    while isinstance(owner, np.ndarray):
        owner = owner.base
    assert isinstance(owner, mmap.mmap)  # no copy in between
    with pytest.raises(ValueError, match="read-only"):
        mapped[0] = 1
    whole = path.read_bytes()
    for damaged in (whole[:-7], whole[:5], b"", whole[:8] + b"\xff" + whole[9:], whole + b"more"):
        path.write_bytes(damaged)
        with pytest.raises(LibraryError, match=r"v\.safetensors cannot be read"):
            map_vectors(path)


def test_chunks_are_read_one_by_one_as_the_library_has_them(home_copy: Path) -> None:
    library = Library(home_copy)
    key, version = next(iter(library.versions().items()))
    expected, stored = library.chunks(key, version), StoredChunks(library.folder(key, version))
    assert {id_: stored.node(id_).dict() for id_ in expected} == {
        id_: node.dict() for id_, node in expected.items()
    }
    assert stored.items() == {id_: node.metadata["item"] for id_, node in expected.items()}
    path = library.folder(key, version) / "chunks.jsonl"
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(LibraryError, match="is damaged"):
        StoredChunks(library.folder(key, version))
