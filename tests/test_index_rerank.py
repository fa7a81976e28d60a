"""The optional cross-encoder: its scores order the hits; what cannot be used is said in a line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tiny_model import build_tiny_cross_encoder

from rag_app.__main__ import main
from rag_app.errors import ModelError
from rag_app.filings.chunks import passage_text
from rag_app.index.embedder import Embedder
from rag_app.index.rerank import open_reranker
from rag_app.index.retriever import FilingsRetriever, served_retriever
from rag_app.index.serving import open_snapshot
from rag_app.library import Library
from rag_app.records import Filters
from rag_app.settings import load_settings

QUESTION = "How many in the year?"


@pytest.fixture(scope="module")
def cross(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small CrossEncoder with random weights."""
    return build_tiny_cross_encoder(tmp_path_factory.mktemp("cross"))


def test_hits_follow_the_cross_encoder(cross: Path, sample_home: Path, minilm: Embedder) -> None:
    from sentence_transformers import CrossEncoder

    snapshot = open_snapshot(Library(sample_home), minilm, 384)
    before = FilingsRetriever(snapshot, k=30, collapse=False).retrieve(QUESTION)
    settings = load_settings(reranker=str(cross), k=30, collapse=False, home=sample_home)
    after = served_retriever(snapshot, settings, Filters()).retrieve(QUESTION)
    model = CrossEncoder(str(cross))
    expected = model.predict([(QUESTION, passage_text(hit.node)) for hit in before])
    by_id = dict(zip((hit.node_id for hit in before), expected.tolist(), strict=True))
    assert {hit.node_id for hit in after} == by_id.keys()
    assert [hit.score for hit in after] == pytest.approx(
        sorted(by_id.values(), reverse=True), abs=1e-3
    )
    assert [hit.node_id for hit in after] != [hit.node_id for hit in before]
    best = max(by_id, key=lambda id_: (round(by_id[id_], 6), id_))
    assert by_id[after[0].node_id] == pytest.approx(by_id[best], abs=1e-5)
    few = served_retriever(snapshot, settings, Filters(), k=2).retrieve(QUESTION)
    assert [hit.node_id for hit in few] == [hit.node_id for hit in after[:2]]


def test_a_reranker_that_is_missing_is_one_line(
    sample_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAG_HOME", str(sample_home))
    monkeypatch.setenv("RAG_MODEL", "minilm")
    monkeypatch.setenv("RAG_RERANKER", "/nowhere/cross")
    assert main(["ask", QUESTION]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: There is no reranker at /nowhere/cross") and error[-1] == "\n"


def test_a_reranker_that_cannot_be_used_is_named(cross: Path, tmp_path: Path) -> None:
    pickled = tmp_path / "pickled"
    shutil.copytree(cross, pickled)
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"has no model\.safetensors"):
        open_reranker(str(pickled))
    broken = tmp_path / "broken"
    shutil.copytree(cross, broken)
    (broken / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ModelError, match="does not load from"):
        open_reranker(str(broken)).scores(QUESTION, ["the year"])
