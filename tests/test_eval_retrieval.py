"""Ranking and scoring at every dimension, against brute force and sentence-transformers."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

import numpy as np
import pytest

import eval.retrieval
from eval.evalset import EvalSet, Run
from eval.retrieval import evaluate, rank, score
from rag_app.errors import DataError, ModelError
from rag_app.index.embedder import Embedder, Vectors, truncate

PASSAGES = {
    "a": "Revenue rose 12% to $4.2 billion on demand for data-center accelerators.",
    "b": "The company employed 5,300 people at the end of the fiscal year.",
    "c": "We lease our headquarters in Portland under a contract that ends in 2031.",
    "d": "Foreign currency movements lowered operating income by $31 million.",
    "e": "A class action alleges that our disclosures about battery recalls misled investors.",
    "f": "The board declared a quarterly dividend of $0.22 a share.",
    "g": "Gross margin fell to 41% as memory prices rose.",
    "h": "Our largest customer accounted for 19% of net sales.",
    "i": "We repurchased 3.1 million shares for $250 million.",
    "j": "Research and development expense was $610 million, mostly salaries.",
    "k": "Drought in the growing regions may raise the price of our coffee beans.",
    "l": "Net sales to one distributor were nearly a fifth of the total.",
}
QUESTIONS = {
    "1": "How many workers does the firm have?",
    "2": "How concentrated are sales among customers?",
    "3": "What lawsuits are pending?",
    "4": "How much was paid out to shareholders?",
    "5": "What does weather do to input costs?",
    "6": "What happened to sales?",
}
RIGHT = {"1": "b", "2": "hl", "3": "e", "4": "fi", "5": "k", "6": "ahl"}


@pytest.fixture(scope="module")
def evalset() -> EvalSet:
    return EvalSet(
        name="questions",
        queries=QUESTIONS,
        corpus=PASSAGES,
        qrels={query_id: dict.fromkeys(ids, 1) for query_id, ids in RIGHT.items()},
        groups=dict.fromkeys(QUESTIONS, "LKSP"),
    )


def unit_rows(seed: int, rows: int, width: int = 8) -> Vectors:
    drawn = np.random.default_rng(seed).standard_normal((rows, width), dtype=np.float32)
    return truncate(drawn, width)


def test_rank_equals_brute_force_ties_and_cut_included(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eval.retrieval, "BLOCK_CELLS", 200)  # several blocks, the last one short
    # Eighths of small whole numbers: products are exact in any order of summing, ties abound.
    drawn = np.random.default_rng(1).integers(-3, 4, size=(70, 6)).astype(np.float32) / 8
    queries, corpus = drawn[:10], drawn[10:]
    ids = np.random.default_rng(4).permutation([f"p{number}" for number in range(60)]).tolist()
    query_ids = [f"q{number}" for number in range(10)]
    tied_at_cut = 0
    for k in (1, 7, 60, 100):
        run = rank(queries, corpus, query_ids, ids, k)
        for query_id, vector in zip(query_ids, queries, strict=True):
            cosines = dict(zip(ids, (corpus @ vector).tolist(), strict=True))
            everything = sorted(ids, key=lambda id_: (-cosines[id_], id_))
            expected = everything[:k]
            tied_at_cut += k < 60 and cosines[everything[k - 1]] == cosines[everything[k]]
            assert list(run[query_id]) == expected
            assert list(run[query_id].values()) == pytest.approx([cosines[i] for i in expected])
    assert tied_at_cut > 3


def test_a_filter_ranks_each_query_among_its_companys_passages_alone(evalset: EvalSet) -> None:
    groups = {query_id: "AB"[int(query_id) % 2] for query_id in QUESTIONS}
    admitted = {"A": tuple("abcdef"), "B": tuple("fghijkl")}
    asked = dataclasses.replace(evalset, groups=groups, admitted=admitted)
    queries, corpus = unit_rows(5, 6), unit_rows(6, 12)
    runs: dict[str, Run] = {}
    scores = score(
        queries, corpus, list(QUESTIONS), list(PASSAGES), asked, [8], on_run=runs.__setitem__
    )
    assert list(scores) == list(runs) == ["8", "8|filter"]
    assert scores["8"] == score(queries, corpus, list(QUESTIONS), list(PASSAGES), evalset, [8])["8"]
    for query_id, group in groups.items():
        expected = [id_ for id_ in runs["8"][query_id] if id_ in admitted[group]]
        assert list(runs["8|filter"][query_id]) == expected
    nothing = dataclasses.replace(asked, admitted={"A": tuple("abcdef")})
    missed = score(queries, corpus, list(QUESTIONS), list(PASSAGES), nothing, [8])["8|filter"]
    assert {missed["recall@20"][id_] for id_, group in groups.items() if group == "B"} == {0.0}


def test_the_order_of_rows_changes_nothing(evalset: EvalSet) -> None:
    query_ids, ids = list(QUESTIONS), list(PASSAGES)
    queries, corpus = unit_rows(5, 6), unit_rows(6, 12)
    there = score(queries, corpus, query_ids, ids, evalset, [8, 4])
    back = score(queries[::-1], corpus[::-1], query_ids[::-1], ids[::-1], evalset, [8, 4])
    assert there == back
    assert list(there) == ["8", "4"]
    assert there["8"] != there["4"]


def test_cut_vectors_are_compared_by_cosine() -> None:
    # At two dimensions `near` points where the query does, but only `long` keeps its length.
    asked = EvalSet("x", {"q": "?"}, {"near": "", "long": ""}, {"q": {"near": 1}}, {"q": "T"})
    corpus = truncate(np.array([[0.1, 0, 0.9], [0.8, 0.6, 0]], dtype=np.float32), 3)
    query = np.array([[1, 0, 0]], dtype=np.float32)
    scores = score(query, corpus, ["q"], ["near", "long"], asked, [3, 2])
    assert scores["3"]["recall@1"] == {"q": 0.0}
    assert scores["2"]["recall@1"] == {"q": 1.0}


def test_queries_and_passages_get_their_own_prompts(minilm: Embedder, evalset: EvalSet) -> None:
    spec = dataclasses.replace(minilm.spec, query_prompt="Weather and dividends: ")
    prompted = Embedder(spec)
    expected = score(
        prompted.encode_queries(list(QUESTIONS.values())),
        prompted.encode_documents(list(PASSAGES.values())),
        list(QUESTIONS),
        list(PASSAGES),
        evalset,
        [384],
    )
    assert evaluate(prompted, evalset, [384]).per_query == expected
    assert evaluate(minilm, evalset, [384]).per_query != expected


def test_rows_that_are_not_the_set_are_refused(evalset: EvalSet) -> None:
    queries, corpus = unit_rows(5, 6), unit_rows(6, 12)
    with pytest.raises(DataError, match="11 passage vectors for 12 ids"):
        score(queries, corpus[:11], list(QUESTIONS), list(PASSAGES), evalset, [8])
    with pytest.raises(DataError, match="query vectors"):
        score(queries, corpus, ["9", *list(QUESTIONS)[1:]], list(PASSAGES), evalset, [8])
    with pytest.raises(DataError, match="k is 5"):
        score(queries, corpus, list(QUESTIONS), list(PASSAGES), evalset, [8], k=5)


def test_agrees_with_sentence_transformers(minilm: Embedder, evalset: EvalSet) -> None:
    from sentence_transformers.sentence_transformer.evaluation import InformationRetrievalEvaluator

    done: list[int] = []
    report = evaluate(minilm, evalset, [384, 64], on_progress=done.append)
    assert sum(done) == len(PASSAGES)
    for dim in (384, 64):
        theirs = InformationRetrievalEvaluator(
            QUESTIONS,
            PASSAGES,
            {query_id: set(ids) for query_id, ids in RIGHT.items()},
            truncate_dim=dim,
            mrr_at_k=[10],
            ndcg_at_k=[10],
            accuracy_at_k=[1],
            precision_recall_at_k=[1, 5, 10, 20],
            map_at_k=[10],
        )(minilm.model)
        for metric, value in report.metrics[str(dim)].items():
            assert value == pytest.approx(theirs[f"cosine_{metric}"], abs=1e-6), (dim, metric)
    assert 0.3 < report.metrics["384"]["ndcg@10"] < 1
    assert report.metrics["384"] != report.metrics["64"]


def test_report_says_what_was_scored(minilm: Embedder, evalset: EvalSet) -> None:
    report = evaluate(minilm, evalset, [128, 128])
    assert (report.model, report.protocol) == ("minilm", "questions")
    assert (report.queries, report.corpus) == (6, 12)
    assert report.fingerprint == minilm.spec.fingerprint
    assert report.evalset_sha256 == evalset.sha256
    assert list(report.metrics) == ["128"]
    assert report.per_query["128"]["recall@1"].keys() == QUESTIONS.keys()
    assert set(report.timings_s) == {"encode_queries", "encode_corpus", "score"}
    assert {"torch", "sentence-transformers"} <= report.versions.keys()


def test_scoring_takes_seconds_where_encoding_takes_minutes() -> None:
    """7,000 passages, 700 questions, four dimensions: a few times what sorting the scores takes."""
    queries, corpus = unit_rows(1, 700, 384), unit_rows(2, 7000, 384)
    query_ids, ids = [f"q{n}" for n in range(700)], [f"p{n}" for n in range(7000)]
    asked = EvalSet(
        name="x",
        queries=dict.fromkeys(query_ids, "?"),
        corpus=dict.fromkeys(ids, ""),
        qrels={query_id: {ids[row]: 1} for row, query_id in enumerate(query_ids)},
        groups=dict.fromkeys(query_ids, "T"),
    )
    dims = [384, 256, 128, 64]

    def plain() -> None:
        for dim in dims:
            np.argsort(queries[:, :dim] @ corpus[:, :dim].T, axis=1)

    ours = processor_seconds(lambda: score(queries, corpus, query_ids, ids, asked, dims))
    assert ours < 8 * processor_seconds(plain)


def processor_seconds(work: Callable[[], object]) -> float:
    """Not the clock's: other work on the machine is no fault of ours."""
    began = time.process_time()
    work()
    return time.process_time() - began


def test_a_dimension_the_model_lacks_is_refused_before_encoding(
    minilm: Embedder, evalset: EvalSet
) -> None:
    unloaded = Embedder(minilm.spec)
    with pytest.raises(ModelError, match="no dimension 100; choose one of 384, 256, 128, 64"):
        evaluate(unloaded, evalset, [384, 100])
    assert unloaded._model is None
    with pytest.raises(DataError, match="at least one"):
        evaluate(unloaded, evalset, [])
