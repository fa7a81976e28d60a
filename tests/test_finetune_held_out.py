"""The questions that a run is judged on, and the judge."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_model import settings

from eval.rows import QaRow, load_qa_rows
from finetune import held_out
from finetune.dev import Judge
from finetune.held_out import dev_evalset, held_out_evalset, split_for, test_evalset
from rag_app.errors import DataError, ModelError
from rag_app.index.embedder import Embedder
from rag_app.index.models import resolve_model

test_evalset.__test__ = False  # type: ignore[attr-defined]  # a function under test, no test


def test_test_questions_are_of_held_out_companies_over_all_passages(material: Path) -> None:
    config = settings(material)
    rows = load_qa_rows(config.data)
    split = split_for(rows, config)

    test = test_evalset(rows, split)

    assert set(test.queries) == {row.id for row in split.test}
    assert len(test.corpus) == 60
    assert set(test.groups.values()).isdisjoint(row.ticker.upper() for row in split.train)
    assert held_out_evalset(config).sha256 == test.sha256


def test_the_notebooks_split_is_judged_by_the_notebooks_protocol(material: Path) -> None:
    config = settings(material, split="notebook")
    rows = load_qa_rows(config.data)

    test = test_evalset(rows, split_for(rows, config))

    assert (test.name, len(test.queries), len(test.corpus)) == ("notebook", 6, 60)


def test_the_folds_of_a_set_can_be_joined(material: Path) -> None:
    rows = load_qa_rows(str(material / "rows.csv"))
    tests = [held_out_evalset(settings(material, fold=f"{k}/2")) for k in (1, 2)]

    assert [test.fold for test in tests] == ["1/2", "2/2"]
    assert len({test.whole_sha256 for test in tests}) == 1
    assert sorted([*tests[0].queries, *tests[1].queries]) == sorted(row.id for row in rows)


def test_the_split_is_the_same_for_every_seed(material: Path) -> None:
    rows = load_qa_rows(str(material / "rows.csv"))

    assert split_for(rows, settings(material, seed=1)) == split_for(rows, settings(material))


def test_dev_passages_are_bounded_and_hold_no_test_row(
    material: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = settings(material)
    rows = load_qa_rows(config.data)
    split = split_for(rows, config)
    test_ids = {row.id for row in split.test}

    assert set(dev_evalset(split).corpus).isdisjoint(test_ids)
    monkeypatch.setattr(held_out, "DEV_PASSAGES", 15)
    dev = dev_evalset(split)

    assert set(dev.queries) == {row.id for row in split.dev}
    assert len(dev.corpus) == 15
    assert all(right.keys() <= dev.corpus.keys() for right in dev.qrels.values())


def test_no_question_to_ask_is_one_sentence(material: Path) -> None:
    config = settings(material)
    rows = load_qa_rows(config.data)
    split = split_for(rows, config)
    unasked = {row.id for row in split.test}
    blank = [
        QaRow(row.id, "", row.answer, row.context, row.ticker, row.filing)
        if row.id in unasked
        else row
        for row in rows
    ]

    with pytest.raises(DataError, match="No test row has both a question and a context"):
        test_evalset(blank, split)


def test_the_judge_encodes_as_the_app_does_and_leaves_training_on(
    material: Path, tmp_path: Path
) -> None:
    """accelerate puts its own forward pass, in bf16, before the model's."""
    config = settings(material)
    dev = dev_evalset(split_for(load_qa_rows(config.data), config))
    spec = resolve_model(config.base, tmp_path)
    model = Embedder(spec).model.train()

    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("not the model's own forward pass")

    vars(model)["forward"] = refuse
    scores: list[tuple[int, float]] = []

    score = Judge(spec, dev, 64, lambda *pair: scores.append(pair)).score(model, 3)

    assert scores == [(3, score)]
    assert 0 < score < 1
    assert model.training
    assert vars(model)["forward"] is refuse


def test_a_dimension_that_the_model_lacks_is_refused_before_training(
    material: Path, tmp_path: Path
) -> None:
    config = settings(material)
    dev = dev_evalset(split_for(load_qa_rows(config.data), config))

    with pytest.raises(ModelError, match="has no dimension 100; choose one of 128, 64"):
        Judge(resolve_model(config.base, tmp_path), dev, 100)
