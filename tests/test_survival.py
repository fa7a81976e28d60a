"""The survival trials at small counts; `make trial` runs the long ones."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TRIAL = Path(__file__).parent / "trial" / "survival.py"


@pytest.fixture(scope="module")
def rows() -> dict[str, dict[str, Any]]:
    """One process of its own: it forks, which no process that has opened Chroma may do."""
    ran = subprocess.run(
        [sys.executable, str(TRIAL), "--short"], capture_output=True, text=True, check=False
    )
    assert ran.stdout, ran.stderr
    found = [json.loads(line) for line in ran.stdout.splitlines()]
    return {row["trial"]: row for row in found}


def held(rows: dict[str, dict[str, Any]], name: str) -> Any:
    row = rows[name]
    if row["outcome"] == "skipped":
        pytest.skip(row["result"])
    assert row["outcome"] == "held", row["result"]
    return row["result"]


def test_kill_9_leaves_the_old_or_the_new(rows: dict[str, dict[str, Any]]) -> None:
    result = held(rows, "kills")
    assert result["killed"] == 4
    assert sum(count for what, count in result.items() if what.endswith(", killed")) == 4


def test_a_second_writer_is_told_at_once(rows: dict[str, dict[str, Any]]) -> None:
    assert held(rows, "second writer, seconds") < 1


def test_readers_beside_a_writer_are_never_wrong(rows: dict[str, dict[str, Any]]) -> None:
    result = held(rows, "crowd")
    assert result["fewest of a reader"] >= 2
    assert result["writes"] >= 1


def test_a_damaged_file_is_named_and_mended(rows: dict[str, dict[str, Any]]) -> None:
    result = held(rows, "damage")
    assert result["blows"] == 2 * result["files"] == 6
    assert result["found by index --verify and named"] + result.get("did no harm", 0) == 6


def test_a_full_disk_leaves_the_old_index(rows: dict[str, dict[str, Any]]) -> None:
    steps = {"ingest", "build", "swap", "build, estimate too low", "remove"}
    assert set(held(rows, "disk full")) >= steps


def test_rebuilds_take_no_more_than_two_indexes(rows: dict[str, dict[str, Any]]) -> None:
    assert held(rows, "growth, times one index")["after each, at most"] <= 2.2


def test_any_run_of_operations_answers_as_a_plain_dict(rows: dict[str, dict[str, Any]]) -> None:
    assert held(rows, "machine")["examples"] >= 5
