"""What is published of a run: means over seeds, the way back to the base, low-rank matrices."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from datasets import Dataset
from safetensors.numpy import load_file
from tiny_model import run, settings

from finetune.adapter import save_adapter
from finetune.lora import SCALE, add_matrices, stored_matrices
from finetune.turning import AXES_FILE, turn, write_axes
from finetune.weights import save_trained, trained_parameters
from rag_app.index.adapter import apply_adapter
from rag_app.index.embedder import Embedder
from rag_app.index.models import resolve_model

WEIGHT = "encoder.layer.1.attention.self.query.weight"


def test_seeds_are_averaged_and_led_back_to_the_base(material: Path, tmp_path: Path) -> None:
    for name, changes in (
        ("one", {"seed": 1}),
        ("two", {"seed": 2}),
        ("both", {"seed": 1, "seeds": 2, "base_share": 0.25}),
    ):
        run(settings(material, epochs=1, evaluations=0, **changes), tmp_path, name)
    base = load_file(material / "model/model.safetensors")
    one, two, both = (
        load_file(tmp_path / "models" / name / "model.safetensors")
        for name in ("one", "two", "both")
    )

    assert not np.allclose(one[WEIGHT], two[WEIGHT], atol=1e-4)
    mean = (one[WEIGHT] + two[WEIGHT]) / 2
    assert np.allclose(both[WEIGHT], 0.75 * mean + 0.25 * base[WEIGHT], atol=1e-6)


def test_a_low_rank_run_changes_its_layers_alone_and_leaves_an_adapter(
    material: Path, tmp_path: Path
) -> None:
    run(settings(material, lora_rank=4, learning_rate=1e-2), tmp_path, "low")
    folder = tmp_path / "models/low"
    base = load_file(material / "model/model.safetensors")
    tuned = load_file(folder / "model.safetensors")
    adapter = load_file(folder / "adapter/adapter.safetensors")
    record = json.loads((folder / "adapter/adapter.json").read_text("utf-8"))

    down, up = (adapter[f"{WEIGHT}.lora_{part}"].astype(np.float32) for part in "AB")
    assert down.shape == (4, 128)
    assert np.abs(up).max() > 0
    expected = base[WEIGHT] + record["scale"] * up @ down
    assert np.allclose(tuned[WEIGHT], expected, atol=1e-6)
    word = "embeddings.word_embeddings.weight"
    assert np.array_equal(tuned[word], base[word])
    assert record["dims"] == [128, 64]
    assert resolve_model("low", tmp_path).dims == (128, 64)


@pytest.mark.parametrize("turned", [False, True])
def test_a_merged_adapter_gives_the_vectors_of_training(
    material: Path, tmp_path: Path, turned: bool
) -> None:
    spec = resolve_model(str(material / "model"), tmp_path)
    texts = ["How many tents did Birch ship?", "Elm shipped 41 thousand pianos in the year."]
    training, begun, merged = Embedder(spec), Embedder(spec), Embedder(spec)
    if turned:
        pairs = Dataset.from_dict({"anchor": texts, "positive": texts[::-1]})
        write_axes(spec, pairs, tmp_path / AXES_FILE, seed=1)
        turn(training.model, tmp_path / AXES_FILE)
        turn(begun.model, tmp_path / AXES_FILE)
    add_matrices(training.model, 4)
    with torch.no_grad():
        for weight in trained_parameters(training.model).values():
            weight.normal_(std=0.1, generator=torch.Generator().manual_seed(weight.shape[0]))
    save_trained(training.model, tmp_path / "kept.safetensors")

    matrices = stored_matrices(begun.model, tmp_path / "kept.safetensors")
    save_adapter(tmp_path / "adapter", spec, matrices, SCALE, (128, 64))
    apply_adapter(merged.model, tmp_path / "adapter")

    expected = training.encode_queries(texts)
    assert np.allclose(merged.encode_queries(texts), expected, atol=2e-3)
    assert np.abs(Embedder(spec).encode_queries(texts) - expected).max() > 0.05
