"""The questions that a run is judged on: dev in training, test once at its end."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Collection, Sequence

from eval.evalset import EvalSet, notebook_evalset
from eval.protocols.grouped import grouped_evalset
from eval.rows import Columns, QaRow, load_qa_rows
from eval.splits import Split, fold_split, split_rows
from finetune.config import TrainConfig
from rag_app.errors import DataError

DEV_PASSAGES = 2000
"""Dev questions are asked of their own passages and of others drawn up to this number: each scoring
encodes all of them, about a minute for MiniLM on two cores with 7,000. Fewer passages make easier
questions, so a dev score is for choosing between checkpoints, and no result."""


def split_for(rows: Sequence[QaRow], config: TrainConfig) -> Split:
    """Split rows as the recipe says; the same for every ``seed``, so that runs can be compared.

    Raises:
        DataError: rows that cannot be split so.
    """
    if config.fold:
        return fold_split(rows, config.fold, config.dev_share)
    return split_rows(rows, config.split, dev_share=config.dev_share, holdout=config.holdout)


def held_out_evalset(config: TrainConfig, columns: Columns = Columns()) -> EvalSet:  # noqa: B008
    """The test questions of a run, read and split anew.

    Raises:
        DataError: data that cannot be used.
    """
    rows = load_qa_rows(config.data, columns)
    return test_evalset(rows, split_for(rows, config), config.fold)


def test_evalset(rows: Sequence[QaRow], split: Split, fold: str = "") -> EvalSet:
    """The split's test questions against the contexts of all rows, as its protocol counts.

    ``fold`` is the one that the split was made of; ``eval join`` puts such reports together.

    Raises:
        DataError: no test row has both a question and a context.
    """
    if split.name == "notebook":
        return notebook_evalset(rows)
    whole = grouped_evalset(rows)
    asked = _asked(whole, {row.id for row in split.test}, "test")
    return dataclasses.replace(asked, fold=fold, whole_sha256=whole.sha256) if fold else asked


def dev_evalset(split: Split, seed: int = 0) -> EvalSet:
    """The split's dev questions against up to ``DEV_PASSAGES`` contexts of dev and training rows.

    Raises:
        DataError: no dev row has both a question and a context.
    """
    whole = grouped_evalset([*split.train, *split.dev])
    asked = _asked(whole, {row.id for row in split.dev}, "dev")
    right = {passage_id for relevant in asked.qrels.values() for passage_id in relevant}
    others = [passage_id for passage_id in asked.corpus if passage_id not in right]
    drawn = random.Random(seed).sample(others, min(len(others), max(0, DEV_PASSAGES - len(right))))
    kept = right | set(drawn)
    corpus = {id_: text for id_, text in asked.corpus.items() if id_ in kept}
    return dataclasses.replace(asked, name="dev", corpus=corpus)


def _asked(whole: EvalSet, row_ids: Collection[str], part: str) -> EvalSet:
    asked = whole.only(row_ids)
    if not asked.queries:
        raise DataError(
            f"No {part} row has both a question and a context; give more rows, or another --split."
        )
    return asked
