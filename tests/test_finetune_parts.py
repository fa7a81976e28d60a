"""Pairs, hardware rule, model folders, samples and the card's provenance."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from eval.evalset import EvalSet
from eval.retrieval import evaluate
from eval.rows import QaRow
from finetune.hardware import cpu_has_bf16
from finetune.model_folder import new_model
from finetune.provenance import UNKNOWN_REVISION, git_revision, rows_sha256
from finetune.samples import KeepingEmbedder, draw_samples
from rag_app.errors import LibraryError, TrainingError
from rag_app.index.embedder import Embedder


def row(number: int, question: str, context: str, answer: str = "") -> QaRow:
    return QaRow(str(number), question, answer, context, "ACME", "2023_10K")


ROWS = [
    row(0, "What did Acme sell?", "Acme sold anvils."),
    row(1, " ", "Nobody asks of this."),
    row(2, "Who answers?", ""),
    row(3, "Where is Acme?", "Acme sits in Tucson."),
]


@pytest.mark.parametrize(
    ("flags", "bf16"),
    [
        ("fpu sse2 avx512f avx512_bf16", True),
        ("fpu amx_bf16 amx_tile", True),
        ("fpu avx2 avx512f avx512_bf160", False),
        ("", False),
    ],
)
def test_bf16_on_a_processor_needs_its_instructions(flags: str, bf16: bool) -> None:
    cpuinfo = f"processor\t: 0\nmodel name\t: avx512_bf16 dreams\nflags\t\t: {flags}\n"
    assert cpu_has_bf16(cpuinfo) is bf16


def test_hash_of_rows_follows_text_and_order() -> None:
    assert rows_sha256(ROWS) == rows_sha256(list(ROWS))
    assert rows_sha256(ROWS) != rows_sha256(ROWS[::-1])
    assert rows_sha256(ROWS) != rows_sha256([*ROWS[:3], row(3, "Where is Acme?", "In Tucson.")])


def test_git_revision_is_the_commit_or_unknown(tmp_path: Path) -> None:
    assert git_revision(tmp_path) == UNKNOWN_REVISION
    git = ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    (tmp_path / "file").write_text("one")
    subprocess.run([*git, "add", "file"], check=True)
    subprocess.run([*git, "commit", "-qm", "one"], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)

    assert git_revision(tmp_path) == commit.stdout.strip()
    (tmp_path / "file").write_text("two")
    assert git_revision(tmp_path) == f"{commit.stdout.strip()}-dirty"


@pytest.mark.parametrize("name", ["", "a/b", "../a", ".hidden", "minilm", "a b"])
def test_names_that_are_no_folders_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(TrainingError, match="cannot be called"), new_model(tmp_path, name):
        pass
    assert not list(tmp_path.iterdir())


def test_an_unpublished_draft_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), new_model(tmp_path, "mine") as draft:
        draft.model.mkdir()
        raise KeyboardInterrupt
    assert not list((tmp_path / "models").iterdir())


def test_a_published_draft_is_all_that_stays(tmp_path: Path) -> None:
    with new_model(tmp_path, "mine") as draft:
        draft.model.mkdir()
        (draft.model / "weights").write_text("w")
        draft.scratch.mkdir()
        draft.publish()
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["mine"]
    assert (draft.target / "weights").read_text() == "w"


def test_two_runs_of_one_name_do_not_mix(tmp_path: Path) -> None:
    with new_model(tmp_path, "mine") as draft:
        with pytest.raises(LibraryError, match=f"pid {os.getpid()}"), new_model(tmp_path, "mine"):
            pass
        assert draft.model.parent.is_dir()


def test_what_a_killed_run_left_is_cleared_away(tmp_path: Path) -> None:
    left = tmp_path / "models" / ".training-mine" / "scratch"
    left.mkdir(parents=True)
    (left / "half").write_text("h")
    with new_model(tmp_path, "mine") as draft:
        assert not draft.scratch.exists()
        draft.model.mkdir()
        draft.publish()
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["mine"]


def test_a_name_taken_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    with new_model(tmp_path, "mine") as draft:
        draft.model.mkdir()
        draft.target.mkdir()
        (draft.target / "theirs").write_text("t")
        with pytest.raises(TrainingError, match="choose another --out"):
            draft.publish()
    assert (draft.target / "theirs").read_text() == "t"


def test_samples_show_the_first_passage_and_whether_it_is_right(minilm: Embedder) -> None:
    evalset = EvalSet(
        name="notebook",
        queries={"a": "What does Acme sell?", "b": "Where is the head office?"},
        corpus={"a": "Acme sells anvils.", "b": "Rain fell.", "c": "The head office is in Tucson."},
        qrels={"a": {"a": 1}, "b": {"b": 1}},
        groups={"a": "ACME", "b": "ACME"},
    )
    embedder = KeepingEmbedder(minilm.spec)
    evaluate(embedder, evalset, (64,))

    first, second = draw_samples(embedder, embedder, evalset, 64)

    assert (first.base_passage, first.base_right) == ("Acme sells anvils.", True)
    assert (second.tuned_passage, second.tuned_right) == ("The head office is in Tucson.", False)
    assert "wrong  The head office is in Tucson." in str(second)
