"""Companies that the library lacks: said, never answered from others; no word taken for one."""

from __future__ import annotations

import csv
import datetime as dt
import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from rag_app.answer import Reply
from rag_app.chat.prompts import REFUSAL
from rag_app.cli import Opened
from rag_app.companies import companies_of
from rag_app.index.asked import Asked, read_asked
from rag_app.index.embedder import Embedder
from rag_app.index.known_companies import TABLE, known_companies
from rag_app.index.lacking import unheard_of
from rag_app.index.retriever import served_retriever
from rag_app.index.serving import open_snapshot
from rag_app.library import Library
from rag_app.records import Filing, Filters
from rag_app.serve.api import make_app
from rag_app.serve.engine import Engine
from rag_app.settings import load_settings

DAY = dt.date(2023, 12, 31)
FILINGS = [
    Filing(name, "10-K", 2023, DAY, name, "x", ticker)
    for name, ticker in [
        ("NVIDIA CORP", "NVDA"),
        ("Amazon.com, Inc.", "AMZN"),
        ("MICROSOFT CORPORATION", "MSFT"),
    ]
]
APPLE = "No filing of Apple (AAPL) is in the library; fetch it: "
APPLE += "`python -m rag_app ingest --ticker AAPL`."


def asked(question: str, explicit: Filters = Filters()) -> Asked:  # noqa: B008
    return read_asked(question, FILINGS, explicit)


def said(texts: str) -> list[str]:
    """What is told to be lacking."""
    return re.findall(r"No filing of (.+?) is in", texts)


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("What is Tesla's vehicle production?", ["Tesla (TSLA)"]),
        ("what was apple's net income", ["Apple (AAPL)"]),
        ("WHAT WAS APPLE'S REVENUE?", ["Apple (AAPL)"]),
        ("Apple Inc. revenue in 2023", ["Apple (AAPL)"]),
        ("Costco Wholesale Corporation's stores", ["Costco (COST)"]),
        ("TSLA deliveries in 2023", ["Tesla (TSLA)"]),
        ("What did $amd earn?", ["AMD"]),
        ("Compare Apple with Tesla", ["Apple (AAPL)", "Tesla (TSLA)"]),
        ("Who is Oracle's CEO?", ["Oracle (ORCL)"]),
        ("What did Target report in sales?", ["Target (TGT)"]),
        ("How many vehicles did Ford sell?", ["Ford (F)"]),
        ("What were the sales of Gap Inc.?", ["Gap (GAP)"]),
        ("Walgreens dividend", ["Walgreens"]),
    ],
)
def test_a_company_that_is_lacking_is_what_the_question_gets(
    question: str, names: list[str]
) -> None:
    found = asked(question)
    assert said(found.missing) == names
    assert not found.notes


@pytest.mark.parametrize(
    "question",
    [
        "What is the Target for 2030?",
        "Does the Gap in pay matter?",
        "Visa rules for foreign workers",
        "What Is the Progressive Block Target?",
        "When is first oil due in Block 0?",
        "What is the voluntary turnover rate (VTR)?",
        "Which companies compete with Apple?",
        "What was revenue from Apple Pay?",
        "Where is the Intel® mark registered?",
        "What was paid for the acquisition of Kellanova?",
        "What does the company earn from Apple?",
        "How have new rules on the agreement with Tesla changed prices?",
        "Does NVIDIA compete with AMD?",
        "What does Amazon say about Apple?",
        "How much of Rivian does Amazon own?",
        "What was Microsoft's net income?",
    ],
)
def test_a_word_a_product_and_who_is_dealt_with_are_not_asked_for(question: str) -> None:
    assert (asked(question).missing, asked(question).notes) == ("", ())


@pytest.mark.parametrize(
    "question",
    ["Compare NVIDIA with Apple", "NVDA vs AAPL", "Is Amazon's or Apple's revenue higher?"],
)
def test_one_that_is_there_is_answered_and_the_other_said(question: str) -> None:
    found = asked(question)
    assert (found.missing, found.notes) == ("", (APPLE,))
    assert found.filters.ticker in {("NVDA",), ("AMZN",)}


def test_a_filter_that_is_set_is_searched_all_the_same() -> None:
    assert not asked("What was Apple's revenue?", Filters("NVDA")).missing
    assert asked("What was Apple's revenue?", Filters("NVDA")).notes == (APPLE,)
    without = read_asked("What was Apple's revenue?", FILINGS, Filters(), by_itself=False)
    assert (without.missing, without.notes) == ("", ())


