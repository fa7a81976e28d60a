"""Rows to pairs, and what a split leaks."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from eval.duplicates import normalised
from eval.rows import QaRow, load_qa_rows
from eval.splits import Split, split_rows
from finetune.leakage import Leakage, Overlap, leakage_report
from finetune.pairs import build_pairs
from rag_app.errors import DataError


def row(number: int, question: str, context: str, ticker: str = "ACME") -> QaRow:
    return QaRow(str(number), question, "", context, ticker, "2023_10K")


ROWS = [
    row(0, "What did Acme sell?", "Acme sold anvils."),
    row(1, " ", "Nobody asks of this."),
    row(2, "Who answers?", ""),
    row(3, "Where is Acme?", "Acme sits in Tucson."),
]


def test_pairs_drop_and_count_blank_texts_and_keep_the_order() -> None:
    pairs = build_pairs(ROWS)

    assert (pairs.dropped, pairs.merged) == (2, 0)
    assert list(pairs.dataset) == [
        {"anchor": "What did Acme sell?", "positive": "Acme sold anvils."},
        {"anchor": "Where is Acme?", "positive": "Acme sits in Tucson."},
    ]


def test_pairs_have_their_columns_in_the_recipes_order() -> None:
    pairs = build_pairs(ROWS, ("positive", "anchor"), negatives={"0": ["a"], "3": ["b"]})
    assert pairs.dataset.column_names == ["positive", "anchor", "negative_1"]


def test_too_few_pairs_are_refused() -> None:
    with pytest.raises(DataError, match="Of 3 training rows 1 have both"):
        build_pairs(ROWS[:3])


def test_equal_passages_become_one_text_only_where_that_is_asked_for() -> None:
    rows = [
        row(0, "a?", "Sales rose 5%."),
        row(1, "b?", "sales  rose 5 %"),
        row(2, "c?", "Sales rose 6%."),
        row(3, "d?", "Sales rose 5%."),
    ]
    merged = build_pairs(rows, merge_duplicates=True)
    assert merged.merged == 2
    assert merged.dataset["positive"] == [
        "Sales rose 5%.",
        "Sales rose 5%.",
        "Sales rose 6%.",
        "Sales rose 5%.",
    ]
    plain = build_pairs(rows)
    assert plain.merged == 0
    assert plain.dataset["positive"] == [one.context for one in rows]


def test_negatives_are_joined_by_row_and_fill_their_columns() -> None:
    negatives = {"3": ["n31", "n32", "n33"], "0": ["n01", "n02"], "9": ["of no row"]}
    pairs = build_pairs(ROWS, negatives=negatives)
    assert pairs.dataset.column_names == [
        "anchor",
        "positive",
        "negative_1",
        "negative_2",
        "negative_3",
    ]
    assert [list(one.values())[2:] for one in pairs.dataset] == [
        ["n01", "n02", "n01"],
        ["n31", "n32", "n33"],
    ]
    with pytest.raises(DataError, match=r"1 of 2 pairs have no negative .* row 3"):
        build_pairs(ROWS, negatives={"0": ["a"], "3": []})


LONG = "Revenue for the data center segment rose by a third because of demand for training"


def test_leakage_counts_held_out_rows_with_a_twin_in_training() -> None:
    train = (
        row(0, "How much?", LONG, "A"),
        row(1, "Where?", "Tucson.", "B"),
        row(2, "", "", ""),
    )
    dev = (
        row(3, "HOW MUCH", f"{LONG} and inference", "C"),  # question; near-duplicate
        row(4, "Who?", LONG.upper(), "C"),  # equal, hence not near
        row(5, "Who?", "tucson", "B"),  # equal; company
        row(6, "", "", ""),  # blank texts are no twins
    )
    test = (row(7, "When?", "Never.", "D"),)
    leakage = leakage_report(Split("company", train, dev, test))
    assert leakage == Leakage("company", 3, Overlap(4, 1, 2, 1, 1), Overlap(1, 0, 0, 0, 0))
    lines = [line.split() for line in str(leakage).splitlines()]
    assert [line[-2:] for line in lines] == [
        ["dev", "test"],
        ["4", "1"],
        ["1", "0"],
        ["2", "0"],
        ["1", "0"],
        ["1", "0"],
    ]


def test_a_near_twin_is_found_behind_another_spelling_of_it() -> None:
    """Of equal contexts the first stands for all, wherever the first stands."""
    near = f"{LONG} and inference"
    train = (row(0, "a?", "x"), row(1, "b?", near.upper()))
    dev = (row(2, "c?", near), row(3, "d?", LONG))
    leakage = leakage_report(Split("company", train, dev, ()))
    assert (leakage.dev.equal_contexts, leakage.dev.near_contexts) == (1, 1)
    assert leakage.test == Overlap(0, 0, 0, 0, 0)


@pytest.mark.shared_data
def test_leakage_of_the_published_rows(shared_data: Path) -> None:
    rows = load_qa_rows(str(shared_data / "financial_qa_10k.csv"))
    began = time.process_time()
    normal = [normalised(text) for row in rows for text in (row.question, row.context)]
    plain = time.process_time() - began
    assert len(normal) == 2 * len(rows)
    began = time.process_time()
    notebook = leakage_report(split_rows(rows, "notebook"))
    assert time.process_time() - began < 100 * plain, "each pair of rows is compared"
    assert (notebook.test.rows, notebook.test.companies) == (700, 69)
    # What a split by context is for.
    assert notebook.test.equal_contexts > 30
    context = leakage_report(split_rows(rows, "context"))
    assert (context.test.equal_contexts, context.test.near_contexts) == (0, 0)
    assert (context.dev.equal_contexts, context.dev.near_contexts) == (0, 0)
    company = leakage_report(split_rows(rows, "company"))
    assert (company.dev.companies, company.test.companies) == (0, 0)
