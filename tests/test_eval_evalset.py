"""The notebook's evaluation set, and questions asked of a library."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from eval.evalset import EvalSet, notebook_evalset
from eval.protocols.questions import library_evalset
from eval.rows import QaRow, load_qa_rows
from eval.splits import notebook_split
from rag_app.errors import DataError


def make_rows(count: int) -> list[QaRow]:
    return [
        QaRow(str(n), f"question {n}?", f"answer {n}", f"context {n}", f"T{n % 3}", "2023_10K")
        for n in range(count)
    ]


def test_notebook_set_keeps_every_context_and_skips_blank_questions() -> None:
    rows = make_rows(30)
    asked = notebook_evalset(rows)
    assert len(asked.queries) == 3
    assert len(asked.corpus) == 30
    assert asked.qrels == {query_id: {query_id: 1} for query_id in asked.queries}
    assert asked.groups == {query_id: f"T{int(query_id) % 3}" for query_id in asked.queries}
    gone = next(iter(asked.queries))
    rows[int(gone)] = dataclasses.replace(rows[int(gone)], question=" ")
    left = notebook_evalset(rows)
    assert left.queries.keys() == asked.queries.keys() - {gone}
    assert left.corpus == asked.corpus
    with pytest.raises(DataError, match="No test row"):
        notebook_evalset([dataclasses.replace(row, question="") for row in rows])


def test_a_company_is_one_group_however_its_ticker_is_written() -> None:
    rows = [dataclasses.replace(row, ticker=f" {row.ticker.lower()}") for row in make_rows(30)]
    assert notebook_evalset(rows).groups == notebook_evalset(make_rows(30)).groups


def test_hash_depends_on_content_and_not_on_order() -> None:
    asked = notebook_evalset(make_rows(30))
    turned = dataclasses.replace(asked, corpus=dict(reversed(asked.corpus.items())))
    assert turned.sha256 == asked.sha256
    for field in ("queries", "corpus", "qrels", "groups"):
        value = dict(getattr(asked, field))
        value.pop(next(iter(value)))
        assert dataclasses.replace(asked, **{field: value}).sha256 != asked.sha256
    assert dataclasses.replace(asked, name="other").sha256 != asked.sha256


@pytest.mark.shared_data
def test_the_published_split(shared_data: Path) -> None:
    rows = load_qa_rows(str(shared_data / "financial_qa_10k.csv"))
    assert len(rows) == 7000
    assert [row.id for row in rows if not (row.question and row.answer and row.context)] == [
        "1727",
        "1733",
        "2731",
    ]
    train, test = notebook_split(rows)
    assert (len(train), len(test)) == (6300, 700)
    assert [row.id for row in test[:6]] == ["4868", "4048", "2304", "5016", "1891", "3979"]
    assert [row.id for row in train[:5]] == ["2429", "793", "6983", "5288", "6901"]
    asked = notebook_evalset(rows)
    assert (len(asked.queries), len(asked.corpus)) == (700, 7000)
    # Reports that are kept name this hash; with another one they pair with nothing new.
    assert asked.sha256.startswith("6adb35ef8139")


PASSAGES = {
    "k1": "Cash and cash equivalents were $1,204 million, up from $980 million.",
    "k2": "Cash and cash equivalents were $1,204 million, up from $980 million. More follows.",
    "k3": "We opened twelve plants in Ohio, Texas and Nevada to meet the demand for",
    "k4": "electric drive units and closed one.",
    "m1": "Cash and cash equivalents were $1,204 million, up from $980 million.",
}
FILING_OF = {"k1": "KAPA", "k2": "KAPA", "k3": "KAPA", "k4": "KAPA", "m1": "MUMM"}


def ask_library(tmp_path: Path, *lines: dict[str, str]) -> EvalSet:
    path = tmp_path / "questions.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return library_evalset(path, PASSAGES, FILING_OF)


def line(id_: str, gold: str, filing: str = "KAPA") -> dict[str, str]:
    return {"id": id_, "question": f"{id_}?", "ticker": "K", "filing": filing, "gold": gold}


def test_gold_is_found_whole_in_its_own_filing_only(tmp_path: Path) -> None:
    gold = "cash and cash equivalents  were 1,204 million -- up from 980"
    asked = ask_library(tmp_path, line("q1", gold), line("q2", gold, "MUMM.html"))
    assert asked.name == "questions"
    assert asked.qrels == {"q1": {"k1": 1, "k2": 1}, "q2": {"m1": 1}}
    assert asked.corpus == PASSAGES
    assert asked.groups == {"q1": "K", "q2": "K"}
    assert asked.queries == {"q1": "q1?", "q2": "q2?"}


def test_a_gold_cut_by_the_chunker_goes_to_the_chunk_with_most_of_it(tmp_path: Path) -> None:
    # 13 of its 16 words, hence 10 of its 12 distinct 4-word runs (.83), stand in k3.
    gold = "We opened twelve plants in Ohio, Texas and Nevada to meet the demand for electric drive"
    assert ask_library(tmp_path, line("q1", gold)).qrels == {"q1": {"k3": 1}}


def test_a_filing_name_with_a_dot_is_not_cut(tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text(json.dumps(line("q1", "plants", "BRK.B_10-K")) + "\n")
    passages = {"a": "twelve plants", "b": "twelve plants"}
    asked = library_evalset(path, passages, {"a": "BRK", "b": "BRK.B_10-K"})
    assert asked.qrels == {"q1": {"b": 1}}


def test_only_the_best_chunks_stand_for_a_cut_gold(tmp_path: Path) -> None:
    words = [f"w{number}" for number in range(23)]  # 20 runs of four
    passages = {"a": " ".join(words[:22]), "b": " ".join(words[:20]), "c": " ".join(words[1:])}
    path = tmp_path / "questions.jsonl"
    path.write_text(json.dumps(line("q1", " ".join(words))) + "\n")
    asked = library_evalset(path, passages, dict.fromkeys(passages, "KAPA"))
    # Shares: a 19/20, b 17/20, c 19/20.
    assert asked.qrels == {"q1": {"a": 1, "c": 1}}


def test_golds_that_stand_nowhere_are_listed(tmp_path: Path) -> None:
    half = "Nevada to meet the demand for electric drive units"
    with pytest.raises(DataError, match=r"no chunk of its filing: q2, q3, q4;"):
        ask_library(
            tmp_path,
            line("q1", "closed one"),
            line("q2", half),
            line("q3", "electric drive units", "MUMM"),
            line("q4", " - "),
        )


def test_questions_that_cannot_be_asked_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"not in the library: LKSP; ingest"):
        ask_library(tmp_path, line("q1", "closed one", "LKSP"))
    with pytest.raises(DataError, match="an id twice: q1"):
        ask_library(tmp_path, line("q1", "closed one"), line("q1", "closed one"))
    with pytest.raises(DataError, match=r"lacks gold \(row 0\)"):
        ask_library(tmp_path, {"id": "1", "question": "?", "ticker": "K", "filing": "KAPA"})
    with pytest.raises(DataError, match="holds no questions"):
        ask_library(tmp_path)
