"""Retrieval: exact under a filter, fused with BM25, never widened, LlamaIndex's own type."""

from __future__ import annotations

from pathlib import Path

import pytest
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import MetadataMode, TextNode

from rag_app.errors import LibraryError
from rag_app.index.embedder import Embedder, truncate
from rag_app.index.retriever import FilingsRetriever, fuse
from rag_app.index.serving import open_snapshot
from rag_app.index.snapshot import Snapshot
from rag_app.library import Library
from rag_app.records import Filters

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


def test_bm25_brings_in_its_own_hits(snapshot: Snapshot) -> None:
    """A rare word that the encoder does not know decides."""
    retriever = FilingsRetriever(snapshot, k=5)
    assert isinstance(retriever, BaseRetriever)
    fused = retriever.retrieve(QUESTION)
    assert any("$94.6 million" in hit.text for hit in fused)
    dense_only = FilingsRetriever(snapshot, k=100, lexical=False).retrieve("ASC 842")
    lexical_first = FilingsRetriever(snapshot, k=5).retrieve("ASC 842")
    outside = {hit.node_id for hit in lexical_first} - {hit.node_id for hit in dense_only}
    for hit in lexical_first:
        assert -1 <= hit.metadata["cosine"] <= 1
    assert outside or {h.node_id for h in lexical_first} != {h.node_id for h in dense_only[:5]}


def test_hits_add_no_metadata_to_their_text(snapshot: Snapshot) -> None:
    hit = FilingsRetriever(snapshot, k=1).retrieve(QUESTION)[0]
    assert isinstance(hit.node, TextNode)
    for mode in (MetadataMode.LLM, MetadataMode.EMBED):
        assert hit.node.get_content(metadata_mode=mode) == hit.node.text


def test_fuse_adds_reciprocal_ranks_and_breaks_ties_by_id() -> None:
    fused = fuse([[("b", 0.9), ("a", 0.8)], [("a", 7.0), ("b", 6.0), ("c", 1.0)]])
    assert [chunk_id for chunk_id, _ in fused] == ["a", "b", "c"]
    assert dict(fused)["a"] == pytest.approx(1 / 61 + 1 / 62)
    assert dict(fused)["c"] == pytest.approx(1 / 63)
