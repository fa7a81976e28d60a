"""Comparisons: every filing that is asked about has its share of the hits."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from llama_index.core.base.base_retriever import BaseRetriever

from rag_app.__main__ import main
from rag_app.answer import Reply
from rag_app.cli import Opened
from rag_app.errors import LibraryError, NotHere
from rag_app.index.asked import Asked
from rag_app.index.balanced import BalancedRetriever, asked_of, retriever_of
from rag_app.index.embedder import Embedder
from rag_app.index.retriever import FilingsRetriever
from rag_app.index.serving import open_snapshot
from rag_app.index.snapshot import Snapshot
from rag_app.library import Library
from rag_app.records import Filters
from rag_app.serve.engine import Engine
from rag_app.settings import load_settings

BACKLOG = "How did Larkspur's order backlog change from 2023 to 2024?"


@pytest.fixture(scope="module")
def snapshot(sample_home: Path, minilm: Embedder) -> Snapshot:
    return open_snapshot(Library(sample_home), minilm, 384)


def of(ticker: str, year: int) -> Filters:
    return Filters(ticker, fiscal_year=year)


def filings(retriever: BaseRetriever, question: str = BACKLOG) -> list[str]:
    return [hit.metadata["filing"] for hit in retriever.retrieve(question)]


def test_two_filings_share_the_hits_the_best_first(snapshot: Snapshot) -> None:
    plain = FilingsRetriever(snapshot, k=5)
    sides = [of("LKSP", 2023), of("LKSP", 2024)]
    hits = BalancedRetriever(plain, sides).retrieve(BACKLOG)
    assert Counter(hit.metadata["filing"] for hit in hits) in (
        {"LKSP_10-K_2023-12-31": 3, "LKSP_10-K_2024-12-31": 2},
        {"LKSP_10-K_2023-12-31": 2, "LKSP_10-K_2024-12-31": 3},
    )
    assert [hit.metadata["rank"] for hit in hits] == [1, 2, 3, 4, 5]
    assert (hits[0].score or 0) >= (hits[1].score or 0)
    alone = FilingsRetriever(snapshot, filters=sides[0], k=3).retrieve(BACKLOG)
    own = [hit.node_id for hit in hits if hit.metadata["fiscal_year"] == 2023]
    assert own == [hit.node_id for hit in alone][: len(own)]
    assert plain.filters == Filters()


def test_every_side_has_two_hits_however_small_k_is(snapshot: Snapshot) -> None:
    sides = [of(ticker, 2023) for ticker in ("LKSP", "BRWG", "TSLT")]
    found = filings(BalancedRetriever(FilingsRetriever(snapshot, k=1), sides))
    assert sorted(Counter(found).values()) == [2, 2, 2]
    assert len(set(found[:3])) == 3


def test_a_side_that_runs_out_leaves_its_turns(snapshot: Snapshot) -> None:
    small = Filters("LKSP", fiscal_year=2023, item="1B")
    size = len(snapshot.admitted_chunks(small))
    assert 0 < size < 4
    hits = BalancedRetriever(FilingsRetriever(snapshot, k=12), [small, of("LKSP", 2024)])
    assert Counter(filings(hits))["LKSP_10-K_2024-12-31"] == 12 - size


def test_an_item_is_filtered_by_chunk(snapshot: Snapshot) -> None:
    retriever = FilingsRetriever(snapshot, filters=Filters("LKSP", item=["7", "7A"]), k=10)
    assert {hit.metadata["item"] for hit in retriever.retrieve(BACKLOG)} <= {"7", "7A"}
    with pytest.raises(LibraryError, match="Item 99"):
        FilingsRetriever(snapshot, filters=Filters("LKSP", item="99")).retrieve(BACKLOG)


def test_what_is_asked_chooses_the_retriever(snapshot: Snapshot) -> None:
    plain = FilingsRetriever(snapshot, k=4)
    found = asked_of(snapshot, BACKLOG, Filters(), by_itself=True)
    assert found.says == "LKSP fiscal 2023 and 2024"
    assert set(filings(retriever_of(plain, found))) == {
        "LKSP_10-K_2023-12-31",
        "LKSP_10-K_2024-12-31",
    }
    one = asked_of(snapshot, "Larkspur's backlog in 2024", Filters(), by_itself=True)
    assert set(filings(retriever_of(plain, one))) == {"LKSP_10-K_2024-12-31"}
    assert asked_of(snapshot, "In Item 7 of Larkspur", Filters(), by_itself=True).filters.item == (
        "7",
    )
    nothing = asked_of(snapshot, BACKLOG, Filters(), by_itself=False)
    assert nothing == Asked(Filters(), (), by_itself=False)


def test_a_company_without_the_period_that_is_set_is_one_sentence(
    snapshot: Snapshot, sample_home: Path, minilm: Embedder
) -> None:
    """Only Brightwater has a period to 2024-02, and no question about Larkspur is asked of it."""
    retriever = FilingsRetriever(snapshot, filters=Filters(period="2024-02"))
    sentence = "No filing in the library matches LKSP period to 2024-02"
    with pytest.raises(LibraryError, match=sentence):
        list(Reply("What was Larkspur's backlog?", retriever, None, auto_filter=True))
    both = Reply("Compare Larkspur with Brightwater", retriever, None, auto_filter=True)
    assert "".join(both)
    assert {hit.metadata["ticker"] for hit in both.answer.hits} == {"BRWG"}
    assert both.answer.notes == ("The library holds no filing of LKSP with a period to 2024-02.",)
    engine = Engine(Opened(load_settings(), Library(sample_home), minilm, 384), None)
    for act in (engine.reply, engine.search):
        with pytest.raises(NotHere, match=sentence):
            act("What was Larkspur's backlog?", Filters(period="2024-02"), None)


def test_a_reply_says_what_it_searched(snapshot: Snapshot) -> None:
    reply = Reply("and in 2024?", FilingsRetriever(snapshot, k=3), None, auto_filter=True)
    assert "".join(reply)
    assert reply.answer.filters == Filters(fiscal_year=2024)
    written = Reply(
        "x", FilingsRetriever(snapshot), None, searched_for="Larkspur", auto_filter=True
    )
    assert (written.searched_for, written.asked.filters) == ("Larkspur", Filters("LKSP"))


def ask(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[dict[str, object], str]:
    assert main(["ask", *argv, "--json"]) == 0
    printed = capsys.readouterr()
    return json.loads(printed.out), printed.err


def test_the_command_line_filters_by_the_question_and_says_so(
    sample_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAG_HOME", str(sample_home))
    answer, said = ask(capsys, BACKLOG)
    assert said == (
        "Searching LKSP fiscal 2023 and 2024 (from the question; --no-auto-filter to search "
        "everything)\n"
    )
    assert answer["filters"] == {"ticker": ["LKSP"], "fiscal_year": [2023, 2024]}
    assert answer["searched_for"] == BACKLOG

    answer, said = ask(capsys, BACKLOG, "--no-auto-filter")
    assert (answer["filters"], said) == ({}, "")

    answer, said = ask(
        capsys, "--ticker", "TSLT", "BRWG", "--item", "7", "--year", "2023-2024", BACKLOG
    )
    assert answer["filters"] == {
        "ticker": ["TSLT", "BRWG"],
        "fiscal_year": [2023, 2024],
        "item": ["7"],
    }
    hits = answer["hits"]
    assert isinstance(hits, list)
    assert len({hit["filing"] for hit in hits}) == 4
    assert (
        said == "note: The question names LKSP; the filter that you set keeps to TSLT and BRWG.\n"
    )


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--ticker", "LKSP"], "Give a question"),
        (["x", "--year", "soon"], "--year soon is no fiscal year"),
        (["x", "--year", "2024-2023"], "--year 2024-2023 is no fiscal year"),
        (["x", "--period", "spring"], "--period spring is no date"),
        (["x", "--ticker", ""], "--ticker is given an empty value"),
        (["x", "--item", "7", " "], "--item is given an empty value"),
        (["x", "--period", "2019"], "No filing in the library matches period to 2019"),
    ],
)
def test_a_wrong_flag_is_one_sentence(
    argv: list[str],
    sentence: str,
    sample_home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("RAG_HOME", str(sample_home))
    assert main(["ask", *argv]) == 2
    assert sentence in capsys.readouterr().err