def test_the_library_s_own_names_win() -> None:
    """A row of the table is held by its ticker or by any of its names."""
    own = [Filing("Ford Motor Co", "10-K", 2023, DAY, "f", "x", "")]
    assert not read_asked("What was Ford's revenue?", own, Filters()).missing
    coke = [Filing("COCA COLA CO", "10-K", 2023, DAY, "k", "x", "KO")]
    assert not read_asked("What was Coca-Cola's revenue?", coke, Filters()).missing
    assert read_asked("What was Pepsi's revenue?", coke, Filters()).missing


def test_a_name_that_no_passage_says_is_told() -> None:
    companies, text = companies_of(FILINGS), "azure grew; the board met"

    def unheard(question: str) -> list[str]:
        return unheard_of(question, companies, lambda word: word.lower() in text)

    assert unheard("What was Zyxcorp's revenue?") == ["Zyxcorp"]
    assert unheard("What was Azure's revenue?") == []
    assert unheard("What’s new? The Company's plan, Today's price") == []
    assert unheard("Is NVIDIA above Moscow's rules?") == []
    found = read_asked("Zyxcorp's revenue", FILINGS, Filters(), is_in_text=lambda word: False)
    assert found.notes[0].startswith("No company called Zyxcorp is in the library")


def test_the_table_is_sound() -> None:
    tickers = [ticker for known in known_companies() for ticker in known.tickers if ticker != "-"]
    names = [name.casefold() for known in known_companies() for name in known.names]
    assert len(known_companies()) > 400
    for values in (tickers, names):
        assert len(values) == len(set(values)), [v for v in values if values.count(v) > 1]
    for known in known_companies():
        assert all(re.fullmatch(r"-|[A-Z]{1,5}([.-][A-Z])?", each) for each in known.tickers), known
        assert all(name == name.strip() and name for name in known.names), known
    assert TABLE.suffix == ".tsv"


def test_real_questions_of_companies_that_are_held_are_answered(shared_data: Path) -> None:
    """1,400 questions on companies of the shared filings; some 1,500 name one that is lacking."""
    with (shared_data / "filings/manifest.csv").open(encoding="utf-8") as file:
        covers = [
            Filing(row["company"], row["form"], 2023, DAY, row["file"], "x", row["ticker"])
            for row in csv.DictReader(file)
        ]
    with (shared_data / "financial_qa_10k.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with (shared_data / "filings/gold_context_overlap.csv").open(encoding="utf-8") as file:
        held = {int(row["row_index"]) for row in csv.DictReader(file)}
    for number in held:
        found = read_asked(rows[number]["question"], covers, Filters())
        assert not found.missing, rows[number]["question"]
        assert not said(" ".join(found.notes)), rows[number]["question"]
    own = {filing.ticker for filing in covers}
    known = {ticker: each for each in known_companies() for ticker in each.tickers}
    told = named = 0
    for row in rows:
        company = known[row["ticker"]]
        if row["ticker"] not in own and f"{company.name}'s" in row["question"]:
            named += 1
            found = read_asked(row["question"], covers, Filters())
            told += str(company) in " ".join([found.missing, *found.notes])
    assert named > 300
    assert told / named > 0.95


def test_the_answer_the_api_and_the_tools_say_it(home_copy: Path, minilm: Embedder) -> None:
    library, settings = Library(home_copy), load_settings(home=home_copy)
    snapshot = open_snapshot(library, minilm, 384)
    question = "What was Apple's net income in 2023?"

    reply = Reply(question, served_retriever(snapshot, settings, Filters()), None, auto_filter=True)
    first, *rest = "".join(reply).splitlines()
    assert first == f"{REFUSAL} {APPLE} The nearest passages, of other companies:"
    assert rest[1].startswith("- ")

    engine = Engine(Opened(settings, library, minilm, 384), None)
    client = TestClient(make_app(engine))
    both = client.post("/ask", json={"question": "Compare Apple with Larkspur's backlog"}).json()
    assert both["notes"] == [APPLE]
    assert not both["answer"].startswith(REFUSAL)
    assert client.post("/ask", json={"question": question}).json()["answer"].startswith(first)
    assert client.get("/search", params={"question": question}).json()["notes"] == [APPLE]
