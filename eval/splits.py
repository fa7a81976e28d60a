"""Which rows train, which choose the checkpoint (dev), and which are held out (test)."""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from eval.duplicates import duplicate_groups
from eval.rows import QaRow
from rag_app.errors import DataError


@dataclass(frozen=True, slots=True)
class Split:
    """Three sets of rows without a row in common, each in the order that its kind of split gives.

    ``dev`` is empty where no share was asked for it.
    """

    name: str
    train: tuple[QaRow, ...]
    dev: tuple[QaRow, ...]
    test: tuple[QaRow, ...]


def notebook_split(rows: Sequence[QaRow], seed: int = 42) -> tuple[list[QaRow], list[QaRow]]:
    """Split into train and test rows (9 to 1) as the published notebook does.

    Source: ``Dataset.train_test_split(test_size=0.1, seed=42)`` of ``datasets`` after adding
    ``id`` = row number; nothing is dropped before the split, since that would move every row.

    Raises:
        DataError: fewer than 10 rows.
    """
    if len(rows) < 10:
        raise DataError(f"{len(rows)} rows cannot be split 9 to 1; give at least 10.")
    from datasets import Dataset

    parts = Dataset.from_dict({"id": [row.id for row in rows]}).train_test_split(
        test_size=0.1, seed=seed
    )
    by_id = {row.id: row for row in rows}
    train, test = ([by_id[id_] for id_ in parts[name]["id"]] for name in ("train", "test"))
    return train, test


def split_rows(
    rows: Sequence[QaRow],
    by: str = "company",
    *,
    seed: int = 42,
    dev_share: float = 0.1,
    test_share: float = 0.1,
    holdout: Sequence[str] = (),
) -> Split:
    """Split rows ``by`` a row of ``SPLITS``; shares are of all rows.

    ``holdout`` names the companies that are the test set of a split by company; ``test_share``
    then says nothing. ``dev_share=0`` asks for no dev rows.

    Raises:
        DataError: no such split (the known ones are listed), or rows that cannot be split so.
    """
    if by not in SPLITS:
        raise DataError(f"There is no split by {by}; known are {', '.join(SPLITS)}.")
    if holdout and by != "company":
        raise DataError(
            f"A split by {by} cannot hold companies out ({', '.join(holdout)}); split by company."
        )
    return SPLITS[by](rows, seed, dev_share, test_share, holdout)


def company_folds(
    rows: Sequence[QaRow], folds: int = 5, seed: int = 42, dev_share: float = 0.1
) -> tuple[Split, ...]:
    """One split a fold, in which every company is tested exactly once, about as many rows in each.

    The dev companies of a fold are drawn from those that it would train on.

    Raises:
        DataError: a row names no company, or there are too few companies.
    """
    companies = _companies(rows)
    groups = [company_of(row) for row in rows]
    if not 2 <= folds <= len(companies):
        raise DataError(
            f"{len(companies)} companies cannot be cut into {folds} folds; give at least 2 folds "
            "and at most as many as there are companies."
        )
    order = _shuffled(companies, seed)
    tested: list[list[str]] = [[] for _ in range(folds)]
    # The largest first, each to the fold with the fewest rows so far.
    for ticker in sorted(order, key=lambda ticker: -companies[ticker]):
        min(tested, key=lambda fold: sum(companies[t] for t in fold)).append(ticker)
    splits = []
    for number, test in enumerate(tested, start=1):
        left = [ticker for ticker in order if ticker not in test]
        dev = _take(_shuffled(left, seed + number), companies, dev_share)
        name = f"company, fold {number} of {folds}"
        splits.append(_cut(name, rows, groups, set(dev), set(test)))
    return tuple(splits)


def fold_split(rows: Sequence[QaRow], fold: str, dev_share: float = 0.1) -> Split:
    """The split of one fold, named as ``2/5``: the second of five.

    Raises:
        DataError: that is no fold, or as for ``company_folds``.
    """
    found = re.fullmatch(r"(\d+)/(\d+)", fold)
    number, folds = (int(part) for part in found.groups()) if found else (0, 0)
    if not 1 <= number <= folds:
        raise DataError(f"{fold} is no fold; give the second of five as 2/5.")
    return company_folds(rows, folds, dev_share=dev_share)[number - 1]


