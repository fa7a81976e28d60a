"""``eval duplicates``: questions that ask nearly the same."""

from __future__ import annotations

import csv
import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from eval.__main__ import main
from eval.rows import QaRow
from eval.similar import similar_groups, similar_pairs
from rag_app.index.embedder import Vectors, truncate


def rows_of(count: int) -> list[QaRow]:
    return [QaRow(str(i), f"q{i}", "", f"c{i % 2}", f"T{i % 3}", "") for i in range(count)]


def at_angles(*degrees: float) -> Vectors:
    turns = np.radians(np.array(degrees))
    return np.stack([np.cos(turns), np.sin(turns)], axis=1).astype(np.float32)


@pytest.mark.parametrize("block_rows", [1, 4, 1000])
def test_pairs_are_those_of_all_comparisons_whatever_the_block(block_rows: int) -> None:
    vectors = truncate(np.random.default_rng(0).standard_normal((30, 4)).astype(np.float32), 4)
    found = {(one, other) for one, other, _ in similar_pairs(vectors, 0.6, block_rows)}
    assert found == {
        (one, other)
        for one, other in itertools.combinations(range(30), 2)
        if vectors[one] @ vectors[other] >= 0.6
    }
    assert len(found) > 10


def test_a_chain_is_one_group_and_the_largest_comes_first() -> None:
    vectors = at_angles(90, 0, 10, 20, 180, 91)
    wide, narrow = similar_groups(rows_of(6), vectors, float(np.cos(np.radians(11))))
    assert [row.id for row in wide.rows] == ["1", "2", "3"]
    assert (wide.lowest, wide.highest) == (
        pytest.approx(np.cos(np.radians(10)), abs=1e-6),
        pytest.approx(np.cos(np.radians(10)), abs=1e-6),
    )
    assert [row.id for row in narrow.rows] == ["0", "5"]
    assert (wide.contexts, wide.companies) == (2, ("T0", "T1", "T2"))


def test_equal_questions_are_found_at_a_threshold_of_one() -> None:
    short = np.float32(1 - 2e-7)  # as float32 leaves a unit vector's length
    (group,) = similar_groups(rows_of(2), at_angles(30, 30) * short, 1.0)
    assert len(group.rows) == 2


def test_joined_groups_keep_their_lowest_and_highest_cosine() -> None:
    vectors = at_angles(0, 30, 1, 29, 15)
    (group,) = similar_groups(rows_of(5), vectors, float(np.cos(np.radians(16))))
    assert group.highest == pytest.approx(np.cos(np.radians(1)), abs=1e-5)
    assert group.lowest == pytest.approx(np.cos(np.radians(15)), abs=1e-5)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "qa.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("question", "answer", "context", "ticker", "filing"))
        writer.writerows(
            (
                ("What was total revenue in 2023?", "", "Revenue was 5.", "AA", ""),
                ("How many people work there?", "", "It employs 9.", "AA", ""),
                ("What was the total revenue in 2023?", "", "Sales came to 7.", "BB", ""),
                (" ", "", "A row without a question.", "BB", ""),
            )
        )
    return path


def test_the_command_prints_a_table_and_writes_jsonl(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "groups.jsonl"
    command = ["duplicates", "--data", str(data), "--model", "minilm", "--out", str(out)]
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("3 questions, minilm at 384, cosine 0.9 or more: 2 of them in 1 groups")
    assert "| 2 | 2 | 2 | 0.9" in shown
    (line,) = out.read_text().splitlines()
    assert [row["id"] for row in json.loads(line)["rows"]] == ["0", "2"]
    assert main([*command[:5], "--threshold", "1"]) == 0
    assert "0 of them in 0 groups" in capsys.readouterr().out
    assert main([*command[:5], "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(line)


def test_a_threshold_that_is_no_cosine_is_refused(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["duplicates", "--data", str(data), "--threshold", "90"]) == 2
    assert "--threshold 90.0 is no cosine" in capsys.readouterr().err
