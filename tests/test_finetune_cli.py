"""The command line of training: flags to a recipe, commands, and what is refused at once."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from finetune.__main__ import COMMANDS, main
from finetune.flags import add_recipe_flags, overrides_of
from rag_app.index.served import serve, served_model

ROOT = Path(__file__).parent.parent


def parse(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_recipe_flags(parser)
    return parser.parse_args(words)


def home(tmp_path: Path) -> Path:
    """What the fixture ``clean_environment`` has set as RAG_HOME."""
    return tmp_path / "home"


def error_of(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on stderr."""
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_flags_change_only_what_they_name() -> None:
    assert overrides_of(parse()) == {}
    assert overrides_of(parse("--data", "x.csv", "--serve-on", "library", "--epochs", "2")) == {
        "data": "x.csv",
        "serve_on": "library",
        "epochs": 2,
    }


def test_set_reaches_every_field_and_a_flag_of_its_own_wins() -> None:
    words = ["--set", "learning_rate=3e-5", "--set", "dims=[64, 32]", "--set", "epochs=9"]
    assert overrides_of(parse(*words, "--epochs", "2")) == {
        "learning_rate": 3e-5,
        "dims": [64, 32],
        "epochs": 2,
    }


def test_help_names_examples_and_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert "python -m finetune --data questions.csv --out mine --resume" in shown
    for name in COMMANDS:
        assert f"\n  {name} " in shown


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"python -m finetune {command}" in capsys.readouterr().out


def test_a_command_after_flags_is_not_taken_for_training(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--epochs", "2", "sweep"])
    assert ended.value.code == 2
    assert "unrecognized arguments: sweep" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--recipe", "magic"], "There is no recipe magic; known recipes: "),
        (["--set", "scale"], "--set scale is not FIELD=VALUE"),
        (["--set", "colour=red"], "A recipe has no field colour; its fields: "),
        (["--push-to-hub", "mine"], "mine is not the name of a hub repository"),
        (
            ["--recipe", "numeric", "--question-column", "q"],
            "The numeric recipe reads FinQA's own fields; leave out the --...-column flags.",
        ),
        (["sweep", "--recipe", "notebook"], "The recipe notebook has no [search] table"),
        (["sweep", "--recipe", "magic"], "magic has no [search] table"),
        (["promote"], "Name a model to promote, or give --rollback"),
        (["promote", "mine", "--rollback"], "one of the two"),
        (["promote", "--rollback"], "Nothing was promoted"),
        (["promote", "mine"], "There is no trained model mine to promote"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_exit_code_2(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    line = error_of(capsys)
    assert line.startswith("error: ")
    assert sentence in line


@pytest.mark.parametrize("words", [["--trials", "0"], ["--out", "../x"], ["--trials", "few"]])
def test_a_sweep_with_odd_flags_is_refused(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["sweep", "--recipe", "numeric", *words])
    assert ended.value.code == 2


def test_rollback_serves_what_was_served_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAG_MODEL")
    serve(home(tmp_path), "mine")
    assert main(["promote", "--rollback", "--debug"]) == 0
    assert capsys.readouterr().out == f"{served_model(home(tmp_path))} is served from now on.\n"
    assert served_model(home(tmp_path)) != "mine"


def test_a_setting_that_goes_before_the_served_model_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAG_MODEL", "another")
    monkeypatch.setenv("RAG_DIM", "77")
    serve(home(tmp_path), "mine")
    assert main(["promote", "--rollback"]) == 0
    shown = capsys.readouterr().out
    assert "Your settings name another, which goes before" in shown
    assert "the dimension 77, which it does not have; choose one of 384" in shown


def test_status_says_what_is_served(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from rag_app.__main__ import main as app

    serve(home(tmp_path), "minilm")
    assert app(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["served"] == "minilm"
    assert app(["status"]) == 0
    assert "served     minilm, where no setting or flag names another" in capsys.readouterr().out


def test_chunks_that_the_served_model_has_not_encoded_are_told_with_the_command(
    home_copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAG_HOME", str(home_copy))
    monkeypatch.setenv("RAG_QUERY_PROMPT", "another: ")
    serve(home_copy, "mine")
    assert main(["promote", "--rollback"]) == 0
    shown = capsys.readouterr().out
    assert "chunks of the library are to be encoded" in shown
    assert f"python -m rag_app index --model {served_model(home_copy)}" in shown
