"""The amount that a question asks for: what gives it, and where it is looked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from passages import hit

from rag_app.chat.amounts import amount_asked, amount_fits, names_of, with_amounts
from rag_app.chat.matching import SURE
from rag_app.index.balanced import asked_of, retriever_of
from rag_app.index.embedder import Embedder
from rag_app.index.retriever import FilingsRetriever
from rag_app.index.serving import open_snapshot
from rag_app.index.snapshot import Snapshot
from rag_app.library import Library
from rag_app.records import Filters

QUILL = frozenset({"quill", "inc"})
TABLE = "|  | 2023 | 2022 |\n"


@pytest.fixture(scope="module")
def snapshot(sample_home: Path, minilm: Embedder) -> Snapshot:
    return open_snapshot(Library(sample_home), minilm, 384)


def best(question: str, text: str, heading: str = "") -> float:
    claim = amount_asked(question, QUILL)
    assert claim
    return max(amount_fits(claim, 1, hit(text, heading=heading)).values())


@pytest.mark.parametrize(
    "question",
    ["Who leads Quill?", "Why did Quill's revenue fall?", "What was it in 2023?", "Quill, Inc."],
)
def test_some_questions_ask_no_amount(question: str) -> None:
    assert amount_asked(question, QUILL) is None


@pytest.mark.parametrize(
    ("question", "gives", "does_not"),
    [
        ("Quill net income 2023", "| Net income | 9 | 8 |", "| Other income, net | 9 | 8 |"),
        ("Quill's total revenue?", "| Revenue | 9 | 8 |", "| Deferred revenue | 9 | 8 |"),
        ("Quill's sales?", "| Revenue | 9 | 8 |", "| Percentage of revenue | 9% | 8% |"),
        ("Quill's net income?", "| Net income of Quill | 9 | 8 |", "| Interest income | 9 | 8 |"),
        (
            "How much did Quill spend on R&D in 2023?",
            "| Operating expenses: | | |\n| \u00a0\u00a0Research and development | 9 | 8 |",
            "| Research grants | 9 | 8 |",
        ),
        (
            "Quill's operating cash flow?",
            "| Net cash provided by operating activities | 9 | 8 |",
            "| Operating cash | 9 | 8 |",
        ),
    ],
)
def test_a_row_gives_the_amount_where_its_label_is_what_is_asked(
    question: str, gives: str, does_not: str
) -> None:
    assert best(question, TABLE + gives) >= SURE
    assert best(question, TABLE + does_not) < SURE


def test_another_period_or_one_segment_alone_does_not_give_it() -> None:
    row = TABLE + "| Net income | 9 | 8 |"
    assert best("Quill's net income in 2022", row) == 1.0
    assert best("Quill's net income in 2019", row) == 0.0
    assert best("Quill's net income in 2022", row, "Pump Segment") == 0.5
    assert best("Quill's Pump net income in 2022", row, "Pump Segment") > 0.5


def test_a_sentence_gives_a_count_only_where_it_is_about_nothing_else() -> None:
    question = "How many employees does Quill have?"
    assert best(question, "We employed approximately 1,525,000 full-time workers.") >= SURE
    assert best(question, "Over 175,000 Quill employees joined our Career Choice plan.") < SURE


def test_each_side_that_lacks_the_amount_gets_the_passage_with_it(snapshot: Snapshot) -> None:
    question = "Compare the net income of Larkspur and Tessaline in 2023"
    plain = FilingsRetriever(snapshot, k=1)
    asked = asked_of(snapshot, question, Filters(), by_itself=True)
    hits = retriever_of(plain, asked).retrieve(question)
    shown = with_amounts(question, hits, plain, asked)
    assert shown[: len(hits)] == hits
    claim = amount_asked(question, names_of(hits))
    assert claim
    for side in asked.sides:
        of_side = [h for h in shown if side.admits(snapshot.opened.covers[h.metadata["filing"]])]
        assert max(max(amount_fits(claim, 1, h).values()) for h in of_side) >= SURE
    assert [h.metadata["rank"] for h in shown] == list(range(1, len(shown) + 1))
    assert len(shown) > len(hits)
    assert with_amounts("Who leads Larkspur?", hits, plain, asked) == hits
    # What is shown already is not looked for again.
    assert with_amounts(question, shown, plain, asked) == shown