def _by_notebook(
    rows: Sequence[QaRow], seed: int, dev_share: float, test_share: float, holdout: Sequence[str]
) -> Split:
    """The published test rows, whatever the seed and the shares; dev is drawn from the others."""
    train, test = notebook_split(rows)
    drawn = random.Random(seed).sample(train, round(dev_share * len(rows)))
    dev_ids = {row.id for row in drawn}
    return Split(
        "notebook",
        tuple(row for row in train if row.id not in dev_ids),
        tuple(row for row in train if row.id in dev_ids),
        tuple(test),
    )


def _by_context(
    rows: Sequence[QaRow], seed: int, dev_share: float, test_share: float, holdout: Sequence[str]
) -> Split:
    """Rows whose contexts are equal or near-duplicates stay together."""
    groups = [str(group) for group in duplicate_groups([row.context for row in rows])]
    return _grouped("context", rows, groups, seed, dev_share, test_share, ())


def _by_company(
    rows: Sequence[QaRow], seed: int, dev_share: float, test_share: float, holdout: Sequence[str]
) -> Split:
    """All rows of a company stay together."""
    companies = _companies(rows)
    named = [ticker.strip().upper() for ticker in holdout]
    absent = sorted(set(named) - set(companies))
    if absent:
        raise DataError(
            f"No row is about {', '.join(absent)}, to be held out; the rows are about "
            f"{', '.join(sorted(companies)[:12])}{' and others' if len(companies) > 12 else ''}."
        )
    groups = [company_of(row) for row in rows]
    return _grouped("company", rows, groups, seed, dev_share, test_share, named)


SplitRule = Callable[[Sequence[QaRow], int, float, float, Sequence[str]], Split]

SPLITS: dict[str, SplitRule] = {
    "company": _by_company,
    "context": _by_context,
    "notebook": _by_notebook,
}


def _grouped(
    name: str,
    rows: Sequence[QaRow],
    groups: Sequence[str],
    seed: int,
    dev_share: float,
    test_share: float,
    held_out: Sequence[str],
) -> Split:
    """Cut rows so that no group is in two parts; ``groups`` names each row's group.

    ``held_out`` are the test groups; where there are none, they are drawn.
    """
    sizes = Counter(groups)
    order = _shuffled(sizes, seed)
    test = set(held_out) or set(_take(order, sizes, test_share))
    left = [group for group in order if group not in test]
    dev = set(_take(left, sizes, dev_share))
    return _cut(name, rows, groups, dev, test)


def _cut(
    name: str, rows: Sequence[QaRow], groups: Sequence[str], dev: set[str], test: set[str]
) -> Split:
    parts: dict[str, list[QaRow]] = defaultdict(list)
    for row, group in zip(rows, groups, strict=True):
        parts["test" if group in test else "dev" if group in dev else "train"].append(row)
    if not parts["train"]:
        raise DataError(
            f"A split by {name} of {len(rows)} rows in {len(set(groups))} groups leaves none to "
            "train on; give more rows, or smaller shares, or split by context with --split context."
        )
    return Split(name, tuple(parts["train"]), tuple(parts["dev"]), tuple(parts["test"]))


def _take(order: Iterable[str], sizes: Counter[str], share: float) -> list[str]:
    """The first groups of ``order`` that fit into a share of all rows, one at least; 0: none."""
    wanted = share * sizes.total()
    taken: list[str] = []
    filled = 0
    for group in order:
        if wanted > 0 and (not taken or filled + sizes[group] <= wanted):
            taken.append(group)
            filled += sizes[group]
    return taken


def _shuffled(names: Iterable[str], seed: int) -> list[str]:
    """Names in an order that depends on the seed and the set of names, not on the rows' order."""
    order = sorted(names)
    random.Random(seed).shuffle(order)
    return order


def company_of(row: QaRow) -> str:
    """The company that a row is about: its ticker, in capitals."""
    return row.ticker.strip().upper()


def _companies(rows: Sequence[QaRow]) -> Counter[str]:
    """How many rows each company has.

    Raises:
        DataError: a row names none.
    """
    unnamed = [row.id for row in rows if not company_of(row)]
    if unnamed:
        raise DataError(
            f"{len(unnamed)} of {len(rows)} rows name no company (the first is row {unnamed[0]}), "
            "which a split by company needs; name the column with --ticker-column, or split by "
            "context with --split context."
        )
    return Counter(company_of(row) for row in rows)
