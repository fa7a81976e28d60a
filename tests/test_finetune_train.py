"""The train path with the real trainer and MiniLM: a few steps on made-up rows."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from tiny_model import write_rows

from eval.report import load_report
from eval.rows import load_qa_rows
from finetune.__main__ import main
from finetune.config import load_config
from finetune.hardware import Hardware
from finetune.pairs import build_pairs
from finetune.run import Workplace
from finetune.train import train
from rag_app.index.embedder import Embedder
from rag_app.index.models import ModelSpec, resolve_model


@pytest.fixture(scope="module")
def rows_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 rows, the last with no question."""
    return write_rows(tmp_path_factory.mktemp("data") / "rows.csv", blank_last=True)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def folder(home: Path, rows_csv: Path) -> Path:
    """A model trained for 2 steps through the command line, with prompts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAG_HOME", str(home))
        patch.setenv("RAG_QUERY_PROMPT", "query: ")
        arguments = ["--recipe", "notebook", "--data", str(rows_csv), "--max-steps", "2"]
        more = ["--batch-size", "18", "--out", "tiny", "--seed", "7", "--no-promote", "--debug"]
        assert main([*arguments, *more]) == 0
    return home / "models" / "tiny"


def test_training_changes_the_weights_and_leaves_only_the_model(
    folder: Path, home: Path, minilm: Embedder
) -> None:
    from safetensors.numpy import load_file

    before = load_file(minilm.spec.folder / "model.safetensors")
    after = load_file(folder / "model.safetensors")

    name = "encoder.layer.0.attention.self.query.weight"
    assert after[name].dtype == np.float32
    assert not np.array_equal(before[name], after[name])
    assert np.allclose(before[name], after[name], atol=1e-3)
    assert [path.name for path in (home / "models").iterdir()] == ["tiny"]
    assert not list(folder.rglob("*.bin"))


def test_folder_opens_with_plain_sentence_transformers(folder: Path) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), truncate_dim=64)

    assert model.encode_query(["How many lamps?"]).shape == (1, 64)
    assert model.prompts["query"] == "query: "


def test_folder_is_a_model_of_the_app(folder: Path, home: Path) -> None:
    spec = resolve_model("tiny", home)

    assert spec.dims == (384, 256, 128, 64)
    assert (spec.query_prompt, spec.document_prompt) == ("query: ", "")
    assert spec.fingerprint == load_report(folder / "report_tuned.json").fingerprint


def test_reports_of_base_and_tuned_stand_beside_the_model(folder: Path) -> None:
    base, tuned = (load_report(folder / f"report_{name}.json") for name in ("base", "tuned"))

    assert (base.model, tuned.model) == ("minilm", "tiny")
    assert base.evalset_sha256 == tuned.evalset_sha256
    assert list(tuned.metrics) == ["384", "256", "128", "64"]
    assert base.fingerprint != tuned.fingerprint


def test_train_config_says_what_the_run_was_made_of(folder: Path, rows_csv: Path) -> None:
    record = json.loads((folder / "train_config.json").read_text("utf-8"))
    config, run = record["config"], record["run"]

    assert (config["data"], config["seed"], config["max_steps"]) == (str(rows_csv), 7, 2)
    assert config["learning_rate"] == 2e-5
    assert run["dims"] == [384, 256, 128, 64]
    assert run["data"]["rows"] == 60
    assert run["data"]["train_rows"] == 54
    assert run["data"]["pairs"] + run["data"]["dropped"] == 54
    assert run["data"]["dropped"] == 1
    assert run["data"]["split"] == "notebook"
    assert (run["data"]["dev_rows"], run["dev_score"]) == (0, None)
    (curve,) = run["curves"]
    assert len(curve["losses"]) == curve["kept_step"] == 2
    assert 0 < run["padding"] < 0.5
    assert {"torch", "sentence-transformers", "datasets"} <= set(run["versions"])


def test_card_has_head_table_prompts_and_no_local_path(folder: Path, rows_csv: Path) -> None:
    import yaml

    card = (folder / "README.md").read_text("utf-8")
    head = yaml.safe_load(card.split("---\n")[1])

    assert head["base_model"] == "sentence-transformers/all-MiniLM-L6-v2"
    assert head["library_name"] == "sentence-transformers"
    assert "datasets" not in head
    results = head["model-index"][0]["results"]
    measured = load_report(folder / "report_tuned.json").metrics["64"]["ndcg@10"]
    assert results[-1]["metrics"][0] == {"type": "ndcg@10", "value": round(measured, 4)}
    assert "| 64 |" in card
    assert '"query: "' in card
    assert "rows.csv" in card
    assert str(rows_csv.parent) not in card


def test_loading_example_of_the_card_runs(folder: Path) -> None:
    card = (folder / "README.md").read_text("utf-8")
    example = card.split("```python\n")[1].split("```")[0]
    names: dict[str, np.ndarray] = {}

    exec(example.replace("path/to/this/folder", str(folder)), names)

    assert np.allclose(np.linalg.norm(names["queries"], axis=1), 1, atol=1e-5)


def test_existing_name_is_refused_and_untouched(
    folder: Path,
    home: Path,
    rows_csv: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("RAG_HOME", str(home))
    before = (folder / "train_config.json").read_bytes()

    assert main(["--data", str(rows_csv), "--out", "tiny"]) == 2

    assert capsys.readouterr().err == (
        f"error: There is already a model at {folder}; choose another --out, or remove that "
        "folder.\n"
    )
    assert (folder / "train_config.json").read_bytes() == before


def test_what_the_parts_share_is_kept_beside_the_model(folder: Path) -> None:
    kept = (folder / "leakage.txt").read_text("utf-8")
    assert "companies that training has" in kept
    assert "`leakage.txt` says what the parts share" in " ".join(
        (folder / "README.md").read_text("utf-8").split()
    )


def test_a_served_dimension_that_is_not_trained_is_refused_before_training(
    rows_csv: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--set", "dims=[256, 64]", "--set", "evaluations=1", "--out", "other", "--no-promote"]
    assert main(["--data", str(rows_csv), *flags]) == 2
    said = capsys.readouterr().err
    assert "add --set served_dim=64" in said.splitlines()[-1]
    assert "Scoring" not in said


def test_wrong_columns_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "wrong.csv"
    path.write_text("prompt,context\nWho?,Acme.\n")

    assert main(["--data", str(path)]) == 2

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"error: {path} lacks question (row 0)")
    assert not list((tmp_path / "home" / "models").iterdir())


def test_unknown_recipe_and_base_are_one_sentence(
    rows_csv: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--recipe", "magic"]) == 2
    assert "error: There is no recipe magic; known recipes: notebook" in capsys.readouterr().err
    assert main(["--data", str(rows_csv), "--base", "nothing-here"]) == 2
    assert "There is no model nothing-here" in capsys.readouterr().err.splitlines()[-1]


def test_interrupt_leaves_no_model(
    rows_csv: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupt(self: Embedder, queries: list[str]) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Embedder, "encode_queries", interrupt)

    assert main(["--data", str(rows_csv), "--resume"]) == 130
    said = capsys.readouterr().err
    assert "is there to go on with; it is trained from the start" in said
    assert "There was no checkpoint of minilm-ours yet, so nothing of it is kept." in said
    assert said.splitlines()[-1].startswith("Stopped; ")
    assert not list((tmp_path / "home" / "models").iterdir())


def test_internal_failure_is_one_line_and_the_traceback_asks_for_debug(
    rows_csv: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(self: Embedder, queries: list[str]) -> None:
        raise ZeroDivisionError("a bug\nof ours")

    monkeypatch.setattr(Embedder, "encode_queries", fail)

    assert main(["--data", str(rows_csv)]) == 1
    captured = capsys.readouterr().err
    assert "internal error: ZeroDivisionError: a bug of ours" in captured.splitlines()[-1]
    assert "Traceback" not in captured
    assert main(["--data", str(rows_csv), "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_same_seed_same_losses(rows_csv: Path, minilm: Embedder, tmp_path: Path) -> None:
    one, same, other = (_losses(rows_csv, minilm.spec, tmp_path, seed) for seed in (1, 1, 2))

    assert one == pytest.approx(same, abs=1e-6)
    assert one != pytest.approx(other, abs=1e-6)


def _losses(data: Path, spec: ModelSpec, scratch: Path, seed: int) -> tuple[float, ...]:
    config = dataclasses.replace(
        load_config("notebook", {"seed": seed, "max_steps": 2, "batch_size": 4}),
        accumulation_steps=1,
        warmup_share=0.0,
    )
    pairs = build_pairs(load_qa_rows(str(data)), config.columns)
    workplace = Workplace(
        scratch / f"{seed}", scratch / "logs", Hardware("cpu", bf16=False, tf32=False)
    )
    shutil.rmtree(workplace.scratch, ignore_errors=True)
    return train(spec, pairs, config, workplace).curves[0].losses
