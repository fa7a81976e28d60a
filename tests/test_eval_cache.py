"""Embeddings kept by their text: encoded once, whatever asks for them again."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

import eval.cache
from eval.cache import CachedEmbedder, forget_oldest
from rag_app.index.embedder import Embedder, Vectors
from rag_app.library import Library

TEXTS = ["Net sales rose.", "A dividend was paid.", "Net sales rose.", "Leases end in 2031."]


class Counting(Embedder):
    """The real model, which says what it was made to encode."""

    def __init__(self, embedder: Embedder) -> None:
        super().__init__(embedder.spec)
        self._model = embedder.model
        self.encoded: list[str] = []

    def _encode(
        self, texts: Sequence[str], kind: str, on_progress: Callable[[int], None] | None
    ) -> Vectors:
        self.encoded += texts
        return super()._encode(texts, kind, on_progress)


@pytest.fixture
def counting(minilm: Embedder) -> Counting:
    return Counting(minilm)


def test_a_text_is_encoded_once(minilm: Embedder, counting: Counting, tmp_path: Path) -> None:
    plain = minilm.encode_documents(TEXTS)
    for _ in range(2):
        done: list[int] = []
        vectors = CachedEmbedder(counting, tmp_path).encode_documents(TEXTS, done.append)
        np.testing.assert_allclose(vectors, plain, atol=1e-5)
        assert sum(done) == len(TEXTS)
        assert sorted(counting.encoded) == sorted(set(TEXTS))
    more = CachedEmbedder(counting, tmp_path).encode_documents(["New.", *TEXTS])
    assert counting.encoded[3:] == ["New."]
    np.testing.assert_allclose(more[1:], plain, atol=1e-5)
    assert not list(tmp_path.rglob("*.pkl")) and list(tmp_path.rglob("*.safetensors"))


def test_prompts_and_models_are_kept_apart(minilm: Embedder, tmp_path: Path) -> None:
    spec = dataclasses.replace(minilm.spec, query_prompt="Weather: ")
    counting = Counting(Embedder(spec))
    cached = CachedEmbedder(counting, tmp_path)
    asked, held = cached.encode_queries(TEXTS[:1]), cached.encode_documents(TEXTS[:1])
    assert float(asked[0] @ held[0]) < 0.99
    assert len(counting.encoded) == 2
    other = Counting(Embedder(dataclasses.replace(spec, fingerprint="other")))
    CachedEmbedder(other, tmp_path).encode_documents(TEXTS[:1])
    assert other.encoded == TEXTS[:1]


def test_a_stopped_run_keeps_its_blocks(
    counting: Counting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eval.cache, "BLOCK_TEXTS", 1)

    def stop(done: int) -> None:
        if len(counting.encoded) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        CachedEmbedder(counting, tmp_path).encode_documents(TEXTS, stop)
    CachedEmbedder(counting, tmp_path).encode_documents(TEXTS)
    assert len(counting.encoded) == 4  # the second was encoded twice, the first was kept


def test_a_damaged_block_is_encoded_anew(counting: Counting, tmp_path: Path) -> None:
    cached = CachedEmbedder(counting, tmp_path)
    whole = cached.encode_documents(TEXTS)
    (block,) = tmp_path.rglob("*.safetensors")
    block.write_bytes(block.read_bytes()[:200])
    np.testing.assert_allclose(cached.encode_documents(TEXTS), whole, atol=1e-6)
    assert len(counting.encoded) == 6
    cached.encode_documents(TEXTS)
    assert len(counting.encoded) == 6


def test_the_vectors_of_the_library_serve(
    counting: Counting, sample_home: Path, tmp_path: Path
) -> None:
    library = Library(sample_home)
    passages = list(library.passages().values())
    cached = CachedEmbedder(counting, tmp_path, library)
    vectors = cached.encode_documents(passages)
    assert counting.encoded == []
    np.testing.assert_allclose(vectors[:3], counting.encode_documents(passages[:3]), atol=1e-5)


def test_the_models_unused_for_longest_go_first(tmp_path: Path) -> None:
    for age, name in enumerate(("new", "middle", "old")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "block.safetensors").write_bytes(b"x" * 100)
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    forget_oldest(tmp_path, tmp_path / "old", limit_bytes=200)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "old"]
