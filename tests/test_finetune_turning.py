"""Turning a base to its principal axes before it trains."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from datasets import Dataset
from sentence_transformers import SentenceTransformer
from tiny_model import COMPANIES, THINGS, build_tiny_model, run, settings, write_rows

from eval.baseline_systems import principal
from finetune.turning import AXES_FILE, turn, write_axes
from rag_app.index.embedder import Embedder, truncate
from rag_app.index.models import ModelSpec, resolve_model

QUESTIONS = [f"How many {thing} did {company} ship?" for company in COMPANIES for thing in THINGS]
PASSAGES = [f"{company} shipped {len(thing)} {thing}." for company in COMPANIES for thing in THINGS]


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> ModelSpec:
    """A small untrained model."""
    folder = tmp_path_factory.mktemp("turning")
    return resolve_model(str(build_tiny_model(folder)), folder)


def test_a_turned_base_cut_short_is_its_principal_components(
    spec: ModelSpec, tmp_path: Path
) -> None:
    pairs = Dataset.from_dict({"anchor": QUESTIONS, "positive": PASSAGES})
    write_axes(spec, pairs, tmp_path / AXES_FILE, seed=0)
    base, turned = Embedder(spec), Embedder(spec)
    turn(turned.model, tmp_path / AXES_FILE)

    texts = QUESTIONS + PASSAGES
    vectors, _ = principal(base.encode_documents(texts[:9]), base.encode_documents(texts))
    cut = truncate(turned.encode_documents(texts[:9]), 64)
    # The sign of an axis is nobody's business; products of vectors do not see it.
    assert np.allclose(cut @ cut.T, truncate(vectors, 64) @ truncate(vectors, 64).T, atol=1e-3)
    plain = truncate(base.encode_documents(texts[:9]), 64)
    assert not np.allclose(cut @ cut.T, plain @ plain.T, atol=1e-2)


@pytest.mark.parametrize("lora_rank", [0, 4])
def test_a_turned_model_opens_with_plain_sentence_transformers(
    tmp_path: Path, lora_rank: int
) -> None:
    build_tiny_model(tmp_path)
    write_rows(tmp_path / "rows.csv")
    config = settings(tmp_path, epochs=1, principal_axes=True, lora_rank=lora_rank)
    run(config, tmp_path, "turned")

    spec = resolve_model("turned", tmp_path)
    assert (spec.width, spec.dims) == (128, (128, 64))
    plain = SentenceTransformer(str(spec.folder), truncate_dim=64)
    expected = truncate(Embedder(spec).encode_queries(QUESTIONS[:5]), 64)
    found = plain.encode_query(QUESTIONS[:5], normalize_embeddings=True)
    assert np.allclose(found, expected, atol=1e-5)
