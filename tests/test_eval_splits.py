"""Splits by notebook, context and company; folds; and which texts are near-duplicates."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval import duplicates
from eval.duplicates import duplicate_groups, near_duplicates, normalised
from eval.rows import QaRow, load_qa_rows
from eval.splits import SPLITS, Split, company_folds, notebook_split, split_rows
from rag_app.errors import DataError

WORDS = [
    "alpha",
    "beta",
    "gamma",
    "delta",
    "eta",
    "theta",
    "iota",
    "kappa",
    "mu",
    "xi",
    "pi",
    "rho",
]


def make_rows(count: int, companies: int = 6) -> list[QaRow]:
    return [
        QaRow(
            str(n), f"question {n}?", f"answer {n}", f"context {n}", f"T{n % companies}", "2023_10K"
        )
        for n in range(count)
    ]


def ids(split: Split) -> list[set[str]]:
    return [{row.id for row in part} for part in (split.train, split.dev, split.test)]


def test_notebook_split_is_nine_to_one_and_joins_by_id() -> None:
    rows = make_rows(30)
    train, test = notebook_split(rows)
    assert (len(train), len(test)) == (27, 3)
    assert {row.id for row in train + test} == {row.id for row in rows}
    assert all(row.question == f"question {row.id}?" for row in train + test)
    assert notebook_split(rows) == (train, test)
    assert notebook_split(rows, seed=43) != (train, test)
    with pytest.raises(DataError, match="9 rows cannot be split"):
        notebook_split(rows[:9])


def test_dev_of_the_notebook_split_comes_out_of_its_training_part() -> None:
    rows = make_rows(30)
    train, test = notebook_split(rows)
    split = split_rows(rows, "notebook", seed=7)
    assert split.test == tuple(test)
    assert len(split.dev) == 3
    kept = [row for row in train if row not in split.dev]
    assert list(split.train) == kept  # in the notebook's order, which batches depend on
    assert split_rows(rows, "notebook", seed=8).dev != split.dev
    assert split_rows(rows, "notebook", dev_share=0).train == tuple(train)


@pytest.mark.parametrize("by", SPLITS)
def test_each_row_is_in_one_part_and_the_seed_decides(by: str) -> None:
    rows = make_rows(120, companies=12)
    split = split_rows(rows, by)
    parts = ids(split)
    assert set.union(*parts) == {row.id for row in rows}
    assert sum(map(len, parts)) == len(rows)
    assert all(parts)
    assert split_rows(rows, by) == split
    assert ids(split_rows(rows, by, seed=1)) != parts
    assert split_rows(rows, by, dev_share=0).dev == ()


def test_companies_are_never_cut() -> None:
    rows = make_rows(100, companies=10)
    rows[3] = dataclasses.replace(rows[3], ticker=" t3 ")
    split = split_rows(rows, dev_share=0.2, test_share=0.3)
    tickers = [
        {row.ticker.strip().upper() for row in p} for p in (split.train, split.dev, split.test)
    ]
    assert [len(found) for found in tickers] == [5, 2, 3]
    assert sum(map(len, tickers)) == len(set.union(*tickers))
    # Whatever order the rows come in, the same companies are drawn.
    assert ids(split_rows(rows[::-1], dev_share=0.2, test_share=0.3)) == ids(split)


def test_named_companies_are_the_test_set() -> None:
    rows = make_rows(60)
    split = split_rows(rows, holdout=["t1", "T4"])
    assert {row.ticker for row in split.test} == {"T1", "T4"}
    assert not {row.ticker for row in split.train + split.dev} & {"T1", "T4"}
    with pytest.raises(DataError, match=r"No row is about MSFT.*T0, T1, T2"):
        split_rows(rows, holdout=["T1", "msft"])
    with pytest.raises(DataError, match="split by company"):
        split_rows(rows, "context", holdout=["T1"])


def test_rows_that_cannot_be_split_so_are_refused() -> None:
    rows = make_rows(30)
    with pytest.raises(DataError, match="no split by year; known are company, context, notebook"):
        split_rows(rows, "year")
    with pytest.raises(DataError, match="leaves none to train on"):
        split_rows(make_rows(30, companies=2))
    rows[4] = dataclasses.replace(rows[4], ticker=" ")
    for split in (split_rows, company_folds):
        with pytest.raises(DataError, match=r"1 of 30 .* row 4.*--ticker-column.*--split context"):
            split(rows)


def test_folds_test_every_company_once() -> None:
    rows = make_rows(120, companies=12) + [
        dataclasses.replace(row, id=f"more{row.id}", ticker="T0") for row in make_rows(10)
    ]
    folds = company_folds(rows, folds=5)
    tested = [{row.ticker for row in fold.test} for fold in folds]
    assert len(folds) == 5
    assert sum(map(len, tested)) == len(set.union(*tested)) == 12
    assert [row for fold in folds for row in fold.test if row.ticker == "T0"] == [
        row for row in rows if row.ticker == "T0"
    ]
    assert max(len(fold.test) for fold in folds) <= 30
    for fold in folds:
        assert sum(map(len, ids(fold))) == len(rows)
        held = {row.ticker for row in fold.dev} | {row.ticker for row in fold.test}
        assert fold.dev
        assert not held & {row.ticker for row in fold.train}
    assert company_folds(rows, folds=5) == folds
    assert company_folds(rows, folds=5, seed=1) != folds
    with pytest.raises(DataError, match="12 companies cannot be cut into 13 folds"):
        company_folds(rows, folds=13)


LONG = "Revenue for the data center segment rose by a third because of demand for training"


def test_near_duplicates_differ_in_little() -> None:
    texts = [
        LONG,
        LONG.upper().replace(" ", "  ") + ".",  # equal: the same words
        f"{LONG} and inference, as we have said before in this report.",  # holds it whole
        LONG.replace("Revenue", "Income"),  # 9 of 10 runs
        LONG.replace("third", "half"),  # 5 of 10 runs
        "Revenue for the data",
        "Revenue for the data.",
        "",
        " - ",
    ]
    assert near_duplicates(texts) == [(0, 2), (0, 3), (2, 3)]
    assert duplicate_groups(texts) == [0, 0, 0, 0, 4, 5, 5, 7, 8]


@given(
    st.lists(
        st.lists(st.sampled_from(WORDS), min_size=0, max_size=14).map(" ".join),
        max_size=12,
    )
)
def test_prefix_filtering_finds_what_comparing_all_pairs_finds(texts: list[str]) -> None:
    def runs(text: str) -> set[tuple[str, ...]]:
        words = text.split()
        return {tuple(words[at : at + 5]) for at in range(len(words) - 4)}

    # Texts that hold one another are rare by chance alone.
    texts = list(dict.fromkeys([*texts, *(f"mu {text} nu" for text in texts)]))
    expected = [
        (one, other)
        for one, other in itertools.combinations(range(len(texts)), 2)
        for small in [min(len(runs(texts[one])), len(runs(texts[other])))]
        if small >= duplicates.MIN_NGRAMS
        and len(runs(texts[one]) & runs(texts[other])) >= duplicates.MIN_SHARE * small
    ]
    assert near_duplicates(texts) == expected


def test_contexts_that_are_nearly_equal_stay_together() -> None:
    rows = make_rows(40)
    for n in range(0, 40, 2):
        twin = f"{' '.join(WORDS[:8])} {n}a {n}b {n}c {n}d {n}e {n}f {n}g {n}h {n}i {n}j {n}k {n}l"
        rows[n] = dataclasses.replace(rows[n], context=twin)
        rows[n + 1] = dataclasses.replace(rows[n + 1], context=f"{twin.upper()} {n}m")
    split = split_rows(rows, "context", dev_share=0.2, test_share=0.2)
    assert all(ids(split))
    for part in ids(split):
        assert all(str(int(id_) ^ 1) in part for id_ in part)


@pytest.mark.shared_data
def test_the_published_rows_split_by_context_share_no_context(shared_data: Path) -> None:
    rows = load_qa_rows(str(shared_data / "financial_qa_10k.csv"))
    split = split_rows(rows, "context")
    assert [len(part) for part in ids(split)] == [5600, 700, 700]
    contexts = [
        {normalised(row.context) for row in part} - {""}
        for part in (split.train, split.dev, split.test)
    ]
    assert sum(map(len, contexts)) == len(set.union(*contexts))
