"""Quote mode: margins that no row prints, and rows of others than the company."""

from __future__ import annotations

import pytest
from passages import hit

from rag_app.chat.margins import margin_line
from rag_app.chat.others import in_notes, other_of
from rag_app.chat.quotes import best_quotes, quote_answer
from rag_app.chat.ratios import other_margin, ratio_asked
from rag_app.index.embedder import Embedder

HEADS = "(In millions)\n|  | 2023 | 2022 |\n"
REVENUE = f"{HEADS}| Total revenue | 400 | 300 |"
INCOME = f"{HEADS}| Gross profit | 200 | 90 |\n| Income from operations | 100 | 60 |"
ASKED = "What was Quill's operating margin in 2023?"


def test_a_margin_that_no_row_prints_is_an_expression_over_two_cited_rows() -> None:
    hits = [hit(REVENUE), hit(INCOME)]
    assert margin_line(ASKED, hits) == (
        "Operating margin, 2023: {{100 / 400 %}} (Income from operations over Total revenue) [1][2]"
    )
    latest = margin_line("Quill's gross margin percentage", hits)
    assert latest
    assert latest.startswith("Gross margin, 2023: {{200 / 400 %}}")
    share = margin_line("Gross profit as a percentage of revenue in 2022?", hits)
    assert share
    assert "{{90 / 300 %}}" in share


@pytest.mark.parametrize(
    ("question", "texts"),
    [
        (ASKED, [REVENUE, INCOME, f"{HEADS}| Operating margin | 25% | 20% |"]),
        ("What was Quill's operating margin in 2019?", [REVENUE, INCOME]),
        ("What was Quill's gross margin in 2023?", [REVENUE, INCOME]),
        ("What was Quill's operating income in 2023?", [REVENUE, INCOME]),
        (ASKED, [REVENUE, INCOME.replace("millions", "thousands")]),
        (ASKED, [REVENUE, "Income from operations was 100 in 2023."]),
    ],
)
def test_no_margin_is_computed_where_it_is_printed_not_asked_or_not_shown(
    question: str, texts: list[str]
) -> None:
    assert margin_line(question, [hit(text) for text in texts]) is None


def test_the_two_amounts_of_a_margin_are_of_one_filing() -> None:
    other = hit(INCOME)
    other.node.metadata["filing"] = "QUIL_10-K_2022-12-31"
    assert margin_line(ASKED, [hit(REVENUE), other]) is None


def test_what_a_ratio_divides() -> None:
    names = frozenset({"quill"})
    asked = ratio_asked("Quill's net profit margin in 2023", names)
    assert asked
    assert asked.part.sentence == "net income 2023"
    assert ratio_asked("Quill's net income in 2023", names) is None


def test_a_margin_of_another_kind_is_no_answer(minilm: Embedder) -> None:
    assert other_margin(ASKED, "Our gross profit margin increased to 61.1%.")
    assert not other_margin(ASKED, "Gross margin and operating margin rose.")
    assert not other_margin(ASKED, "Income from operations was 100.")
    hits = [hit("Our gross margin was 61.1% in 2023."), hit(REVENUE), hit(INCOME)]
    answer = quote_answer(ASKED, hits, minilm)
    assert answer.startswith("- Operating margin, 2023: ")
    assert "61.1" not in answer


def test_a_table_of_others_is_known_by_its_heading_unless_it_is_asked_for() -> None:
    assert other_of(["Sales", "NOTE 6: EQUITY METHOD INVESTMENTS"])
    assert not other_of(["Sales", "Revenue Recognition"])
    assert not other_of(["Deferred revenue"], frozenset({"defer", "revenu"}))
    assert in_notes("Notes to Consolidated Financial Statements > Leases")
    assert not in_notes("CONSOLIDATED STATEMENTS OF INCOME")


def test_investees_figures_stand_behind_the_companys_and_under_their_caption(
    minilm: Embedder,
) -> None:
    caption = "A summary of financial information for our equity method investees is as follows:"
    table = "|  | 2023 | 2022 |\n| Gross profit | 40,516 | 38,082 |"
    hits = [hit(f"{caption}\n\n{table}"), hit(INCOME)]
    quotes = best_quotes("What was Quill's gross profit in 2023?", hits, minilm)
    assert quotes[0].marker == 2
    (own,) = best_quotes("Gross profit of the equity method investees?", hits[:1], minilm)
    assert own.text == (
        "financial information for our equity method investees, "
        "Gross profit: 2023 40,516; 2022 38,082"
    )
