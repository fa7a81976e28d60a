"""Protocol grouped: duplicate contexts are one answer, and companies are tested fold by fold."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from eval.duplicates import duplicate_groups, normalised
from eval.evalset import EvalSet
from eval.protocols.choices import Choices
from eval.rows import QaRow, load_qa_rows
from eval.splits import company_of, fold_split
from rag_app.errors import DataError


def build_grouped(data: str, home: Path, choices: Choices) -> EvalSet:
    """All rows, or those of the fold chosen, each asked of the contexts of all rows.

    Raises:
        DataError: rows that cannot be used, or a fold that is none.
    """
    rows = load_qa_rows(data, choices.columns)
    whole = grouped_evalset(rows)
    return fold_of(whole, rows, choices.fold) if choices.fold else whole


def grouped_evalset(rows: Sequence[QaRow]) -> EvalSet:
    """Every question asked of every distinct context; right is its own and whatever says the same.

    Equal contexts are one passage, named by the first row that has it. Near-duplicates stay, and
    each of them is right for the questions of all (see ``eval/duplicates.py``).

    Raises:
        DataError: no row has both a question and a context.
    """
    kept = [row for row in rows if normalised(row.context)]
    first_rows: dict[str, QaRow] = {}
    for row in kept:
        first_rows.setdefault(normalised(row.context), row)
    corpus = {row.id: row.context for row in first_rows.values()}
    numbers = dict(zip(corpus, duplicate_groups(list(corpus.values())), strict=True))
    members: dict[int, list[str]] = defaultdict(list)
    for passage_id, number in numbers.items():
        members[number].append(passage_id)
    asked = [row for row in kept if row.question.strip()]
    if not asked:
        raise DataError("No row has both a question and a context; check the columns.")
    right = {row.id: members[numbers[first_rows[normalised(row.context)].id]] for row in asked}
    return EvalSet(
        name="grouped",
        queries={row.id: row.question for row in asked},
        corpus=corpus,
        qrels={row_id: dict.fromkeys(passage_ids, 1) for row_id, passage_ids in right.items()},
        groups={row.id: company_of(row) for row in asked},
        one_gold=True,
    )


def fold_of(whole: EvalSet, rows: Sequence[QaRow], fold: str) -> EvalSet:
    """The questions about the companies of one fold, over the whole corpus.

    Raises:
        DataError: ``fold`` is not such as ``2/5``, or the companies cannot be cut so.
    """
    tested = {row.id for row in fold_split(rows, fold).test}
    return dataclasses.replace(whole.only(tested), fold=fold, whole_sha256=whole.sha256)
