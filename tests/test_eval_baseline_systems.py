"""Baselines beside a model: BM25, its base, prompts left out, PCA and random coordinates."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from eval.baseline_systems import (
    Bases,
    add_baselines,
    bm25_scores,
    drawn,
    principal,
    unprompted_spec,
)
from eval.evalset import EvalSet
from eval.report import Report
from eval.retrieval import evaluate
from eval.systems import label, ordered
from eval.training_record import base_of, check_unseen
from rag_app.errors import DataError, ModelError
from rag_app.index.embedder import Embedder, truncate

EVALSET = EvalSet(
    name="x",
    queries={
        "1": "How large a dividend did the board declare?",
        "2": "How many workers are there?",
    },
    corpus={
        "a": "The board declared a dividend of $0.22 a share.",
        "b": "The company employed 5,300 people.",
        "c": "No dividend was declared by the subsidiary.",
    },
    qrels={"1": {"a": 1}, "2": {"b": 1}},
    groups={"1": "ONE", "2": "TWO"},
    admitted={"ONE": ("a", "b"), "TWO": ("b", "c")},
)


@pytest.fixture(scope="module")
def report(minilm: Embedder) -> Report:
    return evaluate(minilm, EVALSET, [384, 64])


def test_an_untuned_model_has_no_other_base(minilm: Embedder, report: Report) -> None:
    done = add_baselines(report, EVALSET, Bases(minilm, False, None), [384, 64])
    assert ordered(done.metrics) == (
        "384",
        "64",
        "bm25",
        "pca@64",
        "random@64",
        "384|filter",
        "64|filter",
        "bm25|filter",
        "pca@64|filter",
        "random@64|filter",
    )
    assert done.metrics.keys() == done.per_query.keys()
    assert done.metrics["384"] == report.metrics["384"]
    assert label("64|filter") == "64, filter"


def test_base_and_prompts_are_scored_where_there_are_any(minilm: Embedder, report: Report) -> None:
    prompted = dataclasses.replace(minilm.spec, query_prompt="Weather in the valley: ")
    bare = unprompted_spec(prompted)
    assert bare is not None and bare.query_prompt == "" and unprompted_spec(bare) is None
    bases = Bases(Embedder(prompted), True, Embedder(bare))
    done = add_baselines(report, EVALSET, bases, [64])
    assert {"base@64", "no-prompt@64", "pca@64"} <= done.metrics.keys()
    assert done.per_query["no-prompt@64"] == report.per_query["64"]


def test_bm25_ranks_by_words_and_within_the_company() -> None:
    scores = bm25_scores(EVALSET)
    assert scores["bm25"]["recall@1"] == {"1": 1.0, "2": 0.0}
    only_c = dataclasses.replace(EVALSET, admitted={"ONE": ("c",), "TWO": ("b",)})
    assert bm25_scores(only_c)["bm25|filter"]["recall@5"]["1"] == 0.0


def test_pca_is_the_best_linear_cut_and_turns_the_whole_space_without_loss() -> None:
    spread = np.array([1, 1, 1, 1, 5, 1, 1, 9], dtype=np.float32)
    corpus = np.random.default_rng(0).standard_normal((400, 8)).astype(np.float32) * spread + 3
    queries = corpus[:5] + 1
    turned_queries, turned = principal(queries, corpus)
    # Distances, and the variance in the first coordinates, are what PCA promises.
    np.testing.assert_allclose(
        np.linalg.norm(turned[:5] - turned_queries, axis=1),
        np.linalg.norm(corpus[:5] - queries, axis=1),
        rtol=1e-4,
    )
    variance = turned.var(axis=0)
    assert list(variance) == sorted(variance, reverse=True)
    values = np.linalg.svd(corpus - corpus.mean(axis=0), compute_uv=False) ** 2 / len(corpus)
    np.testing.assert_allclose(variance, values, rtol=1e-3)


def test_random_coordinates_are_the_same_for_queries_and_passages() -> None:
    corpus = truncate(np.random.default_rng(0).standard_normal((9, 16)).astype(np.float32), 16)
    queries, drawn_corpus = drawn(corpus[:2], corpus)
    np.testing.assert_allclose(queries @ drawn_corpus.T, corpus[:2] @ corpus.T, atol=1e-6)
    assert not np.array_equal(drawn_corpus, corpus)
    np.testing.assert_array_equal(drawn(corpus[:2], corpus)[1], drawn_corpus)


def test_the_base_of_a_trained_model_is_read_from_its_folder(
    minilm: Embedder, tmp_path: Path
) -> None:
    assert base_of(minilm.spec) == "minilm"
    trained = dataclasses.replace(minilm.spec, name="mine", folder=tmp_path)
    assert base_of(trained) == "mine"
    (tmp_path / "train_config.json").write_text(json.dumps({"config": {"base": "minilm"}}))
    assert base_of(trained) == "minilm"
    (tmp_path / "train_config.json").write_text("[")
    with pytest.raises(ModelError, match="train the model anew"):
        base_of(trained)


def test_a_model_that_saw_the_fold_is_refused(minilm: Embedder, tmp_path: Path) -> None:
    trained = dataclasses.replace(minilm.spec, name="mine", folder=tmp_path)
    for split, fine in (
        ("company, fold 2 of 5", True),
        ("company", True),
        ("company, fold 1 of 5", False),
        ("notebook", False),
    ):
        record = {"config": {}, "run": {"data": {"split": split}}}
        (tmp_path / "train_config.json").write_text(json.dumps(record))
        if fine:
            check_unseen(trained, "2/5")
        else:
            with pytest.raises(DataError, match=f"split by {split}, so it has seen"):
                check_unseen(trained, "2/5")
    check_unseen(minilm.spec, "2/5")
