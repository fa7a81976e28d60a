"""What a recipe makes of the training rows: served chunks, mined negatives."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_finetune_serving import REVENUE_2023, TICKER, row, store
from tiny import write_filing
from tiny_model import settings

from eval.rows import load_qa_rows
from finetune.material import training_pairs
from rag_app.errors import DataError
from rag_app.index.models import ModelSpec, resolve_model
from rag_app.library import Library


@pytest.fixture(scope="module")
def spec(material: Path) -> ModelSpec:
    return resolve_model(str(material / "model"), material)


def nothing(sentence: str) -> None:
    """Said to nobody."""


def test_served_chunks_stand_beside_the_short_passages(
    material: Path, spec: ModelSpec, tmp_path: Path
) -> None:
    store(Library(tmp_path), write_filing(tmp_path / "q.html", year=2023, revenue=41), TICKER)
    rows = [
        row("0", "What was revenue in 2023?", "41", REVENUE_2023),
        row("1", "Where is it sold?", "Maine", "It is sold in Maine."),
    ]
    said: list[str] = []

    pairs = training_pairs(
        rows, settings(material, serve_on="library"), spec, tmp_path, said.append
    )

    passages = list(pairs.dataset["positive"])
    assert passages[:2] == [REVENUE_2023, "It is sold in Maine."]
    assert any(REVENUE_2023 in passage and passage != REVENUE_2023 for passage in passages[2:])
    assert pairs.dataset.column_names == ["anchor", "positive"]
    assert "1 of    2" in said[0]


def test_no_filing_of_the_companies_is_one_sentence(
    material: Path, spec: ModelSpec, tmp_path: Path
) -> None:
    rows = load_qa_rows(str(material / "rows.csv"))

    with pytest.raises(DataError, match="No row is about a company with a filing in the library"):
        training_pairs(rows, settings(material, serve_on="library"), spec, tmp_path, nothing)


def test_negatives_are_mined_among_the_training_rows(
    material: Path, spec: ModelSpec, tmp_path: Path
) -> None:
    rows = load_qa_rows(str(material / "rows.csv"))[:30]

    pairs = training_pairs(rows, settings(material, negatives=2), spec, tmp_path, nothing)

    contexts = {row.context for row in rows}
    assert pairs.dataset.column_names == ["anchor", "positive", "negative_1", "negative_2"]
    for pair in pairs.dataset:
        wrong = {pair["negative_1"], pair["negative_2"]}
        assert wrong <= contexts - {pair["positive"]}
